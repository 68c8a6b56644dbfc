"""F24, F25 for real: the host takes back what cut it off, whatever has become of the reconciler."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Conflict, Unreachable
from reconciler.kinds.base.management import safety_of_file, safety_of_service
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.model.secret import SealedSecret
from reconciler.ports.acts import Act, PutFile, PutMark, RestartService, SetService
from reconciler.ports.facts import Mark, Question
from reconciler.ports.machine import Safety
from tests.system.lab import CHECKOUT, Lab, LabHost, eventually, taken

DEADLINE = timedelta(seconds=20)
RULES = "/etc/nftables.conf"
SSHD = "/etc/ssh/sshd_config.d/90-test.conf"
FILE = "etc-nftables.conf"
# Who is in stays in, as with most firewalls: only a new connection tells that it is shut.
SHUT = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
    }
}
"""
OPEN = SHUT.replace("policy drop", "policy accept")
AFTERWARDS = f"""\
systemctl disable --now reconciler-switch.timer reconciler-switch-boot.service
rm -rf /var/lib/reconciler/switch {SSHD} /etc/systemd/system/reconciler-switch*
systemctl daemon-reload
systemctl disable --now nftables
nft flush ruleset
"""
KILLED = """\
import os, signal, sys
from tests.system.hosts.test_switch import machine_of, start_rules
from tests.system.lab import start
from pathlib import Path

lab = start(Path(sys.argv[1]), hosts=int(sys.argv[2][-1]))
machine = machine_of(lab, lab.hosts[sys.argv[2]])
machine._shell.close = lambda: os.kill(os.getpid(), signal.SIGKILL)
start_rules(machine, sys.argv[3])
"""


@pytest.fixture
def virthost(lab: Lab) -> Iterator[LabHost]:
    """A host with a firewall that is off, this test's alone."""
    host = lab.hosts["virt3"]
    with taken(lab.directory, host.name):
        before = host.run("cat", RULES)
        yield host
        eventually(lambda: True if host.attempt("true").code == 0 else None)
        host.run("sh", "-c", AFTERWARDS)
        host.write_file(RULES, before.encode())


@pytest.fixture
def machine(lab: Lab, virthost: LabHost) -> SshMachine:
    return machine_of(lab, virthost)


def machine_of(lab: Lab, host: LabHost) -> SshMachine:
    access = Access(lab.ssh_key, lab.known_hosts, connect_deadline=timedelta(seconds=5))
    return SshMachine(Shell(host.name, host.address, access), _reveal)


def _reveal(secret: SealedSecret) -> str:
    raise AssertionError(secret)


def guarded(safety: Safety | None) -> Safety:
    assert safety
    return Safety(safety.files, safety.services, safety.concerns, DEADLINE)


def write_rules(machine: SshMachine, content: str, digest: str) -> None:
    """As the kind `file` does it: the file, and its mark."""
    owner = Owner("production", FILE, digest)
    mark = PutMark(Mark("file", owner, Question("file", RULES)))
    put = PutFile(RULES, content, "0644", "root", "root")
    machine.do([put, mark], safety=guarded(safety_of_file(of("file"), RULES, digest)))


def start_rules(machine: SshMachine, digest: str) -> None:
    """As the kind `service` does it."""
    safety = safety_of_service(of("service"), "nftables", [RULES], digest)
    machine.do([SetService("nftables", enabled=True, running=True)], safety=guarded(safety))


def of(kind: str) -> Address:
    return Address(kind, FILE if kind == "file" else "nftables", "virt3")


def undone(machine: SshMachine) -> dict[Address, str]:
    return dict(machine.look([]).undone)


def is_open(host: LabHost) -> bool:
    """By new connections, and by what the firewall says."""
    return host.run("nft", "list", "ruleset") == ""


def test_a_change_that_is_well_stays(virthost: LabHost, machine: SshMachine) -> None:
    write_rules(machine, OPEN, "open")
    start_rules(machine, "open")
    assert "policy accept" in virthost.run("nft", "list", "ruleset")
    assert virthost.attempt("systemctl", "is-active", "reconciler-switch.timer").code
    assert "armed.json" not in virthost.run("ls", "/var/lib/reconciler/switch")
    assert not undone(machine)


def test_F24_rules_that_drop_ssh_are_taken_back(virthost: LabHost, machine: SshMachine) -> None:
    before = virthost.run("cat", RULES)
    write_rules(machine, SHUT, "shut")
    began = time.monotonic()
    with pytest.raises(Conflict, match=f"cut the host off.*put back: {RULES}"):
        start_rules(machine, "shut")

    assert time.monotonic() - began < DEADLINE.total_seconds() + 6
    assert virthost.run("cat", RULES) == before, "what was there before the first of the changes"
    assert virthost.attempt("systemctl", "is-enabled", "nftables").stdout == "disabled\n"
    assert is_open(virthost)
    assert undone(machine) == {of("file"): "shut", of("service"): "shut"}
    assert "put back" in virthost.run("journalctl", "-u", "reconciler-switch", "-o", "cat")


@pytest.mark.parametrize("content", ["AllowUsers nobody\n", "Port 2222\n", "DenyUsers root\n"])
def test_F24_an_sshd_that_does_not_let_us_in_is_taken_back(
    virthost: LabHost, machine: SshMachine, content: str
) -> None:
    safety = guarded(safety_of_service(of("service"), "ssh", [SSHD], "shut"))
    acts: list[Act] = [PutFile(SSHD, content, "0644", "root", "root"), RestartService("ssh")]
    with pytest.raises(Conflict, match="cut the host off"):
        machine.do(acts, safety=safety)
    assert virthost.attempt("ls", SSHD).code


def test_F24_an_sshd_that_does_not_start_is_taken_back_at_once(
    virthost: LabHost, machine: SshMachine
) -> None:
    safety = guarded(safety_of_service(of("service"), "ssh", [SSHD], "broken"))
    acts: list[Act] = [PutFile(SSHD, "Nonsense\n", "0644", "root", "root"), RestartService("ssh")]
    with pytest.raises(Conflict, match="restart ssh"):
        machine.do(acts, safety=safety)
    assert virthost.attempt("ls", SSHD).code


def kill_between(lab: Lab, host: LabHost) -> None:
    """A reconciler makes the change, and is dead before it confirms it."""
    argv = [sys.executable, "-c", KILLED, str(lab.directory), host.name, "shut"]
    done = subprocess.run(argv, cwd=CHECKOUT, check=False, timeout=60)
    assert done.returncode == -9
    assert host.attempt("true", within=timedelta(seconds=10)).code, "it is cut off"


def test_F25_the_host_is_back_without_us_and_a_second_time_holds(
    lab: Lab, virthost: LabHost, machine: SshMachine
) -> None:
    for held in (frozenset[Address](), frozenset({of("file"), of("service")})):
        write_rules(machine, SHUT, "shut")
        kill_between(lab, virthost)
        eventually(lambda: True if virthost.attempt("true").code == 0 else None, within=DEADLINE)
        assert is_open(virthost)
        assert undone(machine).keys() == held


def test_F24_a_power_cut_while_on_trial_does_not_make_the_change_last(
    lab: Lab, virthost: LabHost, machine: SshMachine
) -> None:
    before = virthost.run("cat", RULES)
    write_rules(machine, SHUT, "shut")
    kill_between(lab, virthost)
    lab.kill(virthost.name)
    lab.boot()
    assert virthost.run("cat", RULES) == before
    assert is_open(virthost)
    assert virthost.attempt("systemctl", "is-enabled", "nftables").stdout == "disabled\n"
    story = virthost.run("cat", "/var/lib/reconciler/switch/story.json")
    assert "the host was started anew" in story
    assert virthost.run("systemctl", "is-system-running").strip() == "running"


def test_another_trial_waits_for_the_first(
    lab: Lab, virthost: LabHost, machine: SshMachine
) -> None:
    write_rules(machine, OPEN, "open")
    argv = [sys.executable, "-c", KILLED, str(lab.directory), virthost.name, "open"]
    subprocess.run(argv, cwd=CHECKOUT, check=False, timeout=60)
    machine.look([])
    with pytest.raises(Conflict, match="another change is on trial"):
        start_rules(machine, "open")


def test_a_host_that_is_away_is_not_waited_for(
    lab: Lab, virthost: LabHost, machine: SshMachine
) -> None:
    with lab.cut_off(virthost.name), pytest.raises(Unreachable):
        start_rules(machine, "open")
