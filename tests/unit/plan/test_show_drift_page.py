"""`drift.md`: what people read of a drift, whatever hostile values stand in it."""

from __future__ import annotations

import re

import pytest

from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.model.position import Position
from reconciler.model.standing import Drifted
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.drift_page import drift_page

WEB = Address("domain", "web-1")
MEMORY = FieldChange("memory_bytes", 1 << 30, 2 << 30)
HELD = "held by Ada until it is released: disks"
PAYLOADS = (
    "</summary><script>alert(1)</script>",
    "``` \n# Owned",
    "a | b | c",
    "@everyone [x](http://evil)",
    "\x1b[2J\x9b31m",
    "\u202egnp.exe",
    "##[error]x",
    "`" * 40,
)


def change(*fields: FieldChange, held: str | None = None, action: Action = Action.UPDATE) -> Change:
    place = Position("vms/web-1.yaml", 3, 1)
    return Change(WEB, action, Cause.DRIFT, fields, (), position=place, held=held)


def page(*changes: Change, limit: int = 65_000) -> str:
    known = {WEB: Drifted("2026-01-02T03:04:05Z", "inotify within 1.0 s")}
    return drift_page(Plan("production", "a" * 40, changes), known, limit)


def test_a_person_finds_all_that_there_is_to_know() -> None:
    assert page(change(MEMORY)) == (
        "# Drift of `production`\n\n"
        "One resource differs from what was applied, `aaaaaaa`: the world moved, and not git.\n\n"
        "## `domain/web-1` differs\n\n"
        "- since `2026-01-02 03:04:05` UTC, found by `inotify within 1.0 s`\n"
        "- git says otherwise at `vms/web-1.yaml:3:1`\n"
        "- it is healed by the run that found it\n"
        "- to have the next one wait for you: "
        "`reconciler hold production domain/web-1 --reason …`\n"
        "- to let git say so instead: `reconciler accept domain/web-1 -e production`\n"
        "- to let it be for a time: a document of kind `Ignore`\n\n"
        "| field | git says | it is |\n|---|---|---|\n"
        "| `memory_bytes` | `2 GiB` | `1 GiB` |\n"
    )


def test_what_is_held_says_why() -> None:
    said = page(change(MEMORY, held=HELD))
    assert f"- it stays: `{HELD}`" in said
    assert "to have the next one wait" not in said


def test_what_is_gone_is_accepted_with_gone() -> None:
    said = page(change(MEMORY, action=Action.CREATE))
    assert "## `domain/web-1` is gone" in said
    assert "`reconciler accept domain/web-1 --gone -e production`" in said


def test_what_only_git_changed_is_not_in_it() -> None:
    pending = Change(WEB, Action.UPDATE, Cause.PENDING, (MEMORY,), ())
    assert page(pending) == "# Drift of `production`\n\nNothing drifted.\n"


def test_a_text_is_shown_line_by_line() -> None:
    said = page(change(FieldChange("content", "a\nc\n", "a\nb\n")))
    assert "`content`:\n\n```diff\n a\n-b\n+c\n```" in said


def test_a_zone_is_accepted_by_its_name() -> None:
    zone = Address("zone", "farm.internal")
    seen = ZoneSpec("ns", "farm.internal", None, ())
    drifted = Change(zone, Action.UPDATE, Cause.DRIFT, (MEMORY,), (), observed=seen)
    assert "`reconciler accept zone/farm.internal -e production`" in page(drifted)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_S28_nothing_in_a_value_is_markup(payload: str) -> None:
    fields = (FieldChange("title", payload, "x"), FieldChange("content", f"a\n{payload}", "a\n"))
    said = page(change(*fields, held=payload))
    outside = _outside_code(said)
    for part in ("script", "Owned", "@everyone", "evil", "\x1b", "\x9b", "\u202e", "##["):
        assert part not in outside
    for row in (line for line in said.splitlines() if line.startswith("| ")):
        assert row.count("|") == 4


@pytest.mark.parametrize("limit", [1_000, 5_000])
def test_it_is_never_too_large_and_says_what_is_missing(limit: int) -> None:
    many = [change(FieldChange(f"field{n}", "x" * 300, "y")) for n in range(100)]
    said = page(*many, limit=limit)
    assert len(said) <= limit
    assert re.search(r"… \d+ more left out", said)


def _outside_code(text: str) -> str:
    """What a forge would take for markup: not in a fence, nor in a code span."""
    without = re.sub(r"^(`{3,})diff\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", without)
