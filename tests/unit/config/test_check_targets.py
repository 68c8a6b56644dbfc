"""What records point at: it must be there, and no alias where a host must be named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from reconciler.config.check_targets import target_problems
from reconciler.model.position import Position
from reconciler.ports.nameserver import RecordSet

HOST = ("web", "A", "192.0.2.1")
Row = tuple[str, str, str]


def told(*rows: Row, others: Sequence[str] = (), lab: Sequence[Row] | None = None) -> list[str]:
    """What is said of the zone `farm`, and perhaps `lab.farm`; a record's line is its number."""
    every: Mapping[str, list[RecordSet]] = {
        name: [RecordSet(owner, kind, 300, (value,)) for owner, kind, value in found]
        for name, found in {"farm": rows, "lab.farm": lab}.items()
        if found is not None
    }

    def where(zone: str, record: RecordSet) -> Position:
        return Position(zone, every[zone].index(record) + 1)

    return [str(problem) for problem in target_problems(every, where, others)]


@pytest.mark.parametrize(
    "row",
    [
        ("a", "CNAME", "web.farm."),
        ("@", "MX", "10 web.farm."),
        ("_x._tcp", "SRV", "0 0 1 web.farm."),
        ("sub", "NS", "web.farm."),
        ("a", "HTTPS", "1 web.farm."),
        ("a", "CNAME", "elsewhere.example."),
        ("a", "CNAME", "farmer."),
        ("@", "MX", "0 ."),
        ("a", "HTTPS", "1 ."),
        ("a", "PTR", "gone.farm."),
        ("a", "CNAME", "any.wild.farm."),
        ("a", "MX", "0 any.deep.wild.farm."),
        ("a", "CNAME", "text.farm."),
        ("a", "CNAME", "alias.farm."),
        ("a", "SVCB", "0 alias.farm."),
        ("a", "HTTPS", "1 alias.farm."),
        ("a", "CNAME", "host.cut.farm."),
    ],
)
def test_what_is_there_or_not_ours_is_fine(row: Row) -> None:
    assert not told(
        HOST,
        ("*.wild", "AAAA", "2001:db8::1"),
        ("text", "TXT", '"x"'),
        ("alias", "CNAME", "web.farm."),
        ("cut", "NS", "ns.example."),
        row,
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("CNAME", "gone.farm."),
        ("MX", "10 gone.farm."),
        ("SRV", "0 0 1 gone.farm."),
        ("NS", "gone.farm."),
        ("SVCB", "0 gone.farm."),
        ("HTTPS", "1 gone.farm."),
        ("CNAME", "a.web.farm."),
    ],
)
def test_what_is_not_there_is_missed(kind: str, value: str) -> None:
    target = value.rpartition(" ")[2]
    (problem,) = told(HOST, ("a", kind, value))
    assert problem == (
        f"farm:2:1: the {kind} of a.farm. points at {target}, which is not there; "
        "write a record of that name, or another name"
    )


@pytest.mark.parametrize(("kind", "head"), [("MX", "10 "), ("NS", ""), ("SRV", "0 0 1 ")])
@pytest.mark.parametrize("target", ["alias.farm.", "any.wild.farm."])
def test_an_alias_is_no_host(kind: str, head: str, target: str) -> None:
    rows = (HOST, ("alias", "CNAME", "web.farm."), ("*.wild", "CNAME", "web.farm."))
    (problem,) = told(*rows, ("a", kind, head + target))
    assert problem.startswith(f"farm:4:1: the {kind} of a.farm. points at {target}, which is an al")
    line = 2 if target == "alias.farm." else 3
    assert problem.endswith(f"name the host itself; the CNAME is at farm:{line}:1")


@pytest.mark.parametrize("value", ["10 text.farm.", "0 0 1 text.farm.", "1 text.farm."])
def test_a_host_has_an_address(value: str) -> None:
    kind = {1: "HTTPS", 10: "MX", 0: "SRV"}[int(value.partition(" ")[0])]
    (problem,) = told(("text", "TXT", '"x"'), ("a", kind, value))
    assert problem.startswith(f"farm:2:1: the {kind} of a.farm. points at text.farm., which has no")


def test_a_server_inside_what_it_answers_for_needs_an_address_here() -> None:
    cut = ("sub", "NS", "ns.sub.farm.")
    (problem,) = told(cut)
    assert "points at ns.sub.farm., which has no address here" in problem
    assert told(cut, ("ns.sub", "A", "192.0.2.1")) == []


def test_a_name_in_another_zone_of_ours_is_looked_up_there() -> None:
    row = ("a", "CNAME", "x.lab.farm.")
    inner = [("x", "A", "192.0.2.1")]
    cut = ("lab", "NS", "web.farm.")
    assert told(HOST, row, cut, lab=inner) == []
    (problem,) = told(HOST, row, cut, lab=[])
    assert problem.startswith("farm:2:1: the CNAME of a.farm. points at x.lab.farm., which is not")


def test_where_others_write_nothing_is_missed() -> None:
    rows = [("a", "CNAME", "x.dev.farm."), ("b", "CNAME", "dev.farm.")]
    assert len(told(*rows)) == 2
    assert told(*rows, others=["dev.farm."]) == []


def test_a_circle_of_aliases_is_told_once() -> None:
    rows = [(one, "CNAME", f"{other}.farm.") for one, other in ("ab", "bc", "cb", "dd")]
    first, second = told(*rows)
    assert first == (
        "farm:3:1: the aliases b.farm. → c.farm. → b.farm. lead in a circle; "
        "point one at a host; the first is at farm:2:1"
    )
    assert second.startswith("farm:4:1: the aliases d.farm. → d.farm. lead in a circle; ")
