"""Leases in the files of Kea, and options as it writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.drivers.ssh.onhost.dhcp_leases import MOST_LEASES, leases_in, leases_of
from reconciler.drivers.ssh.onhost.dhcp_options import (
    option_data,
    options_of,
    routes_hex,
    routes_text,
)

NOW = 1_700_000_000.0
NEVER, GONE = int(NOW) + 60, int(NOW) - 60
MAC = "52:54:00:66:66:01"
HEAD = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,"
    "user_context"
)
PATH = "var/lib/kea/kea-leases4.csv"


def line(
    address: str = "10.0.0.9", mac: str = MAC, seconds: int = 600, expires: int = NEVER, **more: str
) -> str:
    number, name, state = (more.get(key, usual) for key, usual in DEFAULTS.items())
    return f"{address},{mac},,{seconds},{expires},{number},0,0,{name},{state},"


DEFAULTS = {"number": "7", "name": "host", "state": "0"}


def test_the_last_line_of_an_address_holds() -> None:
    lines = [HEAD, line(), line(mac="52:54:00:66:66:02"), line("10.0.0.10")]
    assert leases_of(lines, 7, NOW) == {"10.0.0.10": MAC, "10.0.0.9": "52:54:00:66:66:02"}


@pytest.mark.parametrize(
    "last",
    [
        line(expires=GONE),
        line(seconds=0),
        line(state="1"),
        line(state="2"),
        line(mac=""),
        line(mac="$(reboot)"),
        line(expires=-1),
    ],
)
def test_what_is_over_or_nobodys_is_no_lease(last: str) -> None:
    assert leases_of([HEAD, line(), last], 7, NOW) == {}


@pytest.mark.parametrize("odd", [line(number="8"), line("evil\n"), "", "a,b", line("::1")])
def test_what_is_not_of_the_subnet_is_passed_over(odd: str) -> None:
    assert leases_of([HEAD, odd], 7, NOW) == {}


def test_what_a_client_calls_itself_is_nowhere_in_the_answer() -> None:
    found = leases_of([HEAD, line(name="drift: none")], 7, NOW)
    assert "drift" not in str(found)


def test_no_more_are_told_than_can_be_read() -> None:
    lines = [line(f"10.0.{n >> 8}.{n & 255}") for n in range(3 * MOST_LEASES)]
    assert len(leases_of(lines, 7, NOW)) == MOST_LEASES


@pytest.mark.parametrize(
    ("files", "mac"),
    [
        ({"": "01"}, "01"),
        ({".2": "01", ".1": "02"}, "02"),
        ({".2": "01", ".completed": "02"}, "02"),
        ({".completed": "01", "": "02"}, "02"),
    ],
)
def test_all_files_of_the_server_are_read_in_its_order(
    files: dict[str, str], mac: str, tmp_path: Path
) -> None:
    for end, last in files.items():
        path = tmp_path / (PATH + end)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEAD}\n{line(mac=f'52:54:00:66:66:{last}')}\n")
    found = leases_in({}, "/nowhere", {"id": 7}, NOW, str(tmp_path))
    assert found == {"10.0.0.9": f"52:54:00:66:66:{mac}"}


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / "secret").write_text(line())
    (tmp_path / PATH).symlink_to(tmp_path / "secret")
    assert leases_in({}, "/nowhere", {"id": 7}, NOW, str(tmp_path)) == {}


@pytest.mark.parametrize("database", [{"type": "mysql"}, {"type": "memfile", "persist": False}])
def test_leases_that_are_in_no_file_are_not_told(database: dict[str, object]) -> None:
    assert leases_in({"lease-database": database}, "/x", {"id": 7}, NOW, "/") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.0.0.0/0 via 10.0.0.1", "000A000001"),
        ("10.10.59.0/24 via 10.0.0.1", "180A0A3B0A000001"),
        ("10.128.0.0/9 via 10.0.0.1, 10.0.0.7/32 via 10.0.0.2", "090A800A000001200A0000070A000002"),
    ],
)
def test_routes_are_written_as_bytes_and_told_as_text(text: str, told: str) -> None:
    assert routes_hex(text) == told
    assert routes_text(told) == text


routes = some.tuples(some.ip_addresses(v=4), some.integers(0, 32), some.ip_addresses(v=4))


@given(some.lists(routes, min_size=1, max_size=8))
def test_all_routes_come_back(found: list[tuple[object, int, object]]) -> None:
    from ipaddress import ip_network

    text = ", ".join(
        f"{ip_network((str(net), bits), strict=False)} via {router}" for net, bits, router in found
    )
    assert routes_text(routes_hex(text)) == text


@given(some.binary(max_size=40))
def test_bytes_that_are_no_routes_are_told_as_they_are(data: bytes) -> None:
    entry = {"option-data": [{"code": 121, "csv-format": False, "data": data.hex()}]}
    ((name, value),) = options_of(entry)
    assert name == "classless-static-route"
    assert value in {"", f"0x{data.hex()}"} or routes_hex(value)


def test_options_that_are_more_than_ours_are_told_so() -> None:
    entry = {
        "option-data": [
            {"name": "routers", "data": "10.0.0.1,10.0.0.2", "always-send": True},
            {"code": 250, "data": "ab", "csv-format": False},
            {"name": "tftp", "space": "vendor-1", "data": "x"},
        ]
    }
    assert options_of(entry) == [
        ("option 250", "0xab"),
        ("routers (always-send)", "10.0.0.1, 10.0.0.2"),
        ("tftp (of vendor-1)", "x"),
    ]


def test_options_come_back_as_they_were_written() -> None:
    wanted = [("classless-static-route", "0.0.0.0/0 via 10.0.0.1"), ("interface-mtu", "1442")]
    assert options_of({"option-data": option_data(wanted)}) == wanted
