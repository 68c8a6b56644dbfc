"""A plan as a comment on a pull request: short at first sight, everything else folded away.

Whatever is not ours stands in a code span or a code fence, where a forge sees no markup, mention,
link or quick action. A comment has a largest size; what does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.change import Action
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Change, Plan
from reconciler.plan.show.background import NOTHING, Background, share_of
from reconciler.plan.show.escape import code_span, fence_for, shortened
from reconciler.plan.show.text import Line, change_lines, plain, violation_lines, word_lines
from reconciler.plan.show.view import (
    View,
    changes_in,
    count,
    foreign_in,
    notes_in,
    title,
    unknown_in,
)

MOST_CHARACTERS = 65_000
_FOR_MORE = 200  # the room that is kept for saying that something was left out
_COLUMNS = (*(action.value for action in Action), "unchanged", "held", "unknown")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the comment: its title, and texts that are shown whole or not at all.

    There are `number` texts; no more of them are made than fit.
    """

    title: str
    number: int
    blocks: Iterable[str]
    folded: bool = True
    language: str = "diff"


def plan_markdown(
    plan: Plan,
    violations: Sequence[Violation] = (),
    *,
    view: View = View.PLAN,
    limit: int = MOST_CHARACTERS,
    background: Background = NOTHING,
) -> str:
    """A plan as markdown of at most `limit` characters (but never less than its heading)."""
    what, environment, revision = title(plan, view)
    heading = f"### {what} {code_span(environment)}"
    heading += f" at {code_span(revision)}" if revision and not background.merge else ""
    told = "".join(f"\n{sentence}.\n" for sentence in background.told(code_span))
    changes = changes_in(plan, view)
    counts = [count(changes, action) for action in Action]
    held = sum(change.held is not None for change in changes)
    table = _table([*counts, plan.unchanged, held, len(plan.unknown)])
    head = f"{heading}\n{told}\n{table}"
    if view is View.PLAN:
        asked = f", to approve {code_span(plan.approval_digest)}" if plan.asked else ""
        head += f"\nDigest {code_span(plan.digest)}{asked}\n"
    return page(head, _sections(plan, violations, view, background), limit)


def page(head: str, sections: Iterable[Section], limit: int = MOST_CHARACTERS) -> str:
    """The head and as much of the sections as fits, with what was left out counted."""
    text, left = head, 0
    for section in sections:
        shown = () if left else _fitting(section, limit - len(text) - _FOR_MORE)
        left += section.number - len(shown)
        if shown:
            text += _rendered(section, shown)
    if left:
        text += f"\n… {left} more left out, because a comment has a largest size.\n"
        text += "The JSON format has them all.\n"
    return text


def _sections(
    plan: Plan, violations: Sequence[Violation], view: View, background: Background
) -> Iterator[Section]:
    if violations:
        noun = "violation" if len(violations) == 1 else "violations"
        name = f"**{len(violations)} {noun}: the plan is not applied**"
        blocks = (_block(violation_lines(violation)) for violation in violations)
        yield Section(name, len(violations), blocks, folded=False, language="text")
    if background.words:
        name, number = "**Before it is merged**", len(background.words)
        blocks = (_block(word_lines(word)) for word in background.words)
        yield Section(name, number, blocks, folded=False, language="text")
    share = share_of(changes_in(plan, view), background)
    for action in Action:
        changes = [change for change in share.own if change.action is action]
        yield _changed(f"{len(changes)} to {action}", changes)
    yield _changed(f"{len(share.waiting)} waiting already, without this branch", share.waiting)
    yield _changed(f"{len(share.drifted)} drifted from what was applied", share.drifted)
    unknown = (shortened(each) for each in unknown_in(plan))
    number = len(plan.unknown)
    yield Section(f"{number} unknown", number, unknown, language="text")
    foreign = foreign_in(plan, view)
    names = (shortened(str(address)) for address in foreign)
    yield Section(f"{len(foreign)} foreign, left alone", len(foreign), names, language="text")
    told = [shortened(f"{note.position}: {note.what}") for note in notes_in(plan, view)]
    yield Section(f"{len(told)} good to know", len(told), told, language="text")


def _changed(name: str, changes: Sequence[Change]) -> Section:
    blocks = (_block(change_lines(change)) for change in changes)
    return Section(name, len(changes), blocks)


def _block(lines: Iterable[Line]) -> str:
    return plain(lines).rstrip("\n")


def _table(counts: Iterable[int]) -> str:
    rows = [_COLUMNS, ["---:"] * len(_COLUMNS), map(str, counts)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _fitting(section: Section, room: int) -> tuple[str, ...]:
    """The first blocks that fit into `room` characters together with what is around them."""
    room -= len(_rendered(section, ()))
    fence = fence_for(())
    shown: list[str] = []
    for block in section.blocks:
        longer = max(fence, fence_for([block]), key=len)
        room -= len(block) + len("\n") + 2 * (len(longer) - len(fence))
        if room < 0:
            break
        fence = longer
        shown.append(block)
    return tuple(shown)


def _rendered(section: Section, blocks: Sequence[str]) -> str:
    fence = fence_for(blocks)
    body = "".join(f"{block}\n" for block in blocks)
    fenced = f"{fence}{section.language}\n{body}{fence}\n"
    if not section.folded:
        return f"\n{section.title}\n\n{fenced}"
    summary = f"<summary>{section.title}</summary>"
    return f"\n<details>{summary}\n\n{fenced}\n</details>\n"
