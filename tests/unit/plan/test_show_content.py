"""How a difference of file contents is shown: line by line, in short, and never a secret."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.content import Mark, difference, has_text, text_lines
from reconciler.plan.show.json import plan_json
from reconciler.plan.show.markdown import plan_markdown
from reconciler.plan.show.notices import plan_notices
from reconciler.plan.show.text import LineKind, plan_lines, plan_text

OLD = "".join(f"line {number}\n" for number in range(1, 31))
NEW = OLD.replace("line 9\n", "line nine\nand more\n").replace("line 30\n", "")
OLD_VERSION, NEW_VERSION = "0" * 16, "f" * 16
HOSTILE = "\x1b[2J ```\n::set-env name=A::b\n</details> @everyone\n\u202egnp.exe\n##[add-mask]x\n"


def shown(before: object, after: object) -> list[str]:
    return [f"{mark}{text}" for mark, text in text_lines(before, after)]


def change(*fields: FieldChange, action: Action = Action.UPDATE) -> Plan:
    address = Address("file", "etc-app.conf", "virt1")
    return Plan("production", "", (Change(address, action, Cause.PENDING, fields, ()),))


def test_lines_that_differ_are_shown_with_three_around_them() -> None:
    assert shown(OLD, NEW) == [
        "@5 lines are the same",
        *(" line 6", " line 7", " line 8"),
        "-line 9",
        *("+line nine", "+and more"),
        *(" line 10", " line 11", " line 12"),
        "@14 lines are the same",
        *(" line 27", " line 28", " line 29"),
        "-line 30",
    ]


def test_a_line_end_that_is_missing_is_told() -> None:
    assert shown("a\nb\n", "a\nb") == [" a", "-b", "+b (no line end)"]


def test_of_a_new_file_all_lines_are_new_and_of_one_that_goes_all_go() -> None:
    assert shown(None, "a\nb\n") == ["+a", "+b"]
    assert shown("a\nb\n", None) == ["-a", "-b"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (OLD, NEW, "content: 3 lines differ"),
        ("a\n", "b\n", "content: 1 line differs"),
        (None, "a\nb\n", "content: 2 lines"),
        ("a\nb\n", None, "content: 2 lines → (none)"),
        ("a\nsecret://db/x\n", "a\nsecret://db/y\n", "content: differs in what is hidden"),
        (f"sha256:{'a' * 64}", "a\nb\n", f"content: sha256:{'a' * 64} → 2 lines"),
        (
            "changed by hand (fingerprint 0123456789ab)",
            "a\n",
            "content: changed by hand (fingerprint 0123456789ab) → 1 line",
        ),
        ("one", "two", "content: one → two"),
    ],
)
def test_in_short_it_is_told_how_much_differs(before: object, after: object, said: str) -> None:
    assert difference(FieldChange("content", before, after)) == said


def test_only_the_content_of_files_is_a_text() -> None:
    assert has_text("content", "a\n", "b\n")
    assert not has_text("description", "a\n", "b\n")
    assert not has_text("content", "abc", "def")
    assert not has_text("content", ["a\n"], "b\n")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([f"db/a@{OLD_VERSION}"], [f"db/a@{NEW_VERSION}"], f"{OLD_VERSION} → {NEW_VERSION}"),
        (None, [f"db/a@{NEW_VERSION}"], f"db/a: version {NEW_VERSION}"),
        ([f"db/a@{OLD_VERSION}"], [], "db/a: no longer used"),
        ([], [f"db/{n}@{NEW_VERSION}" for n in range(9)], "and 4 more"),
    ],
)
def test_secrets_are_told_by_their_versions(before: object, after: object, said: str) -> None:
    told = difference(FieldChange("secrets", before, after))
    assert told.startswith("secrets: db/")
    assert said in told


def test_references_are_masked_for_people_and_kept_for_programs() -> None:
    field = FieldChange("content", None, "user = a\npassword = secret://db/password.\n")
    plan = change(field, action=Action.CREATE)
    for text in (plan_text(plan), plan_markdown(plan)):
        assert "+password = ••••." in text
        assert "secret://" not in text
    assert plan_json(plan)["changes"][0]["fields"][0]["after"] == field.after


def test_versions_are_hidden_from_nobody() -> None:
    labels = [f"db/a@{NEW_VERSION}", f"db/b@{NEW_VERSION}"]
    plan = change(FieldChange("secrets", None, labels), action=Action.CREATE)
    assert f"- db/a: version {NEW_VERSION}\n" in plan_text(plan)
    assert plan_json(plan)["changes"][0]["fields"][0]["after"] == labels
    unlike = change(FieldChange("secrets", None, ["hunter2"]))
    assert "hunter2" not in plan_text(unlike) + str(plan_json(unlike))


def test_a_login_in_a_content_is_hidden() -> None:
    plan = change(FieldChange("content", None, "url = https://bot:hunter2@farm.internal\n"))
    assert "hunter2" not in plan_text(plan) + str(plan_json(plan))
    only = FieldChange("content", "https://a:b@c\n", "https://a:d@c\n")
    assert difference(only) == "content: differs in what is hidden"


def test_hostile_lines_are_harmless_in_every_format() -> None:
    plan = change(FieldChange("content", "safe\n", HOSTILE))
    text, page = plan_text(plan), plan_markdown(plan)
    for shape in (text, page):
        assert "\x1b" not in shape
        assert "\u202e" not in shape
        assert not any(line.lstrip().startswith("::") for line in shape.splitlines())
        assert "##[" not in shape
    assert "````diff" in page
    (notice,) = plan_notices(plan)
    assert "5 lines differ" in notice.message


def test_lines_are_cut_and_so_is_their_number() -> None:
    long = change(FieldChange("content", None, "x" * 1000 + "\n"))
    assert "… (800 more characters)" in plan_text(long)
    many = change(FieldChange("content", None, OLD * 10))
    assert "more lines; the JSON format has them all" in plan_text(many)


def test_kinds_of_lines_tell_what_is_new_and_what_goes() -> None:
    kinds = {line.kind for line in plan_lines(change(FieldChange("content", OLD, NEW)))}
    assert {LineKind.ADDED, LineKind.REMOVED, LineKind.CONTEXT} <= kinds


def test_what_is_deleted_is_told_by_its_length() -> None:
    plan = change(FieldChange("content", OLD, None), action=Action.DELETE)
    assert "content: 30 lines" in plan_text(plan)
    assert "line 7" not in plan_text(plan)


@pytest.mark.parametrize("period", [1, 2, 3, 7])
def test_texts_that_are_hard_to_compare_are_not_compared(period: int) -> None:
    old = "".join(f"{number % period}\n" for number in range(30_000))
    new = "".join(f"{number * 7 % (period + 1)}\n" for number in range(30_000))
    marks = Counter(mark for mark, _ in text_lines(old, new))
    assert marks[Mark.GONE] + marks[Mark.SAME] <= 30_000
    assert marks[Mark.GONE] > 29_900
    assert marks[Mark.NEW] > 29_900


def test_the_digest_of_a_plan_is_another_when_only_what_is_hidden_differs() -> None:
    one = change(FieldChange("content", "secret://db/a\n", "secret://db/b\n"))
    other = change(FieldChange("content", "secret://db/a\n", "secret://db/c\n"))
    assert one.digest != other.digest
    assert replace(one).digest == one.digest
