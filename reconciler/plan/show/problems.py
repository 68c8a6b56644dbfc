"""The problems of a config repository: as text, JSON and markdown."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict  # as in reconciler.plan.show.json

from reconciler.model.position import Problem
from reconciler.plan.show.background import NOTHING, Background
from reconciler.plan.show.escape import code_span, shortened
from reconciler.plan.show.json import SourceDocument, source
from reconciler.plan.show.markdown import MOST_CHARACTERS, Section, page
from reconciler.plan.show.text import BLANK, Line, LineKind, plain


class ProblemDocument(TypedDict):
    """One thing that is wrong."""

    source: SourceDocument | None
    what: str
    remedy: str


class ProblemsDocument(TypedDict):
    """All that is wrong."""

    problems: list[ProblemDocument]


def problem_lines(problems: Sequence[Problem]) -> tuple[Line, ...]:
    """Each problem with its place first, as compilers write it; then how many there are."""
    lines: list[Line] = []
    for problem in problems:
        where = shortened(str(problem.position))
        lines.append(Line(LineKind.PROBLEM, f"{where}: {shortened(problem.what)}"))
        if problem.remedy:
            lines.append(Line(LineKind.REMEDY, shortened(problem.remedy), 2))
    if problems:
        lines.append(BLANK)
    return (*lines, Line(LineKind.SUMMARY, _summary(problems)))


def problems_text(problems: Sequence[Problem]) -> str:
    """The problems as plain text."""
    return plain(problem_lines(problems))


def problems_json(problems: Sequence[Problem]) -> ProblemsDocument:
    """The problems as a document for JSON."""
    return {
        "problems": [
            {"source": source(each.position), "what": each.what, "remedy": each.remedy}
            for each in problems
        ]
    }


def problems_markdown(
    problems: Sequence[Problem],
    *,
    limit: int = MOST_CHARACTERS,
    environment: str = "",
    background: Background = NOTHING,
) -> str:
    """The problems as markdown of at most `limit` characters, of an environment's plan if given."""
    blocks = (plain(problem_lines([each])[:-2]).rstrip("\n") for each in problems)
    name = "Each with its place and what to do:"
    sections = [Section(name, len(problems), blocks, folded=False, language="text")]
    about = f"No plan for {code_span(environment)}: " if environment and problems else ""
    told = "".join(f"\n{sentence}.\n" for sentence in background.told(code_span))
    return page(f"### {about}{_summary(problems)}\n{told}", sections, limit)


def _summary(problems: Sequence[Problem]) -> str:
    if not problems:
        return "No problems"
    files = len({problem.position.file for problem in problems})
    return f"{_count(len(problems), 'problem')} in {_count(files, 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
