"""Test data of others, fetched from Debian's source packages into `.cache/`.

The tests compare what we read and write with what libvirt reads and writes, hold our XML against
its schema, and our first boot data against cloud-init's. A package comes from the sources that this
machine's apt knows already, the upstream tarball in it is verified by its checksum, and only what
the tests need is unpacked.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import posixpath
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

CACHE = Path(__file__).resolve().parents[1] / ".cache"
APT = Path("/etc/apt")
DEADLINE_SECONDS = 240
_RELEASES = ("stable", "oldstable", "oldoldstable", "testing")
_ONE_LINE = re.compile(r"^deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?\S+\s+(?P<suite>\S+)\s")


@dataclass(frozen=True)
class Source:
    """A source package, and the files wanted of it: by folder and suffix."""

    package: str
    version: str
    tarball: str
    sha256: str
    wanted: tuple[tuple[str, str], ...]

    @property
    def folder(self) -> str:
        """Where it is unpacked."""
        return f"{self.package}-{self.version}"


LIBVIRT = Source(
    package="libvirt",
    version="9.0.0",
    tarball="libvirt_9.0.0.orig.tar.xz",
    sha256="deca5cff1b7baac297bca9663907c61f71a47183371dc7ac019c107806d5435a",
    wanted=(
        ("tests/qemuxml2argvdata", ".xml"),
        ("tests/qemuxml2xmloutdata", ".xml"),
        ("src/conf/schemas", ".rng"),
    ),
)
CLOUD_INIT = Source(
    package="cloud-init",
    version="22.4.2",
    tarball="cloud-init_22.4.2.orig.tar.gz",
    sha256="9542bc57138f50bcbbb47283c8fc57762d0dfb4bdd0829a02c2104c26ca5e1ac",
    wanted=(("cloudinit/config/schemas", ".json"),),
)


class CorpusError(Exception):
    """The corpus is not to be had; the message says why and what to do."""


def corpus(cache: Path = CACHE, source: Source = LIBVIRT, apt: Path = APT) -> Path:
    """The folder with what was unpacked; fetched when it is not there yet.

    Raises:
        CorpusError: it cannot be fetched, or is not what it should be.
    """
    folder = cache / source.folder
    stamp, content = folder / ".complete", f"{source.sha256} {source.wanted}"
    cache.mkdir(exist_ok=True)
    with _locked(cache / "corpus.lock"):
        if not (stamp.exists() and stamp.read_text(encoding="utf-8") == content):
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                by_hand = cache / source.tarball
                tarball = by_hand if by_hand.exists() else download(Path(scratch), source, apt)
                unpack(verified(tarball, source), folder, source)
            stamp.write_text(content, encoding="utf-8")
    return folder


def download(scratch: Path, source: Source, apt: Path) -> Path:
    """The tarball, from the package sources of this machine, with an apt state of its own."""
    parts = scratch / "sources.list.d"
    parts.mkdir()
    for number, (suffix, text) in enumerate(source_entries(apt, release())):
        (parts / f"{number}{suffix}").write_text(text, encoding="utf-8")
    (scratch / "lists" / "partial").mkdir(parents=True)
    said = _apt(scratch, "update")  # one source that fails need not be the one that is needed
    said += _apt(scratch, "source", "--download-only", "--tar-only", source.package)
    tarball = scratch / source.tarball
    if not tarball.exists():
        raise CorpusError(
            f"{source.folder} could not be fetched: the package sources of this machine, asked "
            f"for the source package {source.package}, gave no {source.tarball}. Put that file "
            f"into {scratch.parent} by hand, or run this on Debian 12 with a network. "
            f"apt-get said:\n{said}"
        )
    return tarball


def verified(tarball: Path, source: Source) -> Path:
    """The same file, if it is the one that was published."""
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise CorpusError(f"{tarball.name} has sha256 {digest}, and {source.sha256} was expected")
    return tarball


def unpack(tarball: Path, folder: Path, source: Source) -> None:
    """Put the wanted files of the tarball into the folder, links among them as copies."""
    links: dict[PurePosixPath, str] = {}
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if (str(path.parent), path.suffix) not in source.wanted:
                continue
            if member.issym():
                links[path] = member.linkname
            elif content := archive.extractfile(member):
                _put(folder / path, content.read())
    for path in links:  # only now, since to go back in the archive is slow
        _put(folder / path, (folder / _end_of(path, links)).read_bytes())


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _end_of(path: PurePosixPath, links: Mapping[PurePosixPath, str]) -> PurePosixPath:
    while path in links:
        path = PurePosixPath(posixpath.normpath(path.parent / links[path]))
    return path


def release() -> str:
    """The code name of the distribution's release."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")


def source_entries(folder: Path, codename: str) -> Iterator[tuple[str, str]]:
    """The distribution's entries among apt's, asking for source packages: suffix and text."""
    for path in sorted([folder / "sources.list", *(folder / "sources.list.d").glob("*")]):
        if not path.is_file() or path.suffix not in {".list", ".sources"}:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".list":
            yield from ((".list", line) for line in _one_line_entries(text, codename))
        else:
            yield from ((".sources", stanza) for stanza in _stanzas(text, codename))


def _one_line_entries(text: str, codename: str) -> Iterator[str]:
    for line in text.splitlines():
        found = _ONE_LINE.match(line.strip())
        if found and _is_of(found["suite"], codename):
            yield re.sub(r"^deb(?:-src)?", "deb-src", line.strip()) + "\n"


def _stanzas(text: str, codename: str) -> Iterator[str]:
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", bare):
        suites = re.search(r"^Suites:(.*)$", stanza, re.MULTILINE | re.IGNORECASE)
        if suites and any(_is_of(suite, codename) for suite in suites[1].split()):
            kind = re.compile(r"^Types:.*$", re.MULTILINE | re.IGNORECASE)
            yield kind.sub("Types: deb-src", stanza.strip("\n")) + "\n"


def _is_of(suite: str, codename: str) -> bool:
    return any(suite == name or suite.startswith(f"{name}-") for name in (codename, *_RELEASES))


def _apt(scratch: Path, *arguments: str) -> str:
    """What apt-get said, in a state of its own below the scratch folder."""
    options = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": str(scratch / "sources.list.d"),
        "Dir::State::Lists": str(scratch / "lists"),
        "Dir::Cache": str(scratch / "cache"),
        "APT::Sandbox::User": "root",  # the scratch folder is private
        "Acquire::Retries": "3",
    }
    given = [text for key, value in options.items() for text in ("-o", f"{key}={value}")]
    try:
        done = subprocess.run(
            ["apt-get", "-q", *given, *arguments],
            cwd=scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=DEADLINE_SECONDS,
            check=False,
            text=True,
        )
    except FileNotFoundError:
        return "there is no apt-get here\n"
    except subprocess.TimeoutExpired:
        return f"apt-get {arguments[0]} took more than {DEADLINE_SECONDS} s\n"
    return done.stdout


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Fetch it, and say where it is."""
    try:
        for source in (LIBVIRT, CLOUD_INIT):
            print(corpus(source=source))
    except CorpusError as error:
        print(f"corpus: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
