"""How the corpus is fetched: from this machine's own package sources, and verified."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from scripts import corpus

STANZAS = """\
# the mirror of this house
Types: deb
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: https://elsewhere.example/tool
Suites: nodistro
Components: main
"""
LINES = """\
# deb https://old.example/debian bullseye main
deb [signed-by=/k.gpg arch=amd64] https://mirror.example/security bookworm-security main
deb https://elsewhere.example/tool tool-bookworm main
deb-src https://mirror.example/debian bookworm main
"""


def test_only_the_distributions_own_sources_are_asked_for_source_packages(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(LINES, encoding="utf-8")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(STANZAS, encoding="utf-8")
    (tmp_path / "sources.list.d" / "debian.sources.old").write_text(STANZAS, encoding="utf-8")
    stanza = STANZAS.partition("\n\n")[0].partition("\n")[2]
    security = LINES.splitlines()[1]
    assert list(corpus.source_entries(tmp_path, "bookworm")) == [
        (".list", security.replace("deb ", "deb-src ", 1) + "\n"),
        (".list", LINES.splitlines()[3] + "\n"),
        (".sources", stanza.replace("Types: deb", "Types: deb-src") + "\n"),
    ]


def test_another_tarball_is_refused(tmp_path: Path) -> None:
    (tmp_path / corpus.LIBVIRT.tarball).write_bytes(b"something else")
    with pytest.raises(corpus.CorpusError, match="sha256"):
        corpus.corpus(tmp_path)
    assert not (tmp_path / corpus.LIBVIRT.folder).exists()


def test_who_cannot_fetch_it_is_told_what_to_do(tmp_path: Path) -> None:
    nowhere, cache = tmp_path / "apt", tmp_path / "cache"
    with pytest.raises(corpus.CorpusError) as caught:
        corpus.corpus(cache, corpus.LIBVIRT, nowhere)
    message = str(caught.value)
    assert f"gave no {corpus.LIBVIRT.tarball}. Put that file into {cache} by hand" in message
    assert "E:" in message.splitlines()[-1] or "there is no apt-get" in message
    assert [path.name for path in cache.iterdir()] == ["corpus.lock"]


def test_links_become_copies_and_the_rest_is_left(tmp_path: Path) -> None:
    """Outputs that are equal to their inputs are links to them, and there are links to links."""
    tarball = tmp_path / "small.tar"
    with tarfile.open(tarball, "w") as archive:
        for name, target in (
            ("tests/qemuxml2xmloutdata/b.xml", "a.xml"),
            ("tests/qemuxml2xmloutdata/a.xml", "../qemuxml2argvdata/a.xml"),
            ("tests/qemuxml2argvdata/a.xml", None),
            ("tests/qemuxml2argvdata/a.args", None),
            ("tests/other/a.xml", None),
        ):
            archive.addfile(*member(f"libvirt-0/{name}", target))
    corpus.unpack(tarball, tmp_path / "out", corpus.LIBVIRT)
    found = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path / "out")) for path in found} == {
        "tests/qemuxml2argvdata/a.xml",
        "tests/qemuxml2xmloutdata/a.xml",
        "tests/qemuxml2xmloutdata/b.xml",
    }
    assert {path.read_bytes() for path in found} == {b"content"}


def member(name: str, target: str | None) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    if target is not None:
        info.type, info.linkname = tarfile.SYMTYPE, target
        return info, io.BytesIO()
    info.size = len(b"content")
    return info, io.BytesIO(b"content")
