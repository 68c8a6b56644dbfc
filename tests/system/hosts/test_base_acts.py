"""Acts on a real Debian: each does what it says, and a look sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.errors import Conflict
from reconciler.model.resource import Owner
from reconciler.ports.acts import (
    Act,
    Forget,
    HoldPackage,
    InstallPackage,
    LockUser,
    Mount,
    PutDirectory,
    PutFile,
    PutGroup,
    PutMark,
    PutSetting,
    PutUser,
    RemoveGroup,
    RemovePackage,
    RemovePath,
    RestartService,
    RunCommand,
    SetService,
    SetSysctl,
    Unmount,
)
from reconciler.ports.facts import About, Mark, Question
from reconciler.ports.machine import Machine
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.mirror import PROXY, to_the_mirror

HERE = Path(__file__).parents[1]
HOST = "virt3"
LONG = timedelta(seconds=90)
ROOM = "/srv/acts"
SHELL: dict[str, Any] = {"shell": "/bin/bash"}
OWNER = Owner("production", "x", "0123456789abcdef")
SOURCE = f"deb [trusted=yes] file:{ROOM}/repository ./\n"
UNIT = f"""\
[Service]
ExecStartPre=/bin/sh -c 'echo begun >>{ROOM}/begun'
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'echo reloaded >>{ROOM}/begun'

[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    with taken(lab.directory, HOST), driven(lab, tmp_path_factory.mktemp("farm")) as farm:
        yield farm
        clean(lab.hosts[HOST])


@pytest.fixture
def host(lab: Lab, farm: RealFarm) -> LabHost:
    clean(lab.hosts[HOST])
    return lab.hosts[HOST]


@pytest.fixture
def machine(host: LabHost, farm: RealFarm) -> Machine:
    machine = farm.machine(HOST)
    machine.look([])  # the fence went with the directory that was cleaned away
    machine.do([PutDirectory(ROOM, "0755", "root", "root")])
    return machine


def clean(host: LabHost) -> None:
    host.run("bash", "-s", stdin=HERE.joinpath("clean-acts").read_bytes(), within=LONG)


def file(path: str, content: str, **changes: Any) -> PutFile:
    fields = {"mode": "0644", "owner": "root", "group": "root", **changes}
    return PutFile(path, content, **fields)


def mark(about: About, name: str, *details: str) -> PutMark:
    return PutMark(Mark(about, OWNER, Question(about, name, details)))


def ask(machine: Machine, about: About, name: str, *details: str) -> Any:
    question = Question(about, name, details)
    return machine.look([question]).answers[question]


def refused(machine: Machine, *acts: Act) -> str:
    with pytest.raises(Conflict) as caught:
        machine.do(acts)
    return caught.value.cause


# ------------------------------------------------------------------------------------- packages


@pytest.fixture
def debian(host: LabHost, machine: Machine) -> LabHost:
    """A host with a repository of its own, which apt does not know of yet."""
    host.run("bash", "-s", stdin=HERE.joinpath("debian-repository").read_bytes())
    # The repositories of the world are not to be had from here, and not to be waited for.
    words = 'Dir::Etc::sourcelist "/dev/null";\n'
    machine.do([file("/etc/apt/apt.conf.d/00acts", words)])
    return host


SOURCES = file("/etc/apt/sources.list.d/acts.list", SOURCE)


def version_of(machine: Machine, name: str = "acts-tool") -> tuple[str, bool] | None:
    fact = ask(machine, "package", name)
    return (fact.version, fact.is_held) if fact else None


def test_a_package_is_there_as_soon_as_its_source_is_declared(
    debian: LabHost, machine: Machine
) -> None:
    assert "Unable to locate package acts-tool" in refused(machine, InstallPackage("acts-tool"))
    machine.do([SOURCES, InstallPackage("acts-tool")])
    assert version_of(machine) == ("2", False)


def test_a_package_goes_to_any_version_keeps_what_was_changed_by_hand_and_stays_held(
    debian: LabHost, machine: Machine
) -> None:
    machine.do([SOURCES, InstallPackage("acts-tool", "1"), HoldPackage("acts-tool", held=True)])
    debian.write_file("/etc/acts-tool.conf", b"by hand\n")
    machine.do([InstallPackage("acts-tool", "2")])
    assert version_of(machine) == ("2", True)
    assert debian.run("cat", "/etc/acts-tool.conf") == "by hand\n"
    machine.do([InstallPackage("acts-tool", "1"), HoldPackage("acts-tool", held=False)])
    assert version_of(machine) == ("1", False)


def test_a_package_is_removed_alone_and_leaves_its_configuration(
    debian: LabHost, machine: Machine
) -> None:
    machine.do([SOURCES, InstallPackage("acts-friend")])
    assert "acts-friend would go too" in refused(machine, RemovePackage("acts-tool"))
    machine.do([RemovePackage("acts-friend"), RemovePackage("acts-tool")])
    assert version_of(machine) is None
    assert debian.run("cat", "/etc/acts-tool.conf") == "of version 2\n"


def test_what_dpkg_was_killed_in_is_ended_before_the_next(
    debian: LabHost, machine: Machine
) -> None:
    debian.run(
        "systemd-run", "--quiet", "--collect", "--unit=acts-dpkg", "--property=KillSignal=SIGKILL",
        "dpkg", "-i", f"{ROOM}/repository/acts-slow_1.deb",
    )  # fmt: skip
    status = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", "acts-slow")
    eventually(lambda: debian.attempt(*status).stdout == "half-configured" or None)
    debian.run("systemctl", "stop", "acts-dpkg")
    debian.write_file(f"{ROOM}/go", b"")
    machine.do([SOURCES, InstallPackage("acts-tool")])
    assert debian.run(*status) == "installed"
    assert version_of(machine) == ("2", False)


def test_what_takes_too_long_is_ended_and_can_be_done_again(
    debian: LabHost, machine: Machine
) -> None:
    slow = ("timeout", "600", "apt-get", "-qy", "install", "acts-slow")
    error = refused(
        machine, SOURCES, RunCommand("slow", ("apt-get", "update"), 60), RunCommand("slow", slow, 3)
    )
    assert error == "timeout was not done within 3 s, and was stopped"
    debian.write_file(f"{ROOM}/go", b"")
    machine.do([InstallPackage("acts-slow")])
    assert version_of(machine, "acts-slow") == ("1", False)


@pytest.mark.timeout(300)
def test_a_mirror_that_is_not_reached_is_what_is_told(host: LabHost, machine: Machine) -> None:
    host.write_file("/etc/apt/apt.conf.d/00acts", PROXY.encode())
    error = refused(machine, InstallPackage("no-such"))
    assert "Unable to locate package no-such" in error
    assert "the lists of packages could not be fetched: " in error
    assert "Could not connect to 127.0.0.1:3142" in error


@pytest.mark.timeout(300)
def test_a_package_really_comes_from_the_mirror(host: LabHost, machine: Machine) -> None:
    with to_the_mirror(host):
        host.write_file("/etc/apt/apt.conf.d/00acts", PROXY.encode())
        machine.do([InstallPackage("tree")])
        assert "tree" in host.run("tree", "--version")
        machine.do([RemovePackage("tree")])
    assert version_of(machine, "tree") is None


# ------------------------------------------------------------------------------------- services


@pytest.fixture
def service(host: LabHost, machine: Machine) -> LabHost:
    """A host with a service of ours that reads a file."""
    machine.do(
        [
            file("/etc/systemd/system/acts.service", UNIT),
            file(f"{ROOM}/conf", "one\n"),
            SetService("acts", enabled=True, running=True),
            mark("service", "acts", f"{ROOM}/conf"),
        ]
    )
    return host


def begun(host: LabHost) -> list[str]:
    return host.run("cat", f"{ROOM}/begun").split()


def is_current(machine: Machine) -> bool:
    fact = ask(machine, "service", "acts", f"{ROOM}/conf")
    assert fact.is_running
    return bool(fact.reads[0].is_current)


def test_a_service_starts_once_and_reads_a_changed_file_once(
    service: LabHost, machine: Machine
) -> None:
    assert is_current(machine)
    machine.do([file(f"{ROOM}/conf", "two\n")])
    assert not is_current(machine)
    machine.do([RestartService("acts"), mark("service", "acts", f"{ROOM}/conf")])
    assert is_current(machine)
    machine.do([SetService("acts", enabled=True, running=True)])
    assert begun(service) == ["begun", "begun"]


def test_a_reload_is_no_restart(service: LabHost, machine: Machine) -> None:
    machine.do([file(f"{ROOM}/conf", "two\n"), RestartService("acts", "reload")])
    machine.do([mark("service", "acts", f"{ROOM}/conf")])
    assert begun(service) == ["begun", "reloaded"]


def test_a_file_that_was_changed_back_by_hand_was_read(service: LabHost, machine: Machine) -> None:
    service.write_file(f"{ROOM}/conf", b"by hand\n")
    assert not is_current(machine)
    machine.do([file(f"{ROOM}/conf", "one\n")])
    assert is_current(machine)


def test_a_unit_that_was_changed_is_read_again(service: LabHost, machine: Machine) -> None:
    changed = UNIT.replace("echo begun", "echo anew")
    machine.do([file("/etc/systemd/system/acts.service", changed), RestartService("acts")])
    assert begun(service) == ["begun", "anew"]


def test_a_service_that_does_not_run_is_not_started_to_read(
    service: LabHost, machine: Machine
) -> None:
    machine.do([SetService("acts", running=False), RestartService("acts")])
    assert not ask(machine, "service", "acts").is_running
    assert begun(service) == ["begun"]


def test_a_service_that_fails_is_named(service: LabHost, machine: Machine) -> None:
    broken = UNIT.replace("ExecStartPre=/bin/sh -c", "ExecStartPre=/bin/false")
    error = refused(
        machine, file("/etc/systemd/system/acts.service", broken), RestartService("acts")
    )
    assert "journalctl --unit=acts" in error


def test_a_checker_sees_the_file_under_a_name_that_it_takes(
    host: LabHost, machine: Machine
) -> None:
    check = ("systemd-analyze", "verify", "--recursive-errors=no", "{}")
    unit = file("/etc/systemd/system/acts.service", UNIT, check=check)
    machine.do([unit])
    broken = file(unit.path, "[Service]\nExecStart=no-such-program\n", check=check)
    assert "systemd-analyze refuses the new content" in refused(machine, broken)
    assert host.run("cat", unit.path) == UNIT
    ssh = file("/etc/ssh/sshd_config", "PermitRoot maybe\n", check=("/usr/sbin/sshd", "-tf", "{}"))
    assert "sshd refuses the new content" in refused(machine, ssh)


# ------------------------------------------------------------------------------------- accounts


def test_an_account_comes_in_by_its_key_until_it_is_locked(
    lab: Lab, host: LabHost, machine: Machine
) -> None:
    key = lab.ssh_key.with_suffix(".pub").read_text().strip()
    actor = PutUser(
        "actor",
        description="An actor",
        groups=("actors",),
        **SHELL,
        keys=(key,),
        may_sudo=True,
    )
    machine.do([PutGroup("actors", 1600), actor, actor])
    fact = ask(machine, "user", "actor")
    assert (fact.description, fact.groups, fact.keys) == ("An actor", ("actors",), (key,))
    assert (fact.may_sudo, fact.is_locked) == (True, False)
    assert comes_in(host)
    machine.do([RemoveGroup("actors", if_unused=True)])
    assert ask(machine, "group", "actors").gid == 1600
    machine.do([LockUser("actor"), LockUser("actor")])
    fact = ask(machine, "user", "actor")
    assert (fact.keys, fact.may_sudo, fact.is_locked) == ((), False, True)
    host.write_file("/home/actor/.ssh/authorized_keys", key.encode())
    assert not comes_in(host)
    machine.do([actor])
    assert comes_in(host)


def comes_in(host: LabHost) -> bool:
    *ssh, _ = host._ssh()
    argv = [*ssh, f"actor@{host.address}", "id", "-un"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout == "actor\n"


# --------------------------------------------------------------- files, mounts, settings, kernel


def test_a_disk_that_is_full_leaves_the_old_file_whole(host: LabHost, machine: Machine) -> None:
    full = f"{ROOM}/full"
    machine.do([Mount(full, "tmpfs", "tmpfs", "size=64k"), file(f"{full}/a", "old\n")])
    error = refused(machine, file(f"{full}/a", "new\n" * 30_000))
    assert "No space left on device" in error
    assert host.run("cat", f"{full}/a") == "old\n"
    assert host.run("ls", "-A", full) == "a\n"


def test_what_was_there_before_comes_back(host: LabHost, machine: Machine) -> None:
    path = f"{ROOM}/motd"
    host.run("sh", "-c", f"echo theirs >{path}; chown sshd {path}; chmod 600 {path}")
    before = host.run("stat", "-c", "%a %U %G %s", path)
    machine.do([file(path, "ours\n"), mark("file", path)])
    machine.do([RemovePath(path, restores=True), Forget("file", Question("file", path))])
    assert host.run("stat", "-c", "%a %U %G %s", path) == before
    assert host.run("cat", path) == "theirs\n"
    assert host.attempt("grep", "-r", "motd", "/var/lib/reconciler").stdout == ""


def test_something_is_mounted_gets_other_options_and_is_unmounted(
    host: LabHost, machine: Machine
) -> None:
    fstab = host.run("cat", "/etc/fstab")
    path, bound = f"{ROOM}/ram", f"{ROOM}/deep/er/bound"
    machine.do([Mount(path, "tmpfs", "tmpfs", "size=1m"), file(f"{path}/kept", "")])
    machine.do([Mount(path, "tmpfs", "tmpfs", "size=2m,ro"), Mount(bound, path, "none", "bind,ro")])
    fact = ask(machine, "mount", path)
    assert (fact.is_mounted, fact.options) == (True, "size=2m,ro")
    assert fact.persisted == "tmpfs tmpfs size=2m,ro"
    assert host.run("ls", bound) == "kept\n"
    busy = host.attempt("sh", "-c", f"cd {bound} && exec umount {bound}")
    assert busy.code
    machine.do([Unmount(bound), Unmount(path), Unmount(path)])
    assert not ask(machine, "mount", path)
    assert host.run("cat", "/etc/fstab") == fstab


@pytest.mark.parametrize(
    ("name", "value"), [("timezone", "Europe/Helsinki"), ("locale", "C.UTF-8")]
)
def test_a_setting_is_as_it_was_set(machine: Machine, name: Any, value: str) -> None:
    before = ask(machine, "setting", name)
    try:
        machine.do([PutSetting(name, value), PutSetting(name, value)])
        assert ask(machine, "setting", name).value == value
    finally:
        machine.do([PutSetting(name, before.value if before else "C.UTF-8")])


def test_a_kernel_setting_is_set_now_and_for_the_next_boot(host: LabHost, machine: Machine) -> None:
    machine.do([SetSysctl("net.ipv4.ip_default_ttl", "63")])
    fact = ask(machine, "sysctl", "net.ipv4.ip_default_ttl")
    assert (fact.value, fact.persisted) == ("63", "63")
    host.run("sysctl", "-q", "-w", "net.ipv4.ip_default_ttl=64")
    host.run("sysctl", "-q", "--load=/etc/sysctl.d/90-reconciler.conf")
    assert ask(machine, "sysctl", "net.ipv4.ip_default_ttl").value == "63"


def test_a_command_runs_and_its_failure_is_told(host: LabHost, machine: Machine) -> None:
    machine.do([RunCommand("touch", ("touch", f"{ROOM}/it's done; no?"), 10)])
    assert host.run("ls", ROOM) == "it's done; no?\n"
    assert "cannot run fail: ls:" in refused(machine, RunCommand("fail", ("ls", "/no/such"), 10))
