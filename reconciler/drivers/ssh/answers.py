"""What a host answered to a look, as facts. A host may answer anything, so nothing is believed.

Only what was asked, or what a mark asks, is taken; each fact must be of its kind; and whoever
leaves something out, or sends more than there can be, has not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from reconciler.errors import Conflict
from reconciler.model.address import Address
from reconciler.plan.show.escape import shortened
from reconciler.ports.facts import (
    CommandFact,
    Fact,
    Facts,
    FileFact,
    GroupFact,
    Mark,
    ModuleFact,
    MountFact,
    PackageFact,
    Question,
    ServiceFact,
    SettingFact,
    SysctlFact,
    UserFact,
    VolumeGroupFact,
    ZpoolFact,
)
from reconciler.ports.network_facts import (
    LinkFact,
    ReservationsFact,
    RulesetFact,
    SubnetFact,
    SwitchFact,
    TunnelFact,
)

LOOK = "look at its base"
MOST_LINES = 100_000
LONGEST_LINE_BYTES = 1024**2
_KINDS: Mapping[str, Any] = {
    "file": FileFact,
    "package": PackageFact,
    "service": ServiceFact,
    "user": UserFact,
    "group": GroupFact,
    "sysctl": SysctlFact,
    "module": ModuleFact,
    "mount": MountFact,
    "setting": SettingFact,
    "command": CommandFact,
    "volume_group": VolumeGroupFact,
    "zpool": ZpoolFact,
    "bridge": LinkFact,
    "vlan": LinkFact,
    "bond": LinkFact,
    "switch": SwitchFact,
    "tunnel": TunnelFact,
    "ruleset": RulesetFact,
    "subnet": SubnetFact,
    "reservations": ReservationsFact,
}
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


@dataclass(frozen=True, slots=True)
class Header:
    """What holds for the whole host: its fence, which start it lives since, and its clock."""

    version: int
    fence: str
    boot: str
    time: float
    host: str


@dataclass(frozen=True, slots=True)
class Look:
    """A whole answer."""

    header: Header
    facts: Facts


@dataclass(slots=True)
class _Reading:
    """What has been read of an answer so far."""

    asked: frozenset[Question]
    header: Header | None = None
    marks: list[Mark] = field(default_factory=list)
    answers: dict[Question, Fact | None] = field(default_factory=dict)
    failed: dict[Question, str] = field(default_factory=dict)
    undone: dict[Address, str] = field(default_factory=dict)
    count: int | None = None

    @property
    def expected(self) -> frozenset[Question]:
        """What is to be answered."""
        return self.asked.union(mark.question for mark in self.marks)


def look_of(host: str, asked: Iterable[Question], stdout: bytes) -> Look:
    """The facts in what the host printed.

    Raises:
        Conflict: it cannot be understood.
    """
    lines = stdout.splitlines()
    if len(lines) > MOST_LINES:
        raise _nonsense(host, f"{len(lines)} lines")
    reading = _Reading(frozenset(asked))
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE_BYTES:
            raise _nonsense(host, f"line {number} has {len(line)} bytes")
        try:
            _take(reading, orjson.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _nonsense(host, f"line {number} {_why(error)}") from None
    if reading.header is None or reading.count != len(reading.answers) + len(reading.failed):
        raise _nonsense(host, "it ends too early")
    missing = reading.expected - reading.answers.keys() - reading.failed.keys()
    if missing:
        raise _nonsense(host, f"nothing about {_name(min(missing))}")
    failed = {question: shortened(why) for question, why in reading.failed.items()}
    facts = Facts(reading.answers, tuple(reading.marks), reading.undone, failed)
    return Look(reading.header, facts)


def _take(reading: _Reading, line: Any) -> None:
    """Take one line in, which is known by its first word."""
    if reading.count is not None:
        raise ValueError("comes after the end")
    if "question" in line:
        _take_answer(reading, line)
    elif "mark" in line:
        reading.marks.append(_validated(Mark, line["mark"]))
    elif "header" in line:
        reading.header = _validated(Header, line["header"])
    elif "undone" in line:
        undone = _validated(dict[str, str], line["undone"])
        reading.undone = {Address.parse(address): digest for address, digest in undone.items()}
    else:
        reading.count = _validated(int, line["end"])


def _take_answer(reading: _Reading, line: Any) -> None:
    question = _validated(Question, line["question"])
    if question not in reading.expected:
        raise ValueError("answers what nobody asked")
    if question in reading.answers or question in reading.failed:
        raise ValueError("answers a second time")
    if "failed" in line:
        reading.failed[question] = _validated(str, line["failed"])
        return
    fact = line["fact"]
    is_behind = question.about == "pool" and question.details
    about = question.details[0] if is_behind else question.about
    reading.answers[question] = None if fact is None else _validated(_KINDS[about], fact)


def _validated(kind: Any, data: Any) -> Any:
    return _adapter(kind).validate_json(orjson.dumps(data), strict=True)


def _name(question: Question) -> str:
    return f"{question.about} {shortened(question.name)}"


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"does not fit at {shortened(where)}: {shortened(first['msg'])}"
    if isinstance(error, ValueError) and not isinstance(error, orjson.JSONDecodeError):
        return str(error)
    return "is not one of an answer"


def _nonsense(host: str, what: str) -> Conflict:
    return Conflict(host, LOOK, f"its answer makes no sense: {what}")
