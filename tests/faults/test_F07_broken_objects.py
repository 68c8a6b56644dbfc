"""F07: broken objects. At the remote nothing moves; here the mirror is made anew, records stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import SourceCorrupt, SourceError
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin, git
from tests.remotes.writers import event, journal_of, mirror_of, notes_of

FILES = {"farm.yaml": b"kind: Farm\n", "vms/web-1.yaml": b"name: web-1\n" * 50}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", FILES)
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


def objects(repository: Path) -> list[Path]:
    """The files that hold objects."""
    found = [path for path in (repository / "objects").rglob("*") if path.is_file()]
    return [path for path in found if path.suffix in {"", ".pack"}]


def truncated(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


def missing(path: Path) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": truncated,
    "flipped": flipped,
    "missing": missing,
}


def unpacked(repository: Path) -> None:
    """Put each object into a file of its own."""
    for pack in (repository / "objects/pack").glob("*.pack"):
        content = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        git(repository, "unpack-objects", "-q", given=content)


def object_file(mirror: Mirror, object_id: str) -> Path:
    unpacked(mirror.git().directory)
    return mirror.git().directory / "objects" / object_id[:2] / object_id[2:]


def damage(repository: Path, how: str) -> None:
    for path in objects(repository):
        DAMAGES[how](path)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("packed", [True, False])
def test_a_broken_remote_moves_nothing_and_breaks_nothing(
    mirror: Mirror, origin: Origin, how: str, packed: bool
) -> None:
    good = mirror.heads()["production"]
    origin.commit("production", {"farm.yaml": b"new\n"})
    if packed:
        origin.git("gc", "--quiet")
    damage(origin.path, how)
    with pytest.raises(SourceError):
        mirror.fetch()
    assert mirror.heads() == {"production": good}
    tree = mirror.tree(good)
    assert sorted(tree.read(tree.entries().values()).values()) == sorted(FILES.values())


def test_objects_that_lie_are_refused_by_the_check_of_git(mirror: Mirror, origin: Origin) -> None:
    """The pack is whole, but what is in it is no tree."""
    good = mirror.heads()["production"]
    options = ("-w", "--literally", "--stdin")
    tree = origin.git("hash-object", "-t", "tree", *options, given=b"100644 a\0short")
    commit = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n".encode()
    head = origin.git("hash-object", "-t", "commit", *options, given=commit)
    origin.git("update-ref", "refs/heads/production", head)
    with pytest.raises(SourceError):
        mirror.fetch()
    assert mirror.heads() == {"production": good}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("packed", [True, False])
def test_a_broken_mirror_is_made_anew_while_it_is_read(
    mirror: Mirror, how: str, packed: bool
) -> None:
    head = mirror.heads()["production"]
    if not packed:
        unpacked(mirror.git().directory)
    before = mirror.git().directory
    damage(before, how)
    tree = mirror.tree(head)
    assert sorted(tree.read(tree.entries().values()).values()) == sorted(FILES.values())
    assert mirror.git().directory != before
    assert not before.exists()


def test_an_object_in_the_place_of_another_is_noticed(mirror: Mirror, tmp_path: Path) -> None:
    """It is a perfect object, only not the one that its name says."""
    head = mirror.heads()["production"]
    blob = mirror.tree(head).entries()["farm.yaml"]
    other = Origin(tmp_path / "other.git")
    evil = other.git("hash-object", "-w", "--stdin", given=b"evil")
    file = object_file(mirror, blob)
    file.chmod(0o600)
    file.write_bytes((other.path / "objects" / evil[:2] / evil[2:]).read_bytes())
    assert mirror.tree(head).read([blob]) == {blob: FILES["farm.yaml"]}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_broken_mirror_is_made_anew_while_it_is_fetched(
    mirror: Mirror, origin: Origin, how: str
) -> None:
    damage(mirror.git().directory, how)
    head = origin.commit("production", {"farm.yaml": b"new\n"})
    mirror.fetch()
    tree = mirror.tree(head)
    assert b"new\n" in tree.read(tree.entries().values()).values()


def test_what_waits_is_carried_over(mirror: Mirror, origin: Origin) -> None:
    head = mirror.heads()["production"]
    journal, notes = journal_of(mirror), notes_of(mirror)
    mirror.keep("production", head)
    journal.append(event("one"))
    journal.flush()
    journal.append(event("two"))
    notes.write(head, "Ready")
    blob = mirror.tree(head).entries()["vms/web-1.yaml"]
    missing(object_file(mirror, blob))
    assert mirror.tree(head).read([blob])
    assert (journal.waiting(), notes.read(head)) == (1, "Ready")
    assert mirror.git().ref("refs/kept/production") == head
    assert [journal.flush().state, notes.flush().state] == [Push.PUSHED, Push.PUSHED]
    assert origin.messages("reconciler/production") == [
        "drift(production): one",
        "drift(production): two",
    ]


def test_a_record_that_is_broken_itself_is_put_aside_not_thrown_away(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    journal = journal_of(mirror)
    lost = journal.append(event("lost"))
    directory = mirror.git().directory
    flipped(object_file(mirror, lost))
    journal.append(event("after"))
    assert journal.flush().state is Push.PUSHED
    assert origin.messages("reconciler/production") == ["drift(production): after"]
    aside = directory.with_suffix(".broken")
    assert (aside / "refs/heads/reconciler/production").read_text("utf-8").strip() == lost


def test_while_the_remote_is_away_a_broken_mirror_stays_as_it_is(
    mirror: Mirror, origin: Origin
) -> None:
    head = mirror.heads()["production"]
    journal = journal_of(mirror)
    journal.append(event("waits"))
    directory = mirror.git().directory
    blob = mirror.tree(head).entries()["vms/web-1.yaml"]
    missing(object_file(mirror, blob))
    away = origin.path.rename(origin.path.with_name("away.git"))
    with pytest.raises(SourceError):
        mirror.tree(head).read([blob])
    assert mirror.git().directory == directory
    assert journal.waiting() == 1
    away.rename(origin.path)
    assert mirror.tree(head).read([blob]) == {blob: FILES["vms/web-1.yaml"]}
    assert journal.flush().state is Push.PUSHED


def test_a_mirror_without_its_own_files_is_made_anew(mirror: Mirror) -> None:
    head = mirror.heads()["production"]
    (mirror.git().directory / "HEAD").unlink()
    mirror.fetch()
    assert mirror.tree(head).entries().keys() == FILES.keys()


def test_it_is_not_replaced_under_the_hands_of_another_process(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    head = mirror.heads()["production"]
    with mirror_of(origin, tmp_path / "state", fetched=False):
        blob = mirror.tree(head).entries()["vms/web-1.yaml"]
        missing(object_file(mirror, blob))
        with pytest.raises(SourceCorrupt, match="another process uses the mirror"):
            mirror.tree(head).read([blob])
    assert mirror.tree(head).read([blob])


def test_a_mirror_that_is_whole_is_not_replaced_for_a_commit_that_nobody_has(
    mirror: Mirror,
) -> None:
    before = mirror.git().directory
    with pytest.raises(SourceError):
        mirror.commit_info("1" * 40)
    assert mirror.git().directory == before
    assert not mirror.repair()
