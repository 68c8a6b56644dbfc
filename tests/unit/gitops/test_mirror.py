from __future__ import annotations

import random
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import SettingsError, SourceUnavailable
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin
from tests.remotes.writers import mirror_of

FILES = {"farm.yaml": b"kind: Farm\n", "vms/web-1.yaml": b"kind: VirtualMachine\n"}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin.git")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_polling_gives_the_heads_and_fetches_nothing(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    origin.git("tag", "v1.0.0", head)
    with mirror_of(origin, state, fetched=False) as mirror:
        assert mirror.poll() == {"production": head}
        with pytest.raises(SourceUnavailable, match="nothing was fetched"):
            mirror.heads()


def test_fetching_brings_heads_and_files(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    with mirror_of(origin, state, fetched=False) as mirror:
        assert mirror.fetch() == {"production": head}
        assert mirror.heads() == {"production": head}
        tree = mirror.tree(head)
        assert dict(tree.entries()).keys() == FILES.keys()
        assert sorted(tree.read(tree.entries().values()).values()) == sorted(FILES.values())


def test_a_branch_that_is_gone_is_gone_after_the_next_fetch(origin: Origin, state: Path) -> None:
    origin.commit("production", FILES)
    origin.commit("staging", FILES)
    with mirror_of(origin, state) as mirror:
        origin.git("branch", "-D", "staging")
        assert mirror.head("staging") is not None
        mirror.fetch()
        assert mirror.head("staging") is None


def test_a_branch_may_take_the_place_of_a_folder_of_branches(origin: Origin, state: Path) -> None:
    head = origin.commit("feature/x", FILES)
    with mirror_of(origin, state) as mirror:
        origin.git("branch", "-m", "feature/x", "feature")
        assert mirror.fetch() == {"feature": head}


def test_a_remote_without_branches_is_no_empty_farm(origin: Origin, state: Path) -> None:
    with mirror_of(origin, state, fetched=False) as mirror:
        assert mirror.fetch() == {}
        with pytest.raises(SourceUnavailable, match="no branch was ever fetched"):
            mirror.heads()


def test_a_mirror_outlives_its_process_and_its_remote(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    mirror_of(origin, state).close()
    origin.path.rename(origin.path.with_name("away"))
    with mirror_of(origin, state, fetched=False) as mirror:
        assert mirror.head("production") == head
        assert mirror.tree(head).entries().keys() == FILES.keys()


def test_ancestry_is_told(origin: Origin, state: Path) -> None:
    one = origin.commit("production", FILES)
    two = origin.commit("production", {"farm.yaml": b"two"})
    with mirror_of(origin, state) as mirror:
        answers = [mirror.is_ancestor(*pair) for pair in ((one, two), (two, one), (one, one))]
        assert answers == [True, False, True]
        assert mirror.count_between(one, two) == 1
        assert mirror.has_commit(one)
        assert not mirror.has_commit("1" * 40)


def test_a_commit_tells_who_when_what(origin: Origin, state: Path) -> None:
    message = "Add é\n\nBecause.\n\nReconciler-Allow: data-loss\nTicket: 7\n"
    head = origin.commit("production", FILES, message=message)
    with mirror_of(origin, state) as mirror:
        info = mirror.commit_info(head)
    assert (info.sha, info.author, info.email) == (head, "Person", "person@farm.internal")
    assert (info.subject, info.time.isoformat()) == ("Add é", "2025-06-01T12:00:01+00:00")
    assert info.trailers == (("Reconciler-Allow", "data-loss"), ("Ticket", "7"))
    assert (info.one("ticket"), info.one("nothing"), info.all("Ticket")) == ("7", None, ("7",))


def test_the_history_of_a_branch_is_newest_first_and_limited(origin: Origin, state: Path) -> None:
    shas = [origin.commit("production", {"farm.yaml": b"%d" % number}) for number in range(4)]
    with mirror_of(origin, state) as mirror:
        assert [info.sha for info in mirror.log("production", 3)] == shas[:0:-1]
        assert mirror.log("nothing", 3) == ()


def test_a_commit_that_is_kept_survives_tidying_after_its_branch(
    origin: Origin, state: Path
) -> None:
    kept = origin.commit("production", {"farm.yaml": b"good"})
    with mirror_of(origin, state) as mirror:
        mirror.keep("production", kept)
        origin.commit("production", FILES, parents=())
        mirror.fetch()
        mirror.git().call("packing", "gc", "--quiet", "--prune=now")
        assert mirror.has_commit(kept)
        mirror.keep("production", mirror.heads()["production"])
        mirror.git().call("packing", "gc", "--quiet", "--prune=now")
        assert not mirror.has_commit(kept)


def test_a_commit_that_is_not_here_cannot_be_kept(origin: Origin, state: Path) -> None:
    origin.commit("production", FILES)
    with mirror_of(origin, state) as mirror:
        assert not mirror.keep("production", "1" * 40)
        assert mirror.git().refs("refs/kept/") == {}


def test_tidying_leaves_everything_readable(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    with mirror_of(origin, state) as mirror:
        mirror.git().tidy()
        assert mirror.tree(head).entries().keys() == FILES.keys()


def test_many_threads_may_use_one_mirror(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    failures: list[BaseException] = []

    def use(mirror: Mirror) -> None:
        try:
            for _ in range(3):
                assert mirror.fetch()["production"] == head
                tree = mirror.tree(head)
                assert len(tree.read(tree.entries().values())) == len(FILES)
        except BaseException as error:  # noqa: BLE001 - it is told in the test's own thread
            failures.append(error)

    with mirror_of(origin, state) as mirror:
        threads = [threading.Thread(target=use, args=(mirror,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failures == []


def test_two_processes_may_share_a_state_directory(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    with mirror_of(origin, state) as one, mirror_of(origin, state) as other:
        assert one.heads() == other.heads() == {"production": head}


def test_a_remote_of_another_user_of_this_machine_is_read(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    with mirror_of(origin, state, fetched=False) as mirror:
        assert str(origin.path) in (state / "settings").read_text("utf-8")
        assert mirror.fetch() == {"production": head}


def test_a_fetch_larger_than_the_limit_is_refused(origin: Origin, state: Path) -> None:
    noise = random.Random(1).randbytes(200_000)
    origin.commit("production", {"noise": noise})
    mirror = Mirror(origin.url, state, deadline=timedelta(seconds=20), pack_limit_bytes=50_000)
    with mirror, pytest.raises(SourceUnavailable, match="raise the limit"):
        mirror.fetch()


def test_a_bad_address_is_refused_at_once(state: Path) -> None:
    with pytest.raises(SettingsError, match="transport helper"):
        Mirror("ext::sh -c id".replace(" ", ""), state)


def test_a_push_that_is_only_tried_changes_nothing(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    with mirror_of(origin, state) as mirror:
        assert mirror.try_push({"refs/heads/reconciler/production": head}) == {}
        assert mirror.poll() == {"production": head}


def test_a_push_that_is_only_tried_tells_of_a_refusal(origin: Origin, state: Path) -> None:
    ref, head = "refs/heads/reconciler/production", origin.commit("production", FILES)
    origin.commit("reconciler/production", {"other": b"x"})
    with mirror_of(origin, state) as mirror:
        assert mirror.try_push({ref: head})[ref].raced


def test_a_remote_that_takes_no_push_is_told_without_one(origin: Origin, state: Path) -> None:
    head = origin.commit("production", FILES)
    with mirror_of(origin, state) as mirror:
        origin.path.rename(origin.path.with_name("elsewhere.git"))
        with pytest.raises(SourceUnavailable):
            mirror.try_push({"refs/heads/reconciler/production": head})
