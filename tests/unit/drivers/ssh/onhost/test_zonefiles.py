"""Zone files on a host: where they are, what of them is served, and what is refused."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.ssh.onhost.host import Batch, Ran
from reconciler.drivers.ssh.onhost.zonefiles import answer_to
from reconciler.drivers.ssh.onhost.zonefiles_place import Place, file_of, zone_of
from reconciler.drivers.ssh.onhost.zonefiles_served import question, serial_in

ZONES = ("farm.internal", "64/26.2.0.192.in-addr.arpa", "a=b.example")
SOFTWARE = ("bind-files", "nsd", "knot")


def place(root: Path, software: str = "nsd", view: str | None = None) -> Place:
    return Place(Batch(root=str(root)), software, view, "127.0.0.1", 1)


@pytest.mark.parametrize("software", SOFTWARE)
@pytest.mark.parametrize("view", [None, "inside", "outside"])
def test_the_list_tells_which_zones_it_was_written_for(
    tmp_path: Path, software: str, view: str | None
) -> None:
    made = place(tmp_path, software, view)
    (tmp_path / made.list[1:]).parent.mkdir(parents=True)
    made.put_list(ZONES)
    assert sorted(made.listed()) == sorted(ZONES)
    assert sorted(made.names()) == sorted(ZONES)
    assert ("-outside" in made.directory) == (view == "outside")


@given(st.text(st.sampled_from("abc019._-/=%2F3D"), min_size=1))
def test_each_zone_has_a_file_of_its_own(zone: str) -> None:
    assert "/" not in file_of(zone)
    assert "%" not in file_of(zone) or "%" in zone
    assert zone_of(file_of(zone)) == (None if zone.startswith(".") else zone)


def test_where_nothing_was_ever_made_nothing_is_asked(tmp_path: Path) -> None:
    asked = {"software": "knot", "view": None, "address": "127.0.0.1", "port": 1, "do": "look"}
    batch = Batch(root=str(tmp_path))
    assert answer_to(batch, {**asked, "zones": ["x"], "contents": {"x": None}}) == {
        "serials": {},
        "files": {"x": {"sum": None}},
    }


def test_a_server_that_does_not_answer_is_silent(tmp_path: Path) -> None:
    (tmp_path / "var/lib/knot/reconciler-zones").mkdir(parents=True)
    (tmp_path / "var/lib/knot/reconciler-zones/x.db").write_text("")
    asked = {"software": "knot", "view": None, "address": "127.0.0.1", "port": 1, "do": "look"}
    assert "nothing answers" in answer_to(Batch(root=str(tmp_path)), asked)["silent"]


STATUS = Ran(0, "name: x\ntype: primary\nserial: 17\nnodes: 2\n")
NO_ZONE = Ran(1, "", "rndc: 'zonestatus' failed: not found\n")
NO_SERVER = Ran(1, "", "rndc: connect failed: 127.0.0.1#953: connection refused\n")


@pytest.mark.parametrize(
    ("ran", "answer"),
    [
        (STATUS, {"serials": {"x": 17}}),
        (NO_ZONE, {"serials": {}}),
        (NO_SERVER, {"silent": f"rndc says: {NO_SERVER.complaint}"}),
    ],
)
def test_in_a_view_the_server_is_asked_by_its_control(
    tmp_path: Path, ran: Ran, answer: dict[str, Any]
) -> None:
    (tmp_path / "var/lib/bind/reconciler-zones-outside").mkdir(parents=True)
    (tmp_path / "var/lib/bind/reconciler-zones-outside/x.db").write_text("")
    ran_with: list[Sequence[str]] = []

    def run(argv: Sequence[str], *, seconds: float) -> Ran:
        del seconds
        ran_with.append(argv)
        return ran

    asked = {"software": "bind-files", "view": "outside", "address": "", "port": 53, "do": "look"}
    assert answer_to(Batch(root=str(tmp_path), run=run), asked) == answer
    assert ran_with == [("rndc", "zonestatus", "x", "IN", "outside")]


NAME = b"\4farm\10internal\0"
SOA = b"\2ns\xc0\x0c\1h\xc0\x0c" + struct.pack("!5I", 77, 1, 2, 3, 4)
HEAD = struct.pack("!6H", 5, 0x8400, 1, 1, 0, 0)
ASKED = NAME + struct.pack("!HH", 6, 1)
ANSWER = HEAD + ASKED + b"\xc0\x0c" + struct.pack("!HHIH", 6, 1, 60, len(SOA)) + SOA


def test_the_serial_is_found_in_an_answer() -> None:
    assert serial_in(ANSWER) == 77
    assert question(5, "farm.internal")[12:] == ASKED


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 255))
def test_a_garbled_answer_is_no_serial_or_another(at: int, byte: int) -> None:
    serial = serial_in(ANSWER[:at] + bytes([byte]) + ANSWER[at + 1 :])
    assert serial is None or 0 <= serial < 2**32
    assert serial_in(ANSWER[: len(HEAD) + at % 40]) is None
