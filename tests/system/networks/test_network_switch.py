"""F24, F25, F36 for real: a change of its network that cuts a host off is taken back there."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.drivers.ssh.machine import SshMachine
from reconciler.errors import Conflict
from reconciler.kinds.base.kind import ChangeBase
from reconciler.kinds.base.management import safety_of_network
from reconciler.kinds.network.link import BRIDGE, LinkSpec
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.acts import RunCommand
from reconciler.ports.machine import Safety
from reconciler.ports.network_facts import Route, TextFile
from tests.system.hosts.test_switch import machine_of
from tests.system.lab import CHECKOUT, Lab, LabHost, eventually, taken

HOST, NAME = "virt6", "br-way"
DEADLINE = timedelta(seconds=12)
BRIDGE_AT = Address("bridge", NAME, HOST)
FILE = TextFile("/etc/systemd/network/50-reconciler-br-way.netdev", "[NetDev]\nName=br-way\n")
# Open vSwitch chooses the hardware addresses of what it makes.
STATE = """\
ip -brief address | sed 's/@if[0-9]*//'
ip -brief link | sed '/^br-ovs\\|^ovs-/d; s/@if[0-9]*//; s/,PROMISC//'
ip -details link show type bridge | grep -o 'forward_delay [0-9]*'
for family in 4 6; do ip -$family -N -o route show table all; ip -$family rule; done
ovs-vsctl show | tail -n +2
nft list ruleset
ls /etc/systemd/network
"""
AFTERWARDS = """\
systemctl disable --now reconciler-switch.timer reconciler-switch-boot.service
rm -rf /var/lib/reconciler/switch /var/lib/reconciler/base.json
rm -f /etc/systemd/system/reconciler-switch* /etc/systemd/network/50-reconciler-br-way.*
systemctl daemon-reload
ip link show br-way && ip link delete br-way
ovs-vsctl --if-exists del-br br-way
true
"""
MOVED = f"""\
ip link add {NAME} type bridge
ip link set {NAME} up
old=$(ip -brief -4 address show dev mgmt0 | awk '{{print $3}}')
ip link set mgmt0 master {NAME}
ip address delete $old dev mgmt0
ip address add ${{1:-$old}} dev {NAME}
"""
# Whoever brings the lab up for another test gives all hosts their addresses: this they do not mend.
NO_WAY = "ip route add blackhole 10.213.7.0/25"
LOST = MOVED.replace("${1:-$old}", "10.213.7.200/24") + NO_WAY
SWITCHED = f"ovs-vsctl --timeout=9 add-port br-ovs mgmt0 -- add-br {NAME}"
SWITCHED += f" -- set bridge {NAME} datapath_type=netdev"
KILLED = """\
import os, signal, sys
from pathlib import Path
from tests.system.hosts.test_switch import machine_of
from tests.system.lab import start
from tests.system.networks.test_network_switch import change

lab = start(Path(sys.argv[1]), hosts=int(sys.argv[2][-1]))
machine = machine_of(lab, lab.hosts[sys.argv[2]])
machine._shell.close = lambda: os.kill(os.getpid(), signal.SIGKILL)
change(machine, sys.argv[3], sys.argv[4])
"""


@pytest.fixture
def virthost(lab: Lab) -> Iterator[LabHost]:
    """A host, this test's alone."""
    host = lab.hosts[HOST]
    with taken(lab.directory, host.name):
        yield host
        eventually(lambda: True if host.attempt("true").code == 0 else None)
        host.run("sh", "-c", AFTERWARDS)


@pytest.fixture
def machine(lab: Lab, virthost: LabHost) -> SshMachine:
    machine = machine_of(lab, virthost)
    machine.look([])
    return machine


def safety(digest: str = "d-1") -> Safety:
    return replace(safety_of_network(BRIDGE_AT, digest, [FILE.path]), deadline=DEADLINE)


def change(machine: SshMachine, script: str, digest: str = "d-1") -> None:
    """What some act may come to."""
    act = RunCommand("a change of the network", ("sh", "-ec", script), 20)
    machine.do([act], safety=safety(digest))


def state(host: LabHost) -> list[str]:
    """As soon as the kernel has seen that nobody else has its IPv6 addresses."""
    eventually(lambda: None if host.run("ip", "-6", "address", "show", "tentative") else True)
    return sorted(host.run("sh", "-c", STATE).splitlines())


def undone(machine: SshMachine) -> dict[Address, str]:
    return dict(machine.look([]).undone)


def test_F24_a_bridge_that_swallows_the_way_in_is_taken_back(
    virthost: LabHost, machine: SshMachine
) -> None:
    """By the kind and its acts, as a commit would do it whose blackhole is too wide."""
    before = state(virthost)
    wanted = LinkSpec(
        HOST,
        NAME,
        "bridge",
        ports=("mgmt0",),
        addresses=(f"{virthost.address}/24",),
        routes=(Route("10.213.7.0/25", type="blackhole"),),
        files=(FILE,),
    )
    (operation,) = BRIDGE.create(wanted, Owner("production", NAME, "d-1"))
    assert isinstance(operation, ChangeBase)
    assert operation.safety
    assert operation.safety.network

    began = time.monotonic()
    with pytest.raises(Conflict, match=r"cut the host off.*put back:.*the network"):
        machine.do(operation.acts, safety=replace(operation.safety, deadline=DEADLINE))
    assert time.monotonic() - began < DEADLINE.total_seconds() + 6
    assert state(virthost) == before
    assert undone(machine) == {BRIDGE_AT: "d-1"}


@pytest.mark.parametrize(
    "script",
    [
        f"{NO_WAY}; ip link set mgmt0 down",
        "ip rule add from all unreachable pref 5; ip -6 address add 2001:db8::1/64 dev lan0",
        f"{NO_WAY}; ip link delete br-lan; ip address flush dev mgmt0; ip link set ovs0 mtu 1400",
        f"{NO_WAY}; {SWITCHED}; ip address flush dev mgmt0",
    ],
    ids=["down", "a rule", "no address", "into a switch"],
)
def test_F24_whatever_of_the_network_was_changed_comes_back(
    virthost: LabHost, machine: SshMachine, script: str
) -> None:
    before = state(virthost)
    with pytest.raises(Conflict, match="cut the host off"):
        change(machine, script)
    assert state(virthost) == before


def test_a_way_in_that_is_moved_well_stays(virthost: LabHost, machine: SshMachine) -> None:
    before = state(virthost)
    change(machine, MOVED)
    assert f"mgmt0@{NAME}" not in before
    assert NAME in virthost.run("ip", "-brief", "address", "show", "to", virthost.address)
    assert not undone(machine)
    back = f"""\
old=$(ip -brief -4 address show dev {NAME} | awk '{{print $3}}')
ip link delete {NAME}
ip address add $old dev mgmt0
"""
    change(machine, back)
    assert virthost.run("ip", "-brief", "address", "show", "dev", "mgmt0").count(virthost.address)


def test_an_act_that_fails_leaves_nothing_of_those_before_it(
    virthost: LabHost, machine: SshMachine
) -> None:
    before = state(virthost)
    script = f"ip link add {NAME} type bridge; nft add table inet strange; ip link del br-lan"
    began = time.monotonic()
    with pytest.raises(Conflict, match="exit code"):
        change(machine, f"{script}; ovs-vsctl --timeout=9 del-br br-ovs; exit 1")
    assert time.monotonic() - began < 5
    assert state(virthost) == before
    assert not undone(machine)


def kill_between(lab: Lab, host: LabHost, script: str) -> None:
    """A reconciler makes the change, and is dead before it confirms it."""
    argv = [sys.executable, "-c", KILLED, str(lab.directory), host.name, script, "d-1"]
    done = subprocess.run(argv, cwd=CHECKOUT, check=False, timeout=60)
    assert done.returncode == -9


def is_cut_off(host: LabHost) -> bool:
    """Asked quickly: the host has little time left until it is back."""
    try:
        socket.create_connection((host.address, 22), timeout=1).close()
    except OSError:
        return True
    return False


def test_F25_the_host_is_back_without_us_and_a_second_time_holds(
    lab: Lab, virthost: LabHost, machine: SshMachine
) -> None:
    before = state(virthost)
    for held in ({}, {BRIDGE_AT: "d-1"}):
        kill_between(lab, virthost, LOST)
        assert is_cut_off(virthost)
        eventually(lambda: True if virthost.attempt("true").code == 0 else None, within=DEADLINE)
        assert state(virthost) == before
        assert undone(machine) == held


def test_F36_a_power_cut_while_on_trial_does_not_make_the_change_last(
    lab: Lab, virthost: LabHost, machine: SshMachine
) -> None:
    before = state(virthost)
    tried = "ovs-vsctl --timeout=9 set bridge br-ovs external_ids:tried=yes"
    kill_between(lab, virthost, f"echo '[NetDev]' >{FILE.path}; {tried}; {LOST}")
    lab.kill(virthost.name)
    lab.boot()
    eventually(lambda: "ovs0" in virthost.run("ovs-vsctl", "show") or None)
    assert state(virthost) == before
    assert virthost.run("ovs-vsctl", "get", "bridge", "br-ovs", "external_ids") == "{}\n"
    story = virthost.run("cat", "/var/lib/reconciler/switch/story.json")
    assert "the host was started anew" in story
    assert virthost.run("systemctl", "is-system-running").strip() == "running"
