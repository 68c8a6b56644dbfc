"""Gates: what must be true of a new commit before it is applied.

A guard judges what a plan would do; a gate judges who asks for it, and when. Gates are asked only
of a commit that is not in force yet: what is in force stays so and is repaired, whatever they say.

Every closed gate says why, with numbers and times, and what opens it. Nothing a commit says about
itself does: `Reconciler-Allow` acknowledges what guards find, and never opens a gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from reconciler.config.gates import GateFields
from reconciler.model.quantity import format_duration
from reconciler.plan.evidence import Approver, Evidence, Lack, Soak
from reconciler.plan.guards import ALLOW_TRAILER, Violation
from reconciler.plan.plan import Plan
from reconciler.plan.window import Window

SIGNATURE, SIGN_OFF, WINDOW, FREEZE = "signature", "sign-off", "window", "freeze"
SOAK, APPROVAL = "soak", "approval"
GATES = (SIGNATURE, SIGN_OFF, WINDOW, FREEZE, SOAK, APPROVAL)
APPROVE_TRAILER = "Reconciler-Approve"
LEAST_OF_DIGEST = 12  # so many of its digits name a plan
T = TypeVar("T")
_NOT_HIS_OWN = "; nobody counts for their own work"
_EMERGENCY = "in an emergency the operator names the commit in gates.{}.let_through of the settings"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit that asks to be applied: what it follows, and what it would do.

    `applied` is the commit in force, empty if there is none.
    """

    environment: str
    revision: str
    applied: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Quorum:
    """So many people; `among` limits who counts, empty is anybody. Names are in lower case."""

    count: int
    among: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Freeze:
    """From `begins` until just before `ends` nothing new is applied; shown in `timezone`."""

    begins: datetime
    ends: datetime
    reason: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Gates:
    """What is asked of a commit, by everybody who asks something: all of it counts.

    `signatures` are the forms asked for: tag, head, every. Of each list in `windows` one must be
    open.
    """

    signatures: frozenset[str] = frozenset()
    sign_offs: tuple[Quorum, ...] = ()
    windows: tuple[tuple[Window, ...], ...] = ()
    freezes: tuple[Freeze, ...] = ()
    approvals: tuple[Quorum, ...] = ()
    soak: timedelta = timedelta(0)

    @classmethod
    def of(cls, written: GateFields) -> Gates:
        """The gates as somebody wrote them."""
        windows = tuple(Window(w.opens, w.duration, w.timezone) for w in written.windows)
        return cls(
            signatures=frozenset({written.signatures} - {"none"}),
            sign_offs=_quorums(written.sign_offs, written.sign_off_by),
            windows=(windows,) if windows else (),
            freezes=tuple(Freeze(*f.span(), f.reason, f.timezone) for f in written.freezes),
            approvals=_quorums(written.approvals, written.approved_by),
            soak=written.soak,
        )

    def with_all_of(self, other: Gates) -> Gates:
        """Both: whoever asks for less takes nothing away."""
        return Gates(
            signatures=self.signatures | other.signatures,
            sign_offs=_both(self.sign_offs, other.sign_offs),
            windows=_both(self.windows, other.windows),
            freezes=_both(self.freezes, other.freezes),
            approvals=_both(self.approvals, other.approvals),
            soak=max(self.soak, other.soak),
        )

    @property
    def needs_people(self) -> bool:
        """Whether it matters who wrote the commits."""
        return bool(self.sign_offs or self.approvals)


@dataclass(frozen=True, slots=True)
class Case:
    """All that a gate is told."""

    gates: Gates
    evidence: Evidence
    candidate: Candidate
    now: datetime


Gate = Callable[[Case], Iterator[Violation]]


def closed(
    gates: Gates, evidence: Evidence, candidate: Candidate, now: datetime
) -> tuple[Violation, ...]:
    """Every gate that is closed for a commit, with what opens it; `now` knows its time zone.

    What is said stays the same while the reason does: the journal tells only news.
    """
    if evidence.is_free:
        return ()
    case = Case(gates, evidence, candidate, now)
    found = (violation for gate in ALL_GATES for violation in gate(case))
    return tuple(_not_by_trailer(each, case) for each in found)


def opens_at(violations: Iterable[object]) -> datetime | None:
    """When all of these may be open without anybody doing anything; None if that never comes."""
    times = [getattr(each, "opens", None) for each in violations]
    known = [each for each in times if each is not None]
    return max(known) if known and len(known) == len(times) else None


def signature(case: Case) -> Iterator[Violation]:
    """It is not proved whose commit it is."""
    for lack in case.evidence.lacks:
        yield Violation(SIGNATURE, lack.message, lack.remedy)


def sign_off(case: Case) -> Iterator[Violation]:
    """Too few people have signed it off."""
    for quorum in case.gates.sign_offs:
        signed = [frozenset({each}) for each in case.evidence.sign_offs]
        count = _besides_authors(_counting(signed, quorum), case.evidence.authors)
        if count < quorum.count:
            yield Violation(
                SIGN_OFF,
                f"{count} of {quorum.count} people signed it off"
                f"{_named(case.evidence.sign_offs)}{_only(quorum)}{_NOT_HIS_OWN}",
                "let somebody else add `Signed-off-by: Name <mail>` or `Reviewed-by: Name <mail>` "
                "to a commit, or merge it with such a line",
            )


def window(case: Case) -> Iterator[Violation]:
    """None of the windows is open."""
    for choices in case.gates.windows:
        if not any(each.is_open(case.now) for each in choices):
            openings = ((each.next_opening(case.now), each.timezone) for each in choices)
            known = [(at, zone) for at, zone in openings if at is not None]
            opens, zone = min(known, default=(None, choices[0].timezone))
            yield Violation(
                WINDOW,
                f"new commits are applied only within {' or '.join(map(_told, choices))}",
                f"wait: one opens {_local(opens, zone)}, and it is applied then"
                if opens
                else "change the windows: none of them ever opens again",
                opens=opens,
            )


def freeze(case: Case) -> Iterator[Violation]:
    """Nothing new is to be applied for a while."""
    for each in case.gates.freezes:
        if each.begins <= case.now < each.ends:
            begins, ends = (_local(at, each.timezone) for at in (each.begins, each.ends))
            yield Violation(
                FREEZE,
                f"nothing new is applied from {begins} until {ends}: {each.reason}",
                f"wait: it is applied at {ends}",
                opens=each.ends,
            )


def soak(case: Case) -> Iterator[Violation]:
    """It has not proved itself long enough in the environment below."""
    wanted, seen = case.gates.soak, case.evidence.soak
    if not wanted:
        return
    asked = format_duration(wanted)
    if seen is None:
        yield Violation(
            SOAK,
            f"it must have been Ready for {asked} in a lower environment, and there is none",
            "give a lower environment a branch, or ask for no soak",
        )
    elif seen.since is None:
        yield Violation(
            SOAK,
            f"it must have been Ready in {seen.environment} for {asked}, but {seen.instead}",
            f"bring just this tree to {seen.environment}, and wait {asked} from when it is Ready",
        )
    elif case.now < (done := seen.since + wanted):
        yield Violation(
            SOAK,
            f"it has been Ready in {seen.environment} only since {_local(seen.since, 'UTC')}, "
            f"and must be for {asked}",
            f"wait until {_local(done, 'UTC')}: it is applied then if nothing goes wrong there",
            opens=done,
        )


def approval(case: Case) -> Iterator[Violation]:
    """Too few people have approved of just this plan."""
    needed, evidence = case.candidate.plan.approval_digest, case.evidence
    given = [each for each in evidence.approvers if _is_of(each.digest, needed)]
    for quorum in case.gates.approvals:
        counts = (
            _besides_authors(_counting(_people(given, way), quorum), evidence.authors)
            for way in {each.way for each in given}
        )
        if (count := max(counts, default=0)) < quorum.count:
            yield Violation(
                APPROVAL,
                f"{count} of {quorum.count} people approved of {needed}"
                f"{_named(each.name for each in given)}{_only(quorum)}"
                f"{_not_counted(evidence, needed)}{_NOT_HIS_OWN}",
                how_to_approve(case.candidate.environment, needed, case.candidate.revision),
            )


ALL_GATES: tuple[Gate, ...] = (signature, sign_off, window, freeze, soak, approval)


def foreseen(gates: Gates, environment: str, plan: Plan, now: datetime) -> tuple[Violation, ...]:
    """What a commit would have to wait for, were it merged now. Needs neither host nor forge."""
    candidate = Candidate(environment, plan.revision, "", plan)
    demands = []
    if gates.signatures:
        forms = ", ".join(sorted(gates.signatures))
        what = f"must be signed with a key that the operator allows ({forms})"
        demands.append(Lack(f"the commit that is merged {what}", "merge it signed"))
    evidence = Evidence(
        lacks=tuple(demands),
        soak=Soak("the environment below", instead="that is seen when it is merged"),
    )
    return closed(gates, evidence, candidate, now)


def approval_tag(environment: str, digest: str) -> str:
    """The name of a tag that approves of a plan."""
    return f"approve/{environment}/{digest}"


def how_to_approve(environment: str, digest: str, revision: str) -> str:
    """How people approve of a plan."""
    return (
        f"approve of it: `git tag -s -m Approve {approval_tag(environment, digest)} {revision}` "
        f"and push the tag, or a review at the forge that says {digest}, or an empty signed commit "
        f"with `{APPROVE_TRAILER}: {digest}`"
    )


def _is_of(given: str, needed: str) -> bool:
    return len(given) >= LEAST_OF_DIGEST and needed.startswith(given)


def _people(given: Iterable[Approver], way: str) -> list[frozenset[str]]:
    """The different people who approved in one way, by all their names."""
    names: dict[str, frozenset[str]] = {}
    for each in given:
        if each.way == way:
            key = each.name.casefold()
            names[key] = names.get(key, frozenset()) | each.names
    return list(names.values())


def _counting(people: Iterable[frozenset[str]], quorum: Quorum) -> list[frozenset[str]]:
    return [each for each in people if not quorum.among or each & quorum.among]


def _besides_authors(people: Sequence[frozenset[str]], authors: Sequence[frozenset[str]]) -> int:
    """So many people stand behind whatever is least backed: nobody counts for what he wrote."""
    behind = (sum(not each & author for each in people) for author in authors)
    return min(behind, default=len(people))


def _not_counted(evidence: Evidence, needed: str) -> str:
    others = sorted({a.digest for a in evidence.approvers if not _is_of(a.digest, needed)})
    told = [f"{', '.join(others)} was approved, which is another plan"] if others else []
    return "".join(f"; {each}" for each in (*told, *evidence.discounted))


def _not_by_trailer(violation: Violation, case: Case) -> Violation:
    if violation.name not in case.evidence.claimed:
        return violation
    return replace(
        violation,
        message=f"{violation.message}; `{ALLOW_TRAILER}: {violation.name}` opens no gate",
        remedy=f"{violation.remedy}; {_EMERGENCY.format(case.candidate.environment)}",
    )


def _named(names: Iterable[str]) -> str:
    told = ", ".join(sorted(set(names)))
    return f" ({told})" if told else ""


def _only(quorum: Quorum) -> str:
    return f", of whom only {', '.join(sorted(quorum.among))} count" if quorum.among else ""


def _told(each: Window) -> str:
    return f"`{each.opens}` for {format_duration(each.duration)} ({each.timezone})"


def _local(at: datetime, timezone: str) -> str:
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M %Z}"


def _quorums(count: int, among: Iterable[str]) -> tuple[Quorum, ...]:
    names = frozenset(each.casefold() for each in among)
    return (Quorum(count, names),) if count else ()


def _both(mine: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*mine, *other)))
