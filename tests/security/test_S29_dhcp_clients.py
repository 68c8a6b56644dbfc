"""S29: a client of a DHCP server says what it likes, and it is of no use.

What it calls itself is never read; what it is given is told by two closed forms, and no more of
them than can be read; it names no machine, and nothing becomes of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.drivers.ssh.onhost.dhcp_leases import MOST_LEASES, leases_in, leases_of
from tests.unit.drivers.ssh.onhost.test_dhcp_leases import HEAD, MAC, NOW, PATH, line

NAMES = {
    "a line of ours": "drift: none",
    "another column": "x,0,",
    "another line": "x\n10.0.0.8,52:54:00:00:00:01,,600,99999999999,7,0,0,web,0,",
    "terminal": "\x1b[2J",
    "markup": "<script>alert(1)</script>",
    "direction": "\u202e",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_name_of_a_client_is_told(name: str) -> None:
    """Kea writes a comma or a line break of a name in a form of its own; a broken file does not."""
    told = leases_of([HEAD, *line(name=name).splitlines()], 7, NOW)
    assert set(told) <= {"10.0.0.9", "10.0.0.8"}
    assert all(
        len(mac) == len(MAC) and set(mac) <= set("0123456789abcdef:") for mac in told.values()
    )


@given(some.lists(some.text(max_size=80), max_size=20))
def test_whatever_stands_in_the_file_only_addresses_come_of_it(lines: list[str]) -> None:
    for address, mac in leases_of(lines, 7, NOW).items():
        assert set(address) <= set("0123456789.")
        assert set(mac) <= set("0123456789abcdef:")


def test_a_client_with_very_many_hardware_addresses_fills_no_answer(tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.parent.mkdir(parents=True)
    many = (f"10.{n >> 16}.{(n >> 8) & 255}.{n & 255}" for n in range(20_000))
    path.write_text("\n".join([HEAD, *(line(address) for address in many)]))
    assert len(leases_in({}, "/nowhere", {"id": 7}, NOW, str(tmp_path))) == MOST_LEASES


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x1c", "\x85", "\u2028"])
def test_no_client_hides_behind_a_name_that_looks_like_two_lines(end: str, tmp_path: Path) -> None:
    path = tmp_path / PATH
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([HEAD, line(name=f"x{end}y"), ""]), encoding="utf-8")
    assert leases_in({}, "/nowhere", {"id": 7}, NOW, str(tmp_path)) == {"10.0.0.9": MAC}


@pytest.mark.parametrize("number", ["\u00b2", "\u0663", "9" * 5000, "-1", ""])
def test_a_number_that_is_none_ends_no_look(number: str) -> None:
    odd = line(name="x").replace(",600,", f",{number},", 1)
    assert leases_of([HEAD, odd, line("10.0.0.8")], 7, NOW) == {"10.0.0.8": MAC}
