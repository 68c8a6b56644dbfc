"""A host tells of what is done to its network by hand, at once, and not of what guests do."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from reconciler.cli.lookout import ALWAYS
from reconciler.drivers.ssh.events import listening, paths_in
from reconciler.drivers.ssh.stream import Stream
from tests.system.hosts.test_switch import machine_of
from tests.system.lab import Lab, LabHost, eventually, taken

AT_ONCE_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
QUIET_SECONDS = 1.0
READY = "/etc/reconciler-listens"
CLEAN = """\
ip link delete br-heard
ip rule delete pref 777
nft delete table inet reconciler_heard
nft delete table inet heard
ovs-vsctl --if-exists del-port heard0
rm -f /etc/reconciler-listens /etc/libvirt/qemu/networks/heard.xml /etc/kea/heard
true
"""
DATABASE = "/var/lib/openvswitch/conf.db"


class Heard:
    """What the stream says."""

    def __init__(self, host: LabHost, stream: Stream) -> None:
        self.host = host
        self.stream = stream
        self.lines: queue.Queue[str] = queue.Queue()

    def after(self, command: str, line: str) -> float:
        """How many seconds after a command of the host ended, at most, a line came."""
        while not self.lines.empty():
            self.lines.get()
        self.host.run("sh", "-c", command)
        done = time.monotonic()
        while self.lines.get(timeout=PATIENCE_SECONDS) != line:
            pass
        return time.monotonic() - done

    def rest(self) -> list[str]:
        """What comes until nothing comes any more."""
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(self.lines.get(timeout=QUIET_SECONDS))
        return found


@pytest.fixture
def heard(lab: Lab) -> Iterator[Heard]:
    """A host that is listened to, this test's alone."""
    host = lab.hosts["virt6"]
    with taken(lab.directory, host.name):
        host.run("sh", "-c", f"({CLEAN}) >/dev/null 2>&1")
        machine = machine_of(lab, host)
        with machine._shell.stream(listening(ALWAYS)) as stream:
            heard = Heard(host, stream)
            lines = paths_in(stream)
            threading.Thread(target=lambda: [*map(heard.lines.put, lines)], daemon=True).start()
            _begin(heard)
            yield heard
        host.run("sh", "-c", f"({CLEAN}) >/dev/null 2>&1")


def _begin(heard: Heard) -> None:
    """The program that listens takes a moment to start."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while heard.lines.empty() and time.monotonic() < ends:
        heard.host.run("touch", READY)
    heard.rest()


def test_each_change_by_hand_is_told_within_a_second(heard: Heard) -> None:
    for command, line in (
        ("ip link add br-heard type bridge", "network: link br-heard"),
        ("ip link set br-heard up", "network: link br-heard"),
        ("ip address add 10.213.222.1/24 dev br-heard", "network: address br-heard"),
        ("ip route add 10.213.223.0/24 via 10.213.222.9", "network: route"),
        ("ip link delete br-heard", "network: link br-heard"),
        ("ip rule add from 10.213.222.1 table 7 pref 777", "network: routing"),
        ("nft add table inet reconciler_heard", "network: rules reconciler_heard"),
        ("nft delete table inet reconciler_heard", "network: rules reconciler_heard"),
        ("ovs-vsctl add-port br-ovs heard0 -- set interface heard0 type=internal", DATABASE),
        ("ovs-vsctl del-port heard0", DATABASE),
        ("touch /etc/kea/heard", "/etc/kea/heard"),
        (
            "mkdir -p /etc/libvirt/qemu/networks; touch /etc/libvirt/qemu/networks/heard.xml",
            "/etc/libvirt/qemu/networks/heard.xml",
        ),
    ):
        assert heard.after(command, line) < AT_ONCE_SECONDS, command


def test_guests_that_come_and_go_and_tables_of_others_are_not_told_of(heard: Heard) -> None:
    """Of the bridge that they are plugged into there may be a word, and there is an end to it."""
    heard.host.run("nft", "add", "table", "inet", "heard")
    guest = "ip tuntap add vnet77 mode tap; ip link set vnet77 master br-lan up"
    for _ in range(3):
        heard.host.run("sh", "-c", f"{guest}; sleep 0.2; ip link delete vnet77")
    told = heard.rest()
    assert set(told) <= {"network: link br-lan"}
    assert len(told) <= 6


def test_a_host_that_is_left_alone_says_nothing(heard: Heard) -> None:
    """Looking at it makes no event either, or the loop would wake itself."""
    for words in (("ovs-vsctl", "show"), ("ovsdb-client", "backup"), ("nft", "list", "ruleset")):
        heard.host.run(*words)
    assert heard.rest() == []


def test_nothing_of_what_listens_outlives_the_connection(heard: Heard) -> None:
    """One watches directories, one more the database of Open vSwitch, for each write."""
    counting = ("sh", "-c", "pgrep -c inotifywait || true")
    assert int(heard.host.run(*counting)) == 2
    heard.stream.close()
    eventually(lambda: int(heard.host.run(*counting)) == 0 or None)
