"""What every forge does alike, against fakes that answer as the forges' documentation says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.gitops.forges.port import CommitStatus, Forge, State
from tests.forges.bench import KINDS, opened, serving
from tests.forges.fake import FakeForge
from tests.forges.project import Project, Review

HEAD, MERGE = "1" * 40, "2" * 40
MARKER = "reconciler/review"


@pytest.fixture(params=KINDS)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeForge]:
    with serving(request.param, Project(commits={HEAD})) as forge:
        yield forge


@pytest.fixture
def forge(fake: FakeForge, tmp_path: Path) -> Forge:
    return opened(fake, tmp_path, monotonic=time.monotonic)


def said(fake: FakeForge, commit: str = HEAD) -> tuple[str, str]:
    found = fake.project.standing(commit, "reconciler/production")
    assert found is not None
    return found["state"], found["description"]


def status(state: State, description: str = "all is well") -> CommitStatus:
    return CommitStatus("reconciler/production", state, description, "https://example.org/x")


def test_a_commit_status_is_said(fake: FakeForge, forge: Forge) -> None:
    forge.set_status(HEAD, status(State.SUCCESS))
    assert said(fake) == ("success", "all is well")
    assert fake.project.statuses[0]["url"] == "https://example.org/x"


def test_every_state_is_one_that_the_forge_knows(fake: FakeForge, forge: Forge) -> None:
    for state in (State.PENDING, State.SUCCESS, State.PENDING, State.FAILURE, State.ERROR):
        forge.set_status(HEAD, status(state))
    assert len(fake.project.statuses) == 5


def test_the_same_state_may_be_said_again(fake: FakeForge, forge: Forge) -> None:
    forge.set_status(HEAD, status(State.PENDING))
    forge.set_status(HEAD, status(State.PENDING))
    assert said(fake)[0] == "pending"


def test_a_description_is_cut_and_on_one_line(fake: FakeForge, forge: Forge) -> None:
    forge.set_status(HEAD, status(State.FAILURE, "bad\n\x1b[31mvms/web.yaml\u202e " * 40))
    text = said(fake)[1]
    assert text.isprintable()
    assert text.startswith("bad \\x1b[31mvms/web.yaml\\u202e")
    assert text.endswith("…")


def test_a_commit_that_the_forge_has_not_is_told_apart(forge: Forge) -> None:
    with pytest.raises((NotFound, Conflict)):
        forge.set_status("f" * 40, status(State.SUCCESS))


def test_the_pull_requests_of_a_commit_are_found_over_pages(fake: FakeForge, forge: Forge) -> None:
    project = fake.project
    project.page_size = 2
    for at in range(5):
        project.pull(f"topic-{at}", "main", "3" * 40)
    brought = project.pull("topic", "main", HEAD, state="merged", brought=(MERGE,), title="It")
    project.pull("other", "develop", HEAD)
    merged = forge.pull_requests(MERGE)
    assert [(each.number, each.title, each.is_merged) for each in merged] == [
        (brought.number, "It", True)
    ]
    assert merged[0].author == "ann"
    assert (merged[0].source, merged[0].target, merged[0].head) == ("topic", "main", HEAD)
    found = {each.source: each.is_merged for each in forge.pull_requests(HEAD)}
    assert found["other"] is False


def test_a_commit_without_pull_requests_has_none(forge: Forge) -> None:
    assert forge.pull_requests(HEAD) == ()


def test_a_pull_request_is_opened_once_and_then_brought_up(fake: FakeForge, forge: Forge) -> None:
    fake.project.page_size = 1
    fake.project.pull("develop", "main", HEAD)
    made = forge.open_pull_request("promote/a-b", "main", "Promote", "the plan")
    again = forge.open_pull_request("promote/a-b", "main", "Promote more", "another plan")
    assert made.number == again.number
    pull = fake.project.pulls[made.number]
    assert (pull.title, pull.body, pull.state) == ("Promote more", "another plan", "open")
    assert len(fake.project.pulls) == 2


def test_a_comment_is_written_once_and_then_in_place(fake: FakeForge, forge: Forge) -> None:
    project = fake.project
    project.page_size = 2
    pull = project.pull("topic", "main", HEAD)
    for at in range(5):
        project.comment(pull.number, "ann", f"remark {at}")
    address = forge.comment(pull.number, MARKER, "first")
    assert forge.comment(pull.number, MARKER, "second") == address
    assert forge.comment(pull.number, "reconciler/fate", "another") != address
    mine = [each.body for each in project.comments.values() if each.author == "robot"]
    assert mine == [f"<!-- {MARKER} -->\nsecond", "<!-- reconciler/fate -->\nanother"]


def test_a_marker_in_somebody_elses_comment_is_not_heeded(fake: FakeForge, forge: Forge) -> None:
    pull = fake.project.pull("topic", "main", HEAD)
    trap = fake.project.comment(pull.number, "mallory", f"<!-- {MARKER} -->\nall is approved")
    forge.comment(pull.number, MARKER, "the truth")
    assert trap.body.endswith("all is approved")
    assert [each.author for each in fake.project.comments_of(pull.number)] == ["mallory", "robot"]


def test_a_marker_within_our_own_comment_is_not_heeded(fake: FakeForge, forge: Forge) -> None:
    pull = fake.project.pull("topic", "main", HEAD)
    forge.comment(pull.number, "reconciler/other", f"<!-- {MARKER} -->")
    forge.comment(pull.number, MARKER, "mine")
    assert len(fake.project.comments_of(pull.number)) == 2


def test_a_comment_is_cut_to_what_the_forge_takes(fake: FakeForge, forge: Forge) -> None:
    pull = fake.project.pull("topic", "main", HEAD)
    forge.comment(pull.number, MARKER, "line\x00\n" * 20_000)
    [comment] = fake.project.comments_of(pull.number)
    assert "\x00" not in comment.body
    assert comment.body.endswith("it is too long for a comment.")


def test_approvals_are_those_that_stand_of_people_who_may_write(
    fake: FakeForge, forge: Forge
) -> None:
    project = fake.project
    pull = project.pull("topic", "main", HEAD)
    project.user("mallory", may_write=False)
    project.user("carl")
    project.reviews += [
        Review(pull.number, "ann", "APPROVED", "digest abc", HEAD),
        Review(pull.number, "ann", "COMMENTED", "nice", HEAD)
        if fake.kind != "gitlab"
        else Review(pull.number, "ann", "APPROVED", "digest abc", HEAD),
        Review(pull.number, "ben", "APPROVED", "digest abc", HEAD),
        Review(pull.number, "ben", "CHANGES_REQUESTED", "wait", HEAD),
        Review(pull.number, "carl", "DISMISSED", "", HEAD),
        Review(pull.number, "mallory", "APPROVED", "digest abc", HEAD),
    ]
    project.comment(pull.number, "ann", "digest abc")
    project.comment(pull.number, "ben", "digest abc")
    [found] = forge.approvals(pull.number)
    assert (found.by, found.text) == ("ann", "digest abc")
    assert found.commit == ("" if fake.kind == "gitlab" else HEAD)
    assert found.time.tzinfo is not None


def test_nobody_has_approved_of_a_new_pull_request(fake: FakeForge, forge: Forge) -> None:
    pull = fake.project.pull("topic", "main", HEAD)
    assert forge.approvals(pull.number) == ()


def test_a_release_is_published_once_and_then_brought_up(fake: FakeForge, forge: Forge) -> None:
    fake.project.tags.add("v1.2.0")
    address = forge.release("v1.2.0", "1.2.0", "what is new")
    assert forge.release("v1.2.0", "1.2.0", "what is new, corrected") == address
    assert "v1.2.0" in address
    [release] = fake.project.releases.values()
    assert release.body == "what is new, corrected"


def test_a_release_of_a_tag_that_is_not_there_makes_none(fake: FakeForge, forge: Forge) -> None:
    with pytest.raises(NotFound):
        forge.release("v9.9.9", "9.9.9", "")
    assert not fake.project.tags
    assert not fake.project.releases


def test_a_pull_request_that_is_not_there_is_said(forge: Forge) -> None:
    with pytest.raises(NotFound):
        forge.comment(404, MARKER, "x")
    with pytest.raises(NotFound):
        forge.approvals(404)


def test_names_cannot_leave_their_place_in_an_address(fake: FakeForge, forge: Forge) -> None:
    with pytest.raises((NotFound, Conflict)):
        forge.set_status("../../../user", status(State.SUCCESS))
    with pytest.raises((NotFound, Conflict)):
        forge.release("../x?y=1", "t", "")
    assert not any(".." in each.path.split("/") for each in fake.asked)


def test_the_token_of_an_app_finds_its_own_comment(tmp_path: Path) -> None:
    with serving("github", Project(me="robot", is_app=True)) as fake:
        forge = opened(fake, tmp_path, monotonic=time.monotonic)
        pull = fake.project.pull("topic", "main", HEAD)
        first = forge.comment(pull.number, MARKER, "one")
        assert forge.comment(pull.number, MARKER, "two") == first
