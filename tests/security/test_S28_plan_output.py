"""S28: who writes a pull request, or names a thing on a host, cannot attack who reads the plan.

Planning and showing touch neither network nor processes nor files, and no text gets out of the
place where it is quoted: not of a code fence, not of a line, not into a runner's commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from reconciler.model.address import Scope
from reconciler.model.change import Action
from reconciler.model.position import Position, Problem
from reconciler.plan.inventory import load_world, world_files
from reconciler.plan.show.json import drift_document, json_text, plan_json
from reconciler.plan.show.junit import junit
from reconciler.plan.show.markdown import MOST_CHARACTERS, plan_markdown
from reconciler.plan.show.notices import plan_notices, problem_notices
from reconciler.plan.show.problems import problems_json, problems_markdown, problems_text
from reconciler.plan.show.sarif import sarif
from reconciler.plan.show.text import plan_text
from reconciler.plan.show.view import View
from tests.golden.plan.cases import CASES
from tests.security.payloads import OURS, PAYLOADS, hostile_plan, tokens_of

_PIECES = [*"`@<>/[]()|:#\\&!*_~-+ \n\r\t\x1b\u202e", "```", "</details>", "::", "http://a"]
hostile_text = st.sampled_from(PAYLOADS) | st.lists(st.sampled_from(_PIECES), max_size=30).map(
    "".join
)


def as_markdown(text: str) -> list[str]:
    plan, violations = hostile_plan(text)
    problems = [Problem(Position(text), text, text)]
    drift = plan_markdown(plan, violations, view=View.DRIFT)
    return [plan_markdown(plan, violations), drift, problems_markdown(problems)]


def as_lines(text: str) -> list[str]:
    """Everything that may be printed into the log of a job."""
    plan, violations = hostile_plan(text)
    problems = [Problem(Position(text), text, text)]
    notices = (*plan_notices(plan, violations), *problem_notices(problems))
    shown = [
        *as_markdown(text),
        plan_text(plan, violations),
        plan_text(plan, violations, view=View.DRIFT),
        problems_text(problems),
        json_text(plan_json(plan, violations)),
        json_text(drift_document(plan)),
        json_text(problems_json(problems)),
        json_text(sarif(notices, category="plan")),
        junit(notices, suite=text).decode(),
    ]
    return [line for each in shown for line in each.split("\n")]


@given(hostile_text)
@settings(max_examples=60, deadline=None)
def test_markdown_holds_no_markup_but_ours(text: str) -> None:
    for markdown in as_markdown(text):
        for token in tokens_of(markdown):
            assert token.type not in {"link_open", "image", "html_inline"}
            if token.type == "html_block":
                assert token.content.split("<summary>")[0].strip() in OURS
            if token.type == "text" and token.content:
                assert "@" not in token.content
                assert "http" not in token.content


@pytest.mark.parametrize("text", PAYLOADS)
def test_every_fence_of_a_comment_is_closed_where_we_close_it(text: str) -> None:
    plan, violations = hostile_plan(text)
    fences = [t for t in tokens_of(plan_markdown(plan, violations)) if t.type == "fence"]
    assert [fence.info for fence in fences] == ["text", *["diff"] * len(Action), "text"]


@pytest.mark.parametrize("text", PAYLOADS)
def test_comment_stays_below_the_largest_size(text: str) -> None:
    plan, violations = hostile_plan(text)
    plan = replace(plan, changes=plan.changes * 50, unknown=plan.unknown * 200)
    assert len(plan_markdown(plan, violations * 50)) <= MOST_CHARACTERS
    assert len(problems_markdown([Problem(Position(text), text, text)] * 500)) <= MOST_CHARACTERS


@given(hostile_text)
@settings(max_examples=60, deadline=None)
def test_no_line_is_a_command_to_a_runner(text: str) -> None:
    for line in as_lines(text):
        assert not line.lstrip().startswith("::")
        assert not any(mark in line for mark in ("##[", "##vso[", "##teamcity["))


@given(hostile_text)
@settings(max_examples=60, deadline=None)
def test_no_line_does_anything_to_a_terminal(text: str) -> None:
    assert all(line.isprintable() for line in as_lines(text))


@pytest.mark.parametrize("text", PAYLOADS)
def test_junit_has_the_elements_that_we_put_there(text: str) -> None:
    plan, violations = hostile_plan(text)
    report = etree.fromstring(junit(plan_notices(plan, violations), suite=text))
    assert {element.tag for element in report.iter()} == {
        *("testsuites", "testsuite", "testcase"),
        *("failure", "error", "system-out"),
    }


@contextmanager
def audited(recorded: list[str]) -> Iterator[None]:
    """Record what reaches for the network, for processes or for files to write.

    An audit hook cannot be taken away again, so it is told when to be silent.
    """
    listening = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not listening:
            return
        writes = (
            event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        )
        if writes or event.startswith(
            ("socket.", "subprocess.", "os.exec", "os.fork", "os.system")
        ):
            recorded.append(f"{event} {arguments!r}")

    sys.addaudithook(hook)
    try:
        yield
    finally:
        listening = False


def plan_and_show(name: str) -> None:
    """All that a pull request's plan does between the journal's files and the comment."""
    case = CASES[name]()
    world = load_world(world_files(case.world, case.scopes))
    plan, violations = case.plan(world), case.violations()
    notices = plan_notices(plan, violations)
    junit(notices, suite="plan")
    json_text(sarif(notices, category="plan"))
    json_text(plan_json(plan, violations))
    for view in View:
        plan_text(plan, violations, view=view)
        plan_markdown(plan, violations, view=view)


@pytest.mark.parametrize("name", sorted(CASES))
def test_planning_and_showing_reach_for_nothing(name: str) -> None:
    plan_and_show(name)  # what is imported late may write its bytecode
    recorded: list[str] = []
    with audited(recorded):
        plan_and_show(name)
    assert recorded == []


def _connect() -> None:
    import socket

    socket.socket().close()


def _write() -> None:
    with open("/dev/null", "w", encoding="utf-8"):  # noqa: PTH123 (the event of open itself)
        pass


@pytest.mark.parametrize("deed", [_connect, _write])
def test_the_audit_sees_what_it_is_there_to_see(deed: Callable[[], None]) -> None:
    recorded: list[str] = []
    with audited(recorded):
        deed()
    deed()
    assert len(recorded) == 1


def test_reason_of_an_unknown_host_does_not_get_out_of_its_file() -> None:
    host = Scope("host", "virt1")
    case = CASES["hostile"]()
    files = world_files(case.world, {*case.scopes, host})
    assert all(
        line.isprintable() for content in files.values() for line in content.decode().split("\n")
    )
