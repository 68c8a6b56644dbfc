"""`drift.md`: what somebody changed by hand, for people: since when, how it was found, what to do.

Whatever is not ours stands in code spans and code fences, as in comments on pull requests.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.model.standing import Drifted
from reconciler.plan.plan import Change, Plan
from reconciler.plan.show.content import has_text, in_short, text_lines
from reconciler.plan.show.escape import code_span, fence_for, shortened
from reconciler.plan.show.text import LINES_AT_MOST
from reconciler.plan.show.value import worded
from reconciler.plan.show.view import unknown_in

MOST_CHARACTERS = 65_000
FIELDS_AT_MOST = 30
NAMES_AT_MOST = 50
_FOR_MORE = 200
_SHORT = 7
UNSEEN = Drifted("")
_WHAT = {
    Action.CREATE: "is gone",
    Action.UPDATE: "differs",
    Action.MOVE: "is on another host",
    Action.DELETE: "is there",
}


def drift_page(plan: Plan, known: Mapping[Address, Drifted], limit: int = MOST_CHARACTERS) -> str:
    """The drift in a plan as markdown of at most so many characters; what does not fit is counted.

    `known` tells since when each drift has been seen, and how it was found.
    """
    drifted = plan.drifted
    text = _head(plan, len(drifted))
    left = 0
    for change in drifted:
        block = "\n".join(_change(plan, change, known.get(change.address, UNSEEN))) + "\n"
        if left or len(text) + len(block) > limit - _FOR_MORE:
            left += 1
        else:
            text += f"\n{block}"
    if left:
        text += f"\n… {left} more left out, because this page has a largest size.\n"
        text += "`drift.json` has them all.\n"
    for title, names in (("Unknown", unknown_in(plan)), ("Nobody's, left alone", _foreign(plan))):
        block = _listed(title, names)
        text += block if len(text) + len(block) <= limit else ""
    return text


def _head(plan: Plan, number: int) -> str:
    title = f"# Drift of {code_span(plan.environment)}\n\n"
    if not number:
        return f"{title}Nothing drifted.\n"
    what = "One resource differs" if number == 1 else f"{number} resources differ"
    at = f", {code_span(plan.revision[:_SHORT])}" if plan.revision else ""
    return f"{title}{what} from what was applied{at}: the world moved, and not git.\n"


def _change(plan: Plan, change: Change, known: Drifted) -> Iterator[str]:
    yield f"## {code_span(str(change.address))} {_WHAT[change.action]}"
    yield ""
    if known.since:
        since = known.since.replace("T", " ").removesuffix("Z")
        found = f", found by {code_span(known.by)}" if known.by else ""
        yield f"- since {code_span(since)} UTC{found}"
    if change.position:
        yield f"- git says otherwise at {code_span(str(change.position))}"
    yield from _what_to_do(plan, change)
    if change.action is not Action.CREATE:
        yield ""
        yield from _fields(change)


def _what_to_do(plan: Plan, change: Change) -> Iterator[str]:
    if change.held is None:
        yield "- it is healed by the run that found it"
    else:
        word = "" if change.is_ignored else "it stays: "
        yield f"- {word}{code_span(change.held)}"
    environment, address = plan.environment, shlex.quote(str(change.address))
    hold = f"reconciler hold {environment} {address} --reason …"
    if change.held is None:
        yield f"- to have the next one wait for you: {code_span(hold)}"
    if not isinstance(change.observed, ZoneSpec):
        gone = " --gone" if change.action is Action.CREATE else ""
        accept = f"reconciler accept {address}{gone} -e {environment}"
    else:
        accept = f"reconciler accept zone/{shlex.quote(change.address.name)} -e {environment}"
    yield f"- to let git say so instead: {code_span(accept)}"
    yield "- to let it be for a time: a document of kind `Ignore`"


def _fields(change: Change) -> Iterator[str]:
    yield "| field | git says | it is |"
    yield "|---|---|---|"
    texts = []
    for field in change.fields[:FIELDS_AT_MOST]:
        if has_text(field.path, field.before, field.after):
            texts.append(field)
        said, seen = _side(field, field.after), _side(field, field.before)
        yield f"| {_cell(field.path)} | {said} | {seen} |"
    if (more := len(change.fields) - FIELDS_AT_MOST) > 0:
        yield f"\n… {more} more fields"
    for field in texts:
        yield ""
        yield from _text(field)


def _side(field: FieldChange, value: object) -> str:
    if has_text(field.path, field.before, field.after):
        short = in_short(field.path, field.before, field.after) or ""
        return _cell(short if value is field.before else "see below")
    return _cell(worded(field.path, value))


def _cell(text: str) -> str:
    """A cell of a table: a bar would end it, in a code span too."""
    return code_span(text.replace("|", "¦"))


def _text(field: FieldChange) -> Iterator[str]:
    """A text line by line: what git says and is not there, and what is there instead."""
    lines = [f"{mark}{text}" for mark, text in text_lines(field.after, field.before)]
    shown = lines[:LINES_AT_MOST]
    if len(lines) > LINES_AT_MOST:
        shown.append(f"@ {len(lines) - LINES_AT_MOST} more lines")
    fence = fence_for(shown)
    yield f"{code_span(field.path)}:"
    yield ""
    yield f"{fence}diff"
    yield from shown
    yield fence


def _foreign(plan: Plan) -> tuple[str, ...]:
    return tuple(str(address) for address in plan.foreign)


def _listed(title: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    lines = [f"- {code_span(shortened(name))}" for name in names[:NAMES_AT_MOST]]
    if len(names) > NAMES_AT_MOST:
        lines.append(f"- and {len(names) - NAMES_AT_MOST} more")
    return f"\n## {title}\n\n" + "".join(f"{line}\n" for line in lines)
