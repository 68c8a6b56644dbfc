"""`review` tells the forge: one status, and one comment that is kept up to date."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forges.bench import KINDS, serving, token_file
from tests.forges.fake import FakeForge
from tests.forges.misbehaving import answering, page
from tests.forges.project import Project, Pull
from tests.story.desk import STACK, WEB, Desk
from tests.story.reviewing import Review, branch, review
from tests.story.test_ci import github, run, workspace

CONTEXT = "reconciler/production/plan"


NUMBER = 7


def project() -> Project:
    pull = Pull(NUMBER, "feature/more", "production", "")
    return Project(any_commit=True, pulls={NUMBER: pull})


@pytest.fixture(params=KINDS)
def forge(request: pytest.FixtureRequest) -> Iterator[FakeForge]:
    with serving(request.param, project()) as fake:
        yield fake


@pytest.fixture
def one_forge() -> Iterator[FakeForge]:
    with serving("github", project()) as fake:
        yield fake


def posted(desk: Desk, fake: FakeForge) -> Review:
    token = token_file(desk.root)
    options = ("--forge", fake.kind, "--forge-url", fake.url, "--forge-project", "acme/farm")
    return review(
        desk,
        "feature/more",
        *options,
        "--forge-token-file",
        str(token),
        "--pull-request",
        f"{NUMBER}",
    )


def proposed(desk: Desk) -> str:
    branch(desk, "feature/more")
    return desk.edit(WEB, "size: 8 GiB", "size: 12 GiB", branch="feature/more")


def bodies(fake: FakeForge) -> list[str]:
    return [each.body for each in fake.project.comments_of(NUMBER)]


def test_a_pull_request_gets_a_status_and_a_comment(desk: Desk, forge: FakeForge) -> None:
    head = proposed(desk)
    seen = posted(desk, forge)
    assert seen.done.exit_code == 0, seen.done.output
    status = forge.project.standing(head, CONTEXT)
    assert status is not None
    assert status["state"] == "success"
    assert status["description"].startswith("1 change: 1 to update; digest ")
    assert bodies(forge) == [f"<!-- reconciler:review -->\n{seen.page}".rstrip("\n")]


def test_the_comment_is_brought_up_to_date_in_place(desk: Desk, forge: FakeForge) -> None:
    proposed(desk)
    posted(desk, forge)
    head = desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB", branch="feature/more")
    assert posted(desk, forge).done.exit_code == 1
    [body] = bodies(forge)
    assert f"{STACK}:7:1: Stack has no key 'memmory'" in body
    assert "No plan for `production`" in body
    status = forge.project.standing(head, CONTEXT)
    assert status is not None
    assert status["state"] in {"failure", "failed"}
    assert status["description"].startswith("1 problem; first: ")


def test_options_stand_over_the_settings(desk: Desk, one_forge: FakeForge) -> None:
    head = proposed(desk)
    text = desk.settings.read_text("utf-8")
    forge = "forge: {kind: gitlab, project: some/thing, deadline: 7s}\n"
    desk.settings.write_text(text + forge, encoding="utf-8")
    assert posted(desk, one_forge).done.exit_code == 0
    assert one_forge.project.standing(head, CONTEXT) is not None


def test_a_forge_that_refuses_fails_no_job(desk: Desk, one_forge: FakeForge) -> None:
    proposed(desk)
    one_forge.fault = answering(403, {"message": "Resource not accessible by integration"})
    seen = posted(desk, one_forge)
    assert seen.done.exit_code == 0
    assert seen.done.stderr.count("could not be posted") == 2
    assert seen.page.startswith("### Plan for")


def test_a_forge_that_talks_nonsense_fails_no_job(desk: Desk, one_forge: FakeForge) -> None:
    proposed(desk)
    one_forge.fault = page
    assert posted(desk, one_forge).done.exit_code == 0


def test_the_script_of_a_runner_posts_with_its_token(desk: Desk, one_forge: FakeForge) -> None:
    head = proposed(desk)
    token = token_file(desk.root).read_text("ascii").strip()
    variables = {
        **github(head),
        "GITHUB_API_URL": one_forge.url,
        "GITHUB_REPOSITORY": "acme/farm",
        "RECONCILER_TOKEN": token,
    }
    done = run(workspace(desk, head), variables)
    assert done.returncode == 0, done.stderr
    assert one_forge.project.standing(head, CONTEXT) is not None
    assert len(bodies(one_forge)) == 1
    assert token not in done.stdout + done.stderr
