"""What checks of zones leave alone, and their finer points; what they say is in the corpus."""

from __future__ import annotations

import json

import pytest

from tests.documents.corpus import FARM, problems_in

ZONE = "kind: Zone\nname: {name}\nserver: ns\nprimary: ns\nnameservers: [ns]\n"


def told(*documents: str) -> list[str]:
    files = {**FARM, "new.yaml": "---\n".join(documents).encode()}
    return [str(problem).removeprefix("new.yaml:") for problem in problems_in(files)]


def zone(*records: tuple[str, str, str], name: str = "z", more: str = "") -> str:
    rows = [{"name": owner, "type": kind, "values": [value]} for owner, kind, value in records]
    return ZONE.format(name=name) + more + f"records: {json.dumps(rows)}\n"


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("*", "A", "192.0.2.1"),
        ("*.x", "MX", "10 ns"),
        ("_spf", "A", "192.0.2.1"),
        ("a._spf.b", "AAAA", "2001:db8::1"),
        ("gc._msdcs", "A", "192.0.2.1"),
        ("_a", "TXT", "x"),
        ("_a", "CNAME", "b_c"),
        ("a_b", "HTTPS", "0 b_c"),
        ("_ldap._tcp.site._sites.dc._msdcs", "SRV", "0 0 389 ns"),
        ("*._tcp", "TLSA", "3 1 0 00"),
        ("_65535._sctp.x", "TLSA", "3 1 0 00"),
        ("sub", "NS", "ns"),
        ("farmz", "A", "192.0.2.1"),
    ],
)
def test_a_record_that_servers_take_is_right(name: str, kind: str, value: str) -> None:
    assert told(zone((name, kind, value))) == []


@pytest.mark.parametrize(
    ("name", "kind", "value", "problem"),
    [
        ("_a", "A", "192.0.2.1", "_a is no name of a host, which a record of type A needs"),
        ("a-.b", "MX", "0 ns", "records.a-.b/MX.name must be a name inside the zone"),
        ("a_b.c", "MX", "0 ns", "a_b.c is no name of a host, which a record of type MX needs"),
        ("a", "NS", "b_c", "a NS: b_c.z. is no name of a host"),
        ("a", "HTTPS", "1 b_c", "a HTTPS: b_c.z. is no name of a host"),
        ("*._tcp", "SRV", "0 0 1 ns", "*._tcp is no name for a SRV record"),
        ("_443.x", "TLSA", "3 1 0 00", "_443.x is no name for a TLSA record"),
        ("@", "NS", "ns", "the zone itself cannot have a NS written by hand"),
        ("@", "CNAME", "ns", "the zone itself cannot have a CNAME written by hand"),
        ("a._reconciler", "TXT", "x", "the name _reconciler is kept for ownership"),
        ("_reconciler.a", "TXT", "x", "the name _reconciler is kept for ownership"),
    ],
)
def test_a_record_that_servers_do_not_take(name: str, kind: str, value: str, problem: str) -> None:
    (found,) = told(zone((name, kind, value)))
    assert f": {problem}" in found


def test_each_of_three_records_of_one_name_and_type_is_told_at_its_line() -> None:
    rows = "".join(f"  - {{name: a, type: A, values: [192.0.2.{n}]}}\n" for n in (1, 2, 3))
    found = told(ZONE.format(name="z") + "records:\n" + rows)
    assert [problem.split(": ")[0] for problem in found] == ["8:5", "9:5"]
    assert all(problem.endswith("the other is at new.yaml:7:5") for problem in found)


def test_a_wrong_value_of_a_second_record_is_told_at_its_line() -> None:
    rows = "".join(f"  - {{name: a, type: A, values: [192.0.2.{n}]}}\n" for n in (1, 256))
    found = told(ZONE.format(name="z") + "records:\n" + rows)
    assert [problem.split(": ")[0] for problem in found] == ["8:5", "8:33"]


def test_a_cname_is_told_whichever_comes_first() -> None:
    alias, text = ("a", "CNAME", "b"), ("a", "TXT", "x")
    for rows in ((alias, text), (text, alias)):
        (problem,) = told(zone(*rows))
        assert "a has a CNAME and other records, which DNS does not allow; keep one" in problem


def test_a_zone_may_be_there_once_in_each_view_and_on_each_server() -> None:
    again = ZONE.format(name="again") + "origin: z\n"
    outside = ZONE.format(name="outside") + "origin: z\nview: outside\n"
    elsewhere = ZONE.format(name="elsewhere").replace("server: ns", "server: ns2") + "origin: z\n"
    assert told(zone(), outside, elsewhere) == []
    assert len(told(zone(), again, outside, elsewhere)) == 1


@pytest.mark.parametrize(
    "prefix", ["10.0.0.0/8", "192.0.2.0/31", "192.0.2.64/26", "2001:db8::/32", "2001:db8::10/124"]
)
def test_reverse_zones_may_be_of_any_size_that_has_names(prefix: str) -> None:
    assert told(ZONE.format(name="z") + f"reverse: ['{prefix}']\n") == []


def test_a_zone_may_be_shared_with_every_other_environment() -> None:
    share = "environment: production\nshare:\n  staging: {below: [s, a.b], networks: [lan]}\n"
    assert told(ZONE.format(name="z") + share + "  development: {}\n") == []


def test_addresses_of_servers_may_stand_below_what_they_answer_for() -> None:
    glue = [("ns.a", "A", "192.0.2.1"), ("ns.a", "AAAA", "2001:db8::1"), ("ns.b", "A", "192.0.2.1")]
    cuts = "delegations: [{to: a, nameservers: [NS.a.z.]}]\n".replace("NS", "ns")
    assert told(zone(*glue, ("b", "NS", "ns.b"), more=cuts)) == []
    assert told(zone(*glue, ("b", "NS", "ns.a"), ("c", "NS", "ns.b"), more=cuts)) == []
    (problem,) = told(zone(*glue, ("b", "NS", "other.b"), more=cuts))
    assert "ns.b A is at or below b, which others answer for" in problem


def test_a_zone_inside_another_one_has_its_names() -> None:
    outer = zone(("x.in", "A", "192.0.2.1"), ("ns.in", "A", "192.0.2.1"), ("inn", "A", "192.0.2.1"))
    inner = ZONE.format(name="in.z")
    (problem,) = told(outer, inner)
    assert "x.in A is at or below in, which others answer for" in problem
    assert problem.endswith("see zone in.z (new.yaml:8:1)")
    assert told(outer, inner + "view: outside\n") == []


def test_a_part_of_a_reverse_zone_may_be_delegated_but_not_all_of_it() -> None:
    for to, wrong in (("192.0.2.64/26", 0), ("192.0.2.0/24", 1), ("192.0.3.0/26", 1)):
        cut = f"delegations: [{{to: {to}, nameservers: [ns.example.]}}]\n"
        assert len(told(ZONE.format(name="z") + "reverse: [192.0.2.0/24]\n" + cut)) == wrong


def test_a_zone_for_everybody_needs_a_server_that_answers_everybody() -> None:
    server = "kind: Nameserver\nname: ns\naddress: 192.168.1.17\n"
    outside = ZONE.format(name="z") + "view: outside\n"
    for more, wrong in (("", 1), ("outside: true\n", 0)):
        found = told(outside, server + more)
        assert sum("answers nobody outside" in problem for problem in found) == wrong
