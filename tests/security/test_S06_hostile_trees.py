"""S06: links, submodules, filters, names and sizes in the repository reach nothing outside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from reconciler.errors import ConfigError, SourceCorrupt
from reconciler.gitops.entries import Limits
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin, Special, link, submodule
from tests.remotes.writers import mirror_of

SECRET = "canary-7f3a"
GOOD = {"farm.yaml": b"kind: Farm\n"}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text(SECRET, "utf-8")
    return outside


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin.git")


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    origin.commit("production", GOOD)
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


def refusals(mirror: Mirror, origin: Origin, files: Mapping[str, bytes | Special]) -> list[str]:
    """What is said about a commit of the files."""
    head = origin.commit("production", {**GOOD, **files})
    mirror.fetch()
    with pytest.raises(ConfigError) as caught:
        mirror.tree(head).entries()
    return [str(problem) for problem in caught.value.problems]


def test_links_are_refused_by_name_and_never_followed(
    mirror: Mirror, origin: Origin, secret: Path
) -> None:
    said = refusals(
        mirror,
        origin,
        {
            "vms/file.yaml": link(str(secret / "secret.yaml")),
            "vms/passwd.yaml": link("/etc/passwd"),
            "vms/directory": link(str(secret)),
            "docs/up": link("../../.."),
        },
    )
    names = [each.partition(":")[0] for each in said]
    assert names == ["docs/up", "vms/directory", "vms/file.yaml", "vms/passwd.yaml"]
    assert all("symbolic link" in each for each in said)
    assert SECRET not in "".join(said)


def test_the_content_of_a_link_is_not_taken_for_a_file(mirror: Mirror, origin: Origin) -> None:
    """Even the text of the link itself is never given to who reads the tree."""
    head = origin.commit("production", {"vms/x.yaml": link("/etc/passwd")})
    mirror.fetch()
    tree = mirror.tree(head)
    for _ in range(2):
        with pytest.raises(ConfigError):
            tree.entries()


@pytest.mark.parametrize("url", ["ext::sh -c 'touch {marker}'", "https://elsewhere.farm/x"])
def test_submodules_are_refused_by_name_and_never_fetched(
    mirror: Mirror, origin: Origin, tmp_path: Path, url: str
) -> None:
    marker = tmp_path / "marker"
    modules = f'[submodule "inner"]\n\tpath = inner\n\turl = {url.format(marker=marker)}\n'
    said = refusals(mirror, origin, {".gitmodules": modules.encode(), "inner": submodule()})
    assert [each.partition(":")[0] for each in said] == ["inner"]
    assert not marker.exists()


def test_filters_and_attributes_run_nothing_and_change_nothing(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    files = {
        ".gitattributes": b"* filter=evil text eol=crlf ident working-tree-encoding=UTF-16\n",
        ".gitconfig": f'[filter "evil"]\n\tsmudge = touch {marker}\n'.encode(),
        "vms/a.yaml": b"name: a\n# $Id$\n",
    }
    head = origin.commit("production", files)
    mirror.fetch()
    tree = mirror.tree(head)
    blob = tree.entries()["vms/a.yaml"]
    assert tree.read([blob])[blob] == files["vms/a.yaml"]
    assert not marker.exists()


def test_hooks_of_the_mirror_are_never_run(mirror: Mirror, origin: Origin, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    hooks = mirror.git().directory / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "post-checkout",
        "reference-transaction",
        "post-update",
        "pre-push",
        "pre-auto-gc",
    ):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n", "utf-8")
        (hooks / name).chmod(0o755)
    head = origin.commit("production", {"farm.yaml": b"two"})
    mirror.fetch()
    mirror.keep("production", head)
    mirror.git().tidy()
    assert not marker.exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [("vms/web.yaml", "vms/WEB.yaml"), ("vms/a.yaml", "VMS/b.yaml"), ("é", "e\u0301")],
)
def test_names_that_collide_are_refused(
    mirror: Mirror, origin: Origin, one: str, other: str
) -> None:
    (said,) = refusals(mirror, origin, {one: b"1", other: b"2"})
    assert "differ only in the case" in said


@pytest.mark.parametrize(
    "name", ["vms/a\nb.yaml", "vms/\x1b[31m.yaml", "vms/\u202elmay.x", "vms/\udcff.yaml", "x" * 600]
)
def test_names_that_fool_the_eye_are_refused_in_plain_letters(
    mirror: Mirror, origin: Origin, name: str
) -> None:
    (said,) = refusals(mirror, origin, {name: b"1"})
    assert said.isprintable()


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "git~1", ".git ", ".gi\u200ct"])
def test_names_that_lead_out_of_the_tree_never_arrive(
    mirror: Mirror, origin: Origin, name: str
) -> None:
    """Git's own check refuses most while fetching, ours the rest when the tree is listed."""
    before = mirror.heads()["production"]
    head = plant(origin, "production", name)
    with pytest.raises((ConfigError, SourceCorrupt)):
        entries_after_fetch(mirror, head)
    assert mirror.tree(before).entries().keys() == GOOD.keys()


def entries_after_fetch(mirror: Mirror, commit: str) -> Mapping[str, str]:
    mirror.fetch()
    return mirror.tree(commit).entries()


def plant(origin: Origin, branch: str, name: str) -> str:
    """A commit with an entry that no honest git would make."""
    blob = bytes.fromhex(origin.git("hash-object", "-w", "--stdin", given=b"evil"))
    entry = b"100644 " + name.encode() + b"\0" + blob
    tree = origin.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=entry)
    commit = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n".encode()
    head = origin.git("hash-object", "-t", "commit", "-w", "--stdin", given=commit)
    origin.git("update-ref", f"refs/heads/{branch}", head)
    return head


def test_a_broken_branch_does_not_stop_the_others(mirror: Mirror, origin: Origin) -> None:
    """Who may push to development cannot keep production from moving on."""
    plant(origin, "development", ".git")
    head = origin.commit("production", {"farm.yaml": b"two"})
    with pytest.raises(SourceCorrupt, match=r"branch development: .*not concerned"):
        mirror.fetch()
    assert mirror.heads() == {"production": head}


def test_a_new_mirror_begins_in_spite_of_a_broken_branch(origin: Origin, tmp_path: Path) -> None:
    head = origin.commit("production", GOOD)
    plant(origin, "development", ".git")
    with mirror_of(origin, tmp_path / "state", fetched=False) as mirror:
        with pytest.raises(SourceCorrupt, match="branch development: "):
            mirror.fetch()
        assert mirror.heads() == {"production": head}


OVERSIZED: dict[str, dict[str, bytes | Special]] = {
    "the file is too large: ": {"vms/large.yaml": b"#" * (2**24 + 1)},
    "holds more than 5,000 files": {f"vms/{number}.yaml": b"x" for number in range(5_001)},
    "the files take ": {f"a/{number}.bin": bytes(2**20) for number in range(17)},
}


@pytest.mark.parametrize("words", OVERSIZED)
def test_large_files_and_many_files_are_refused(mirror: Mirror, origin: Origin, words: str) -> None:
    (said,) = refusals(mirror, origin, OVERSIZED[words])
    assert words in said


def test_a_tree_that_unfolds_without_end_is_refused_at_once(mirror: Mirror, origin: Origin) -> None:
    """Ten trees of ten entries each, nested: ten thousand million files in a kilobyte."""
    blob = bytes.fromhex(origin.git("hash-object", "-w", "--stdin", given=b"x"))
    entries = b"".join(b"100644 f%d\0" % n + blob for n in range(10))
    for _ in range(9):
        tree = bytes.fromhex(
            origin.git("hash-object", "-t", "tree", "-w", "--stdin", given=entries)
        )
        entries = b"".join(b"40000 d%d\0" % n + tree for n in range(10))
    top = origin.git("hash-object", "-t", "tree", "-w", "--stdin", given=entries)
    commit = f"tree {top}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n".encode()
    head = origin.git("hash-object", "-t", "commit", "-w", "--stdin", given=commit)
    origin.git("update-ref", "refs/heads/production", head)
    mirror.fetch()
    with pytest.raises(ConfigError, match=r"more than 5,000 files"):
        mirror.tree(head, Limits()).entries()
