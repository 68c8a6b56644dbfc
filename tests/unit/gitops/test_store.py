from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.gitops.store import Store

SHA = "1a2b3c4d" * 5


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()


def reopened(store: Store) -> Store:
    store.close()
    return Store(store.directory)


def test_a_new_store_is_private_and_has_nothing_in_use(store: Store) -> None:
    assert store.current is None
    assert store.directory.stat().st_mode & 0o777 == 0o700


def test_what_is_published_is_in_use_also_after_a_restart(store: Store) -> None:
    path = store.fresh()
    before = store.current
    store.publish(path)
    assert (before, store.current) == (None, path)
    again = reopened(store)
    assert again.current == path
    again.close()


def test_publishing_again_puts_the_new_one_in_use(store: Store) -> None:
    first, second = store.fresh(), store.fresh()
    assert first != second
    store.publish(first)
    store.publish(second)
    assert store.current == second


def test_what_a_killed_process_left_half_made_is_taken_away(store: Store) -> None:
    used, half = store.fresh(), store.fresh()
    store.publish(used)
    (half / "objects").mkdir()
    (store.directory / ".tmp-link").symlink_to("generation-9.git")
    again = reopened(store)
    assert sorted(path.name for path in again.directory.iterdir()) == [
        used.name,
        "lock",
        "repository.git",
    ]
    again.close()


STALE = [
    "HEAD.lock",
    "packed-refs.lock",
    "refs/heads/reconciler/production.lock",
    "objects/pack/tmp_pack_Ab3",
    "objects/1a/tmp_obj_Xy9",
    "fast_import_crash_123",
    "shallow.lock",
]
ALIVE = ["refs/heads/tmp_obj", "refs/origin/heads/fast_import_crash_1", "HEAD", "config"]


def fill(repository: Path, names: list[str]) -> None:
    for name in names:
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(SHA + "\n", "utf-8")


def files(repository: Path) -> set[str]:
    found = (path for path in repository.rglob("*") if path.is_file())
    return {str(path.relative_to(repository)) for path in found}


def test_left_over_locks_and_halves_go_and_everything_else_stays(store: Store) -> None:
    path = store.fresh()
    fill(path, [*STALE, *ALIVE])
    store.publish(path)
    again = reopened(store)
    assert files(path) == set(ALIVE)
    again.close()


def test_a_ref_that_a_power_failure_emptied_goes(store: Store) -> None:
    path = store.fresh()
    fill(path, ["refs/heads/good"])
    (path / "refs/heads/torn").write_bytes(b"")
    (path / "refs/heads/zeros").write_bytes(b"\0" * 41)
    store.publish(path)
    again = reopened(store)
    assert files(path) == {"refs/heads/good"}
    again.close()


def test_nothing_is_taken_away_while_another_process_is_at_work(store: Store) -> None:
    path = store.fresh()
    fill(path, STALE)
    store.publish(path)
    half = store.fresh()
    second = Store(store.directory)
    assert not second.sweep()
    assert files(path) == set(STALE)
    assert half.is_dir()
    store.close()
    assert second.sweep()
    assert files(path) == set()
    second.close()


def test_a_repository_can_be_put_aside(store: Store) -> None:
    path = store.fresh()
    fill(path, ["HEAD"])
    aside = store.put_aside(path)
    again = reopened(store)
    assert files(aside) == {"HEAD"}
    again.close()


def test_settings_are_written_once(store: Store) -> None:
    path = store.write_settings("[safe]\n")
    before = path.stat()
    assert store.write_settings("[safe]\n").stat().st_ino == before.st_ino
    assert store.write_settings("[other]\n").read_text("utf-8") == "[other]\n"


def test_looking_for_room_leaves_nothing_behind(store: Store) -> None:
    store.check_writable()
    assert [path.name for path in store.directory.iterdir()] == ["lock"]


def test_a_state_directory_that_cannot_be_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceUnavailable, match=r"file.*give the state directory room"):
        Store(tmp_path / "file" / "state")
