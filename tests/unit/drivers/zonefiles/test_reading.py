"""Zone files as people write them: what they mean, and all that is wrong with them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.zonefiles.inclusion import zone_file
from reconciler.drivers.zonefiles.reading import ReadZone, read_zone
from reconciler.errors import ConfigError

ZONE = "farm.internal"
HEAD = "$TTL 1h\n@ SOA ns hostmaster 7 3h 30m 2w 5m\n@ NS ns\nns A 192.168.1.2\n"


def read(text: str) -> ReadZone:
    return read_zone(text, ZONE, "db.farm")


def sets(text: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    state = read(HEAD + text).state
    base = {"@/NS", "ns/A"}
    return {
        each.key: (each.ttl_seconds, each.values) for each in state.records if each.key not in base
    }


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_soa_record_gives_serial_and_timers() -> None:
    state = read(HEAD).state
    timers = state.timers
    assert state.serial == 7
    assert (timers.primary, timers.contact) == ("ns.farm.internal.", "hostmaster.farm.internal.")
    assert (timers.refresh_seconds, timers.retry_seconds) == (10800, 1800)
    assert (timers.expire_seconds, timers.negative_ttl_seconds) == (1209600, 300)


WRITTEN = {
    "the same owner": (
        "www A 10.0.0.1\n    AAAA fd00:0::1\n",
        {"www/A": (3600, ("10.0.0.1",)), "www/AAAA": (3600, ("fd00::1",))},
    ),
    "ttl and class in any order": (
        "a IN 60 A 10.0.0.1\nb 1m IN A 10.0.0.1\n",
        {"a/A": (60, ("10.0.0.1",)), "b/A": (60, ("10.0.0.1",))},
    ),
    "parentheses and comments": (
        't TXT ( "a;b" ; no\n  "c" )\n',
        {"t/TXT": (3600, ('"a;b" "c"',))},
    ),
    "another origin": (
        "$ORIGIN sub\nx CNAME y\n",
        {"x.sub/CNAME": (3600, ("y.sub.farm.internal.",))},
    ),
    "capitals": ("WWW.Farm.Internal. a 10.0.0.1\n", {"www/A": (3600, ("10.0.0.1",))}),
    "one set on two lines": (
        "x 60 A 10.0.0.2\nx 90 A 10.0.0.1\n",
        {"x/A": (60, ("10.0.0.1", "10.0.0.2"))},
    ),
    "many at once": (
        "$GENERATE 1-2 h$ A 10.0.0.$\n",
        {"h1/A": (3600, ("10.0.0.1",)), "h2/A": (3600, ("10.0.0.2",))},
    ),
    "an unknown type": ("x TYPE65280 \\# 2 c0ff\n", {"x/TYPE65280": (3600, ("\\# 2 c0ff",))}),
    "a known type as bytes": ("x A \\# 4 0a000001\n", {"x/A": (3600, ("10.0.0.1",))}),
}


@pytest.mark.parametrize(("text", "meant"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_is_understood(
    text: str, meant: dict[str, tuple[int, tuple[str, ...]]]
) -> None:
    assert sets(text) == meant


def test_what_is_outside_is_left_out_and_told() -> None:
    (note,) = read(f"{HEAD}www.example. A 10.0.0.1\n").notes
    assert str(note).startswith("db.farm:5:1: www.example. is not in zone farm.internal")


def test_all_problems_are_told_with_their_lines() -> None:
    text = f"{HEAD}a A 10.0.0\nb NOTHING x\n$NOPE\nc MX mail\nd CNAME e\nd A 10.0.0.1\n"
    assert [each.partition(": ")[0] for each in problems(text)] == [
        f"db.farm:{line}:1" for line in (5, 6, 7, 8)
    ]
    (clash,) = problems(f"{HEAD}d CNAME e\nd A 10.0.0.1\n")
    assert "d has a CNAME and other data: A at db.farm:6:1" in clash


WRONG = {
    "no ttl": ("a A 10.0.0.1\n", "it has no TTL"),
    "an open quote": (f'{HEAD}a TXT "x\n', "a quote has no other"),
    "an open parenthesis": (f"{HEAD}a TXT ( x\n", "is opened here and never closed"),
    "a closed parenthesis": (f"{HEAD}a TXT x )\n", "was never opened"),
    "another class": (f"{HEAD}a CH TXT x\n", "class CH is not served"),
    "no type": (f"{HEAD}a 60 IN\n", "there is no type"),
    "no owner": ("  60 A 10.0.0.1\n", "there is no name before this record"),
    "a wrong directive": (f"{HEAD}$TTL\n", "after $TTL comes a time"),
    "too long a time": (f"{HEAD}$TTL 9999w\n", "is longer than"),
    "too many": (f"{HEAD}$GENERATE 1-99999999 a$ A 10.0.0.1\n", "makes 99999999 records"),
    "a type of questions": (f"{HEAD}a AXFR x\n", "cannot be in a zone"),
    "two soa records": (f"{HEAD}@ SOA a b 1 2 3 4 5\n", "a second SOA record"),
    "no soa record": ("$TTL 1\n@ NS ns.example.\n", "has no SOA record"),
    "no name server": ("$TTL 1\n@ SOA a b 1 2 3 4 5\n", "has no NS record"),
    "no address": ("$TTL 1\n@ SOA a b 1 2 3 4 5\n@ NS ns\n", "has no address in the zone"),
    "a wrong serial": ("$TTL 1\n@ SOA a b -1 2 3 4 5\n", "is no serial"),
    "two aliases": (f"{HEAD}a CNAME b\na CNAME c\n", "a has 2 CNAME records"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    assert any(said in problem for problem in problems(text)), problems(text)


def test_a_file_is_included_with_its_own_origin_and_lines(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/hosts").write_text("x A 10.0.0.1\ny A 10.0.0.300\n")
    (tmp_path / "db").write_text(f"{HEAD}$INCLUDE sub/hosts lan\nz A 10.0.0.3\n")
    text, include = zone_file(tmp_path / "db")
    with pytest.raises(ConfigError) as caught:
        read_zone(text, ZONE, "db", include)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{tmp_path}/sub/hosts:2:1: A: ")
    (tmp_path / "sub/hosts").write_text("x A 10.0.0.1\n")
    records = read_zone(text, ZONE, "db", include).state.records
    assert {"x.lan/A", "z/A"} <= {each.key for each in records}


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "link", ".", "pipe", "missing"])
def test_nothing_else_is_included(tmp_path: Path, name: str) -> None:
    import os

    home = tmp_path / "zones"
    home.mkdir()
    (tmp_path / "secret").write_text("secret TXT x\n")
    (home / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(home / "pipe")
    (home / "db").write_text(f"{HEAD}$INCLUDE {name}\n")
    text, include = zone_file(home / "db")
    with pytest.raises(ConfigError) as caught:
        read_zone(text, ZONE, "db", include)
    assert len(caught.value.problems) == 1


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "db").write_text(f"{HEAD}$INCLUDE db\n")
    text, include = zone_file(tmp_path / "db")
    with pytest.raises(ConfigError, match="more than 64 files are included"):
        read_zone(text, ZONE, "db", include)
