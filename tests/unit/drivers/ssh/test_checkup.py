"""What a host answers to a checkup: captured answers are understood, and lies do no harm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.checkup import (
    LONGEST_VALUE,
    Target,
    Watch,
    ask,
    clock_ahead,
    examine,
    facts_of,
    read_answer,
)
from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.ssh.trial import _sort
from reconciler.errors import Unreachable
from reconciler.plan.checkup.finding import Level
from reconciler.plan.checkup.hosts import judge_host
from reconciler.plan.checkup.observation import HostFacts, HostObservation, Manifest, Place, Room
from tests.remotes.sshd import ADDRESS, Sshd, make_key, silence

CAPTURED = Path(__file__).parents[3] / "golden/checkup/fresh-host.answer"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def facts(answer: bytes) -> HostFacts:
    return facts_of(read_answer(answer))


def test_a_captured_answer_is_understood() -> None:
    seen = facts(CAPTURED.read_bytes())
    assert seen.is_root
    assert (seen.system, seen.python) == ("debian 12", (3, 11, 2))
    assert (seen.libvirt, seen.qemu) == ("9.0.0", "QEMU 7.2.22")
    assert not seen.has_kvm
    assert seen.kvm_reason
    assert seen.directory == Place("directory", "700", "root")
    assert [room.name for room in seen.rooms] == ["/", "default", "gone", "vg", "z"]
    assert all(room.size_bytes for room in seen.rooms[:2])
    assert {room.size_bytes for room in seen.rooms[2:]} == {None}


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (b"python 3.9.1", "python", (3, 9, 1)),
        (b"python 3.x", "python", None),
        (b"python 99999999999.1", "python", None),
        (b"uid 00", "is_root", False),
        (b"kvm yes", "has_kvm", True),
        (b"kvm yes, really", "has_kvm", False),
        (b"emulator 8.0.2", "qemu", "QEMU 8.0.2"),
        (b"missing a\nmissing b\nmissing a", "missing_tools", ("a", "b")),
        (b"directory 700 root directory", "directory", Place("directory", "700", "root")),
        (b"directory 700", "directory", Place()),
        (b'fence {"token": 3, "holder": "ab"}', "fence", "ab, as number 3"),
        (b"fence nonsense", "fence", "nonsense"),
        (b"room 100 50 K a pool", "rooms", (Room("a pool", 102400, 51200),)),
        (b"room - - B vg", "rooms", (Room("vg", None, None),)),
        (b"room -1 \xd9\xa3 B vg", "rooms", (Room("vg", None, None),)),
        (b"room 1 1 G vg", "rooms", ()),
        (b"manifest no 644 bob regular file /x", "manifests",
         (Manifest("/x", Place("regular file", "644", "bob"), False),)),
        (b"system \x1b[2Jdebian", "system", "\\x1b[2Jdebian"),
    ],
)  # fmt: skip
def test_what_is_said_is_taken_for_what_it_can_be(line: bytes, field: str, value: object) -> None:
    assert getattr(facts(line), field) == value


@pytest.mark.parametrize(
    "answer", [b"", b"\xff\xfe\n\0", b"uid", b"room", b"room   ", b"manifest", b"{}\n" * 100_000]
)
def test_nonsense_is_nothing(answer: bytes) -> None:
    assert not facts(answer).is_root


def test_a_long_answer_is_cut() -> None:
    assert len(facts(b"system " + b"x" * 100_000).system) <= LONGEST_VALUE + 50


@pytest.mark.parametrize(
    ("told", "ahead"),
    [
        (b"1893456001.500000000\n", 1.0),
        (b"1893455990.5", -10.0),
        (b"yesterday", None),
        (b"", None),
        (b"1893456001", None),
        (b"9" * 400, None),
    ],
)
def test_the_clock_is_compared_with_the_middle_of_the_question(
    told: bytes, ahead: float | None
) -> None:
    assert clock_ahead(told, NOW, NOW + timedelta(seconds=1)) == ahead


def examined(sshd: Sshd, **changes: object) -> HostObservation:
    target = Target("virt1", ADDRESS, "qemu")
    return examine(target, sshd.access(**changes), Watch(lambda: datetime.now(UTC), lambda: 0.0))  # noqa: TID251 - compared with the real clock of the same machine


def test_this_machine_is_asked_over_ssh(sshd: Sshd) -> None:
    seen = examined(sshd)
    assert seen.trouble is None
    assert seen.facts is not None
    assert seen.facts.clock_ahead_seconds is not None
    assert abs(seen.facts.clock_ahead_seconds) < 5
    assert seen.facts.rooms[0].name == "/"


class Cut(Shell):
    """A shell whose answers break off."""

    def run(self, argv: Sequence[str], **options: Any) -> Result:
        result = super().run(argv, **options)
        return Result(result.exit_code, result.stdout[:60], result.stderr)


def test_half_an_answer_is_none(sshd: Sshd) -> None:
    shell = Cut("virt1", ADDRESS, sshd.access())
    try:
        with pytest.raises(Unreachable, match="in the middle"):
            ask(shell, (), Watch(lambda: NOW, lambda: 0.0), 30.0)
    finally:
        shell.close()


def test_what_rsa_keys_sign_with_counts_as_their_sort() -> None:
    assert {_sort("rsa-sha2-512"), _sort("rsa-sha2-256"), _sort("ssh-rsa")} == {"ssh-rsa"}
    assert _sort("ssh-ed25519") == "ssh-ed25519"


def test_a_key_that_is_not_let_in_is_told(sshd: Sshd, tmp_path: Path) -> None:
    seen = examined(sshd, key_file=make_key(tmp_path / "other"))
    assert seen.trouble is not None
    assert seen.trouble.stage == "login"


def test_a_host_whose_key_is_not_pinned_is_not_logged_in_to(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    seen = examined(sshd, known_hosts=tmp_path / "none")
    assert seen.key is not None
    assert (seen.key.verdict, seen.facts, seen.trouble) == ("unknown", None, None)
    assert seen.key.line == sshd.known_hosts().read_text().strip()


def test_a_host_with_another_key_is_not_logged_in_to(sshd: Sshd, tmp_path: Path) -> None:
    other = sshd.known_hosts(make_key(tmp_path / "another"))
    seen = examined(sshd, known_hosts=other)
    assert seen.key is not None
    assert (seen.key.verdict, seen.facts, seen.trouble) == ("wrong", None, None)


def test_a_server_that_says_nothing_is_given_up(sshd: Sshd) -> None:
    with silence() as port:
        pins = sshd.known_hosts()
        access = {"port": port, "known_hosts": pins, "connect_deadline": timedelta(seconds=1)}
        seen = examined(sshd, **access)
    assert seen.trouble is not None
    assert seen.trouble.stage == "look"
    assert [each.level for each in judge_host(seen)] == [Level.BAD]


def test_a_frozen_host_is_given_up(sshd: Sshd) -> None:
    sshd.freeze()
    try:
        seen = examined(sshd, connect_deadline=timedelta(seconds=1))
    finally:
        sshd.thaw()
    assert seen.trouble is not None
    assert seen.trouble.stage == "look"
