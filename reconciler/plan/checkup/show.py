"""Findings for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from typing_extensions import TypedDict

from reconciler.plan.checkup.finding import HERE, Finding, Level, is_sound
from reconciler.plan.show.escape import shortened

MARKS = {Level.OK: "ok  ", Level.WARN: "warn", Level.BAD: "BAD "}
_NAME_WIDTH = 20


class FindingDocument(TypedDict):
    """One finding as JSON."""

    subject: str
    name: str
    level: str
    text: str
    remedy: str


class CheckupDocument(TypedDict):
    """All findings as JSON."""

    sound: bool
    findings: list[FindingDocument]


def checkup_document(findings: Sequence[Finding]) -> CheckupDocument:
    """The findings for programs."""
    return {
        "sound": is_sound(findings),
        "findings": [
            {
                "subject": each.subject,
                "name": each.name,
                "level": each.level.value,
                "text": shortened(each.text),
                "remedy": shortened(each.remedy),
            }
            for each in findings
        ],
    }


def checkup_lines(findings: Sequence[Finding]) -> Iterator[tuple[str, Level | None]]:
    """The findings for people: each line with its level, headings with none."""
    for subject, some in groupby(findings, key=lambda each: each.subject):
        yield "this machine and the repository" if subject == HERE else subject, None
        for each in some:
            yield (
                f"  {MARKS[each.level]}  {each.name:{_NAME_WIDTH}} {shortened(each.text)}",
                each.level,
            )
            if each.remedy:
                yield f"  {'':{_NAME_WIDTH + 6}} -> {shortened(each.remedy)}", each.level
    yield summary(findings), None


def summary(findings: Sequence[Finding]) -> str:
    """All in one line."""
    bad = sum(each.level is Level.BAD for each in findings)
    warned = sum(each.level is Level.WARN for each in findings)
    if not bad and not warned:
        return f"{len(findings)} looked at, all well"
    parts = [f"{bad} in the way of a sync"] if bad else []
    parts += [f"{warned} worth knowing"] if warned else []
    return f"{len(findings)} looked at: {', '.join(parts)}"
