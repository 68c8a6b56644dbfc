"""Look at the world: every scope at once, each in its own thread and each allowed to fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from reconciler.errors import DriverError, NotFound
from reconciler.kinds import KIND_BY_NAME, KINDS
from reconciler.kinds.protocol import NO_FACTS
from reconciler.model.address import Scope
from reconciler.model.resource import Desired, World
from reconciler.ports.facts import SECRET, Question
from reconciler.ports.world import Ports

Questions = Mapping[Scope, frozenset[Question]]
NOTHING_ASKED: Questions = {}
SHOWN_FAILURES = 5
THREADS = 64  # they wait, mostly: enough that no host waits for another that is dead


def scopes_of(
    desired: Sequence[Desired[Any]], hosts: Iterable[str], remembered: Iterable[Scope] = ()
) -> frozenset[Scope]:
    """What must be looked at: where things should be, and where ours were seen before."""
    names = tuple(hosts)
    wanted = (
        kind.scopes([want.spec for want in desired if want.address.kind == kind.name], names)
        for kind in KINDS
    )
    return frozenset(remembered).union(*wanted)


def described(remembered: Iterable[Scope], ports: Ports) -> frozenset[Scope]:
    """The scopes but zones on name servers that no document describes any more: nobody can look."""
    return frozenset(scope for scope in remembered if _is_described(scope, ports))


def _is_described(scope: Scope, ports: Ports) -> bool:
    if scope.server is None:
        return True
    try:
        ports.nameserver(scope.server)
    except NotFound:
        return False
    except DriverError:
        return True
    return True


def questions_of(desired: Iterable[Desired[Any]]) -> Questions:
    """What must be asked of each host's base to see what is wanted there."""
    asked: dict[Scope, set[Question]] = defaultdict(set)
    for want in desired:
        kind = KIND_BY_NAME[want.address.kind]
        if kind.is_bound:
            asked[min(kind.scopes((want.spec,), ()))] |= kind.questions(want.spec)
    return {scope: frozenset(questions) for scope, questions in asked.items()}


def cautious(questions: Questions, trusted: Questions) -> Questions:
    """The questions of documents that nobody has accepted yet, given those that were accepted.

    A check is a program that the host runs as root, and a content that a plan shows is read by all
    who read the plan: without `trusted` the one is not run, and of the other only a fingerprint is
    told.
    """
    return {
        scope: frozenset(_cautious(asked, trusted.get(scope, frozenset())))
        for scope, asked in questions.items()
    }


def _cautious(asked: Iterable[Question], trusted: frozenset[Question]) -> Iterator[Question]:
    for question in asked:
        if question in trusted or question.about not in {"command", "file"}:
            yield question
        elif question.about == "file":
            yield replace(question, details=tuple(sorted({*question.details, SECRET})))


def observe(scopes: Iterable[Scope], ports: Ports, questions: Questions = NOTHING_ASKED) -> World:
    """Look once. A scope that cannot be looked at is unknown, with the reason.

    It does not hold up the others. Drivers keep their own deadlines, so this returns when the
    slowest of them gives up.
    """
    ordered = sorted(scopes)

    def look(scope: Scope) -> World:
        return _look(scope, ports, questions.get(scope, frozenset()))

    if len(ordered) < 2:  # noqa: PLR2004 (a pool for one look is a waste)
        looks = [look(scope) for scope in ordered]
    else:
        with ThreadPoolExecutor(min(THREADS, len(ordered)), "look") as pool:
            looks = list(pool.map(look, ordered))
    return World(
        tuple(found for each in looks for found in each.observed),
        dict(item for each in looks for item in each.unknown.items()),
        dict(item for each in looks for item in each.undone.items()),
        dict(item for each in looks for item in each.unseen.items()),
    )


def _look(scope: Scope, ports: Ports, questions: frozenset[Question]) -> World:
    """What is in the scope, or why nobody knows."""
    try:
        facts = ports.machine(scope.name).look(questions) if scope.kind == "base" else NO_FACTS
        seen = tuple(found for kind in KINDS for found in kind.observe(scope, ports, facts))
        # A host speaks for itself alone: what it says of others would hold their changes back.
        undone = {each: digest for each, digest in facts.undone.items() if each.host == scope.name}
        if not facts.failed:
            return World(seen, undone=undone)
        unseen = frozenset((question.about, question.name) for question in facts.failed)
        return World(seen, {scope: _unanswered(facts.failed)}, undone, {scope: unseen})
    except DriverError as error:
        return World(unknown={scope: str(error)})
    except Exception as error:  # noqa: BLE001 - no answer of one host may stop the look at the others
        return World(unknown={scope: f"its answer could not be read ({type(error).__name__})"})


def _unanswered(failed: Mapping[Question, str]) -> str:
    """What could not be found out, and why."""
    told = [f"{question.about} {question.name}: {why}" for question, why in sorted(failed.items())]
    more = f"; and {len(told) - SHOWN_FAILURES} more" if len(told) > SHOWN_FAILURES else ""
    return "it cannot be found out there: " + "; ".join(told[:SHOWN_FAILURES]) + more
