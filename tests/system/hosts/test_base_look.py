"""The look at the base of a real Debian: what it says, what it sees change, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.ports.facts import (
    CommandFact,
    Fact,
    FileFact,
    GroupFact,
    MountFact,
    PackageFact,
    Question,
    ReadFact,
    ServiceFact,
    SettingFact,
    SysctlFact,
    UserFact,
)
from reconciler.ports.machine import Machine
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost, eventually, taken

HOST = "virt3"
FILE = "/srv/probe.conf"
UNIT = "/run/systemd/system/probe.service"
PROBE = """\
[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/true
"""
SERVICE = Question("service", "probe", (FILE,))
ETC = (
    "passwd group hosts fstab profile bash.bashrc environment issue networks nsswitch.conf "
    "resolv.conf debian_version host.conf login.defs ld.so.conf pam.conf shells subuid subgid motd"
)
PACKAGES = "bash coreutils dash libc6 openssh-server libvirt-daemon nftables procps systemd dpkg"
ALLOWED = timedelta(milliseconds=100)


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    with taken(lab.directory, HOST), driven(lab, tmp_path_factory.mktemp("state")) as farm:
        yield farm


@pytest.fixture
def machine(farm: RealFarm) -> Machine:
    return farm.machine(HOST)


@pytest.fixture
def host(lab: Lab, farm: RealFarm) -> LabHost:
    return lab.hosts[HOST]


@pytest.fixture
def probe(host: LabHost) -> Iterator[LabHost]:
    """A service that can be restarted and reloaded, with a file that it is said to read."""
    host.write_file(FILE, b"first")
    host.write_file(UNIT, PROBE.encode())
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", "probe")
    yield host
    host.run("systemctl", "stop", "probe")
    host.run("rm", "-f", FILE, UNIT)
    host.run("systemctl", "daemon-reload")


def ask(machine: Machine, question: Question) -> Fact | None:
    return machine.look([question]).answers[question]


def read(machine: Machine) -> ReadFact:
    fact = ask(machine, SERVICE)
    assert isinstance(fact, ServiceFact)
    return fact.reads[0]


def test_what_a_debian_is_made_of(machine: Machine) -> None:
    service, user = Question("service", "ssh"), Question("user", "root")
    package, name = Question("package", "openssh-server"), Question("setting", "hostname")
    sysctl, root = Question("sysctl", "net.ipv4.ip_default_ttl"), Question("mount", "/")
    nothing = [
        Question("file", "/etc/no-such"),
        Question("package", "no-such"),
        Question("service", "no-such"),
        Question("user", "no-such"),
        Question("group", "no-such"),
        Question("sysctl", "no.such"),
        Question("module", "no_such"),
        Question("mount", "/no/such"),
        Question("volume_group", "all"),
        Question("zpool", "z0"),
    ]
    asked = [service, user, package, name, sysctl, root, Question("group", "root"), *nothing]
    answers = machine.look(asked).answers
    assert answers[service] == ServiceFact(is_enabled=True, is_running=True, is_masked=False)
    assert isinstance(answers[package], PackageFact)
    assert answers[name] == SettingFact(HOST)
    assert answers[sysctl] == SysctlFact("64", None)
    assert answers[Question("group", "root")] == GroupFact(0)
    mount, account = answers[root], answers[user]
    assert isinstance(mount, MountFact)
    assert (mount.is_mounted, mount.type) == (True, "overlay")
    assert isinstance(account, UserFact)
    assert any("reconciler@lab" in key for key in account.keys)
    assert [answers[question] for question in nothing] == [None] * len(nothing)


@pytest.mark.parametrize(
    ("unit", "is_there"),
    [("sshd", True), ("ssh.socket", True), ("multi-user.target", True), ("getty@tty1", True)],
)
def test_units_by_their_other_names(machine: Machine, unit: str, is_there: bool) -> None:
    assert isinstance(ask(machine, Question("service", unit)), ServiceFact) is is_there


def test_a_unit_that_cannot_be_is_named_and_hides_nothing_else(machine: Machine) -> None:
    asked = [Question("service", name) for name in ("getty@", "ssh", "zebra")]
    facts = machine.look(asked)
    assert set(facts.failed) == {asked[0]}
    assert facts.answers[asked[1]] is not None
    assert facts.answers[asked[2]] is None


def test_a_masked_unit(probe: LabHost, machine: Machine) -> None:
    probe.run("systemctl", "mask", "--runtime", "--now", "nftables")
    try:
        fact = ask(machine, Question("service", "nftables"))
        assert fact == ServiceFact(is_enabled=False, is_running=False, is_masked=True)
    finally:
        probe.run("systemctl", "unmask", "--runtime", "nftables")


@pytest.mark.parametrize("how", ["restart", "reload"])
def test_a_service_has_read_its_file_once_it_began_anew(
    probe: LabHost, machine: Machine, how: str
) -> None:
    assert read(machine).is_current
    probe.write_file(FILE, b"second")
    assert not read(machine).is_current
    probe.run("systemctl", how, "probe")
    assert read(machine).is_current


def test_a_service_that_was_started_anew_by_systemd_has_read_its_file(
    probe: LabHost, machine: Machine
) -> None:
    probe.write_file(UNIT, (PROBE + "Restart=always\nRestartSec=0\n").encode())
    probe.run("systemctl", "daemon-reload")
    probe.write_file(FILE, b"second")
    assert not read(machine).is_current
    probe.run("systemctl", "kill", "--signal=KILL", "probe")
    eventually(lambda: read(machine).is_current or None, within=timedelta(seconds=20))


def test_a_service_that_is_stopped_waits_for_no_file(probe: LabHost, machine: Machine) -> None:
    probe.write_file(FILE, b"second")
    probe.run("systemctl", "stop", "probe")
    assert read(machine).is_current


def test_changes_by_hand_are_seen(probe: LabHost, machine: Machine) -> None:
    file = Question("file", FILE)
    before = ask(machine, file)
    probe.run("chmod", "0600", FILE)
    after = ask(machine, file)
    assert isinstance(before, FileFact)
    assert isinstance(after, FileFact)
    assert (before.mode, after.mode) == ("0644", "0600")
    probe.run("rm", FILE)
    assert ask(machine, file) is None


def test_a_check_that_hangs_costs_its_own_time_only(machine: Machine) -> None:
    hanging = Question("command", "hangs", ("sleep", "600"))
    done = Question("command", "done", ("true",))
    answers = machine.look([hanging, done]).answers
    assert answers[done] == CommandFact(is_done=True)
    assert answers[hanging] == CommandFact(is_done=False, message="sleep was not done within 10 s")


def test_a_base_of_a_usual_size_is_seen_in_a_tenth_of_a_second(
    farm: RealFarm, machine: Machine
) -> None:
    asked = [Question("file", f"/etc/{name}") for name in ETC.split()]
    asked += [Question("package", name) for name in PACKAGES.split()]
    asked += [Question("service", name, ("/etc/hosts",)) for name in ("ssh", "dbus", "nftables")]
    asked += [Question("service", name) for name in ("libvirtd", "systemd-journald")]
    assert len(machine.look(asked).answers) >= 35
    looks, nothings = [], []
    for _ in range(15):
        looks.append(seconds_of(lambda: machine.look(asked)))
        nothings.append(seconds_of(lambda: farm.shell(HOST).run(["true"])))
    # A machine that is busy with other things takes longer for a command that does nothing too.
    assert min(looks) < max(ALLOWED.total_seconds(), 16 * min(nothings))


def seconds_of(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def test_the_program_leaves_nothing_on_the_host(host: LabHost, machine: Machine) -> None:
    machine.look([])
    made = host.run("find", "/var/lib", "/root", "-newer", "/proc/1", "-name", "*.py")
    assert made == ""
    assert Path(FILE).name not in host.run("ls", "/srv")
