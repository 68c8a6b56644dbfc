"""What every machine promises about people, its kernel, mounts, settings, commands and storage."""

from __future__ import annotations

import pytest

from reconciler.errors import Conflict
from reconciler.ports.acts import (
    Act,
    ForgetModule,
    ForgetSysctl,
    LoadModule,
    LockUser,
    MakeVolumeGroup,
    MakeZpool,
    Mount,
    PutGroup,
    PutSetting,
    PutUser,
    RemoveGroup,
    RunCommand,
    SetSysctl,
    Unmount,
)
from reconciler.ports.facts import CommandFact, GroupFact, ModuleFact, MountFact
from tests.contract.machine_bench import GROUP, ROOM, USER, MachineBench

TTL = "net.ipv4.ip_default_ttl"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1vT0X5m7GmXQqN0b0K6lJwK3v1s3qJ3cY7mZr8hO2c alice"
THERE = f"{ROOM}/mnt"
MEMORY = Mount(THERE, "tmpfs", "tmpfs", "size=1m,nosuid")


def test_a_group_comes_and_goes(machine_bench: MachineBench) -> None:
    machine_bench.do(PutGroup(GROUP, 2600), PutGroup(GROUP, 2600), PutGroup(GROUP))
    assert machine_bench.ask("group", GROUP) == GroupFact(2600)
    machine_bench.do(RemoveGroup(GROUP), RemoveGroup(GROUP))
    assert machine_bench.ask("group", GROUP) is None


def test_an_account_is_seen_as_it_was_set_up(machine_bench: MachineBench) -> None:
    act = PutUser(  # noqa: S604 (the shell of an account)
        USER,
        uid=2601,
        description="Con Tractor",
        groups=(GROUP,),
        shell="/bin/bash",
        keys=(KEY,),
        may_sudo=True,
    )
    machine_bench.do(PutGroup(GROUP), act, act)
    seen = machine_bench.ask("user", USER)
    assert (seen.uid, seen.description, seen.shell) == (2601, "Con Tractor", "/bin/bash")
    assert (seen.groups, seen.keys, seen.home) == ((GROUP,), (KEY,), f"/home/{USER}")
    assert (seen.may_sudo, seen.is_locked) == (True, False)


def test_what_is_left_open_of_an_account_stays(machine_bench: MachineBench) -> None:
    act = PutUser(USER, shell="/bin/bash", keys=(KEY,), may_sudo=True)  # noqa: S604 (as above)
    machine_bench.do(act)
    before = machine_bench.ask("user", USER)
    machine_bench.do(PutUser(USER))
    assert machine_bench.ask("user", USER) == before
    machine_bench.do(PutUser(USER, keys=(), may_sudo=False))
    seen = machine_bench.ask("user", USER)
    assert (seen.keys, seen.may_sudo, seen.shell) == ((), False, "/bin/bash")


def test_a_locked_account_lets_nobody_in_and_can_be_had_back(machine_bench: MachineBench) -> None:
    machine_bench.do(PutUser(USER, keys=(KEY,), may_sudo=True))
    machine_bench.do(LockUser(USER), LockUser(USER))
    seen = machine_bench.ask("user", USER)
    assert (seen.is_locked, seen.keys, seen.may_sudo) == (True, (), False)
    machine_bench.do(PutUser(USER, keys=(KEY,)))
    seen = machine_bench.ask("user", USER)
    assert (seen.is_locked, seen.keys) == (False, (KEY,))


def test_locking_nobody_is_done(machine_bench: MachineBench) -> None:
    machine_bench.do(LockUser(USER))
    assert machine_bench.ask("user", USER) is None


def test_a_group_with_people_in_it_stays_if_it_is_asked_to(machine_bench: MachineBench) -> None:
    machine_bench.do(PutGroup(GROUP), PutUser(USER, groups=(GROUP,)))
    machine_bench.do(RemoveGroup(GROUP, if_unused=True), RemoveGroup(USER, if_unused=True))
    assert machine_bench.ask("group", GROUP) is not None
    assert machine_bench.ask("group", USER) is not None
    machine_bench.do(PutUser(USER, groups=()), RemoveGroup(GROUP, if_unused=True))
    assert machine_bench.ask("group", GROUP) is None


@pytest.mark.parametrize(
    "wrong",
    [
        PutGroup(GROUP, 0),
        PutUser(USER, uid=0),
        PutUser(USER, groups=("no-such-group",)),
        SetSysctl("net.ipv4.no_such_thing", "1"),
        Mount(f"{ROOM}/x", "/dev/no-such-disk", "ext4", "defaults"),
        PutSetting("timezone", "Mars/No-Such-Place"),
        RunCommand("refuses", ("false",), 10),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(machine_bench: MachineBench, wrong: Act) -> None:
    with pytest.raises(Conflict):
        machine_bench.do(wrong)
    assert machine_bench.ask("user", USER) is None
    assert machine_bench.ask("group", GROUP) is None


def test_a_setting_of_the_kernel_holds_now_and_later(machine_bench: MachineBench) -> None:
    before = machine_bench.ask("sysctl", TTL)
    machine_bench.do(SetSysctl(TTL, "99"), SetSysctl(TTL, "99"))
    seen = machine_bench.ask("sysctl", TTL)
    assert (seen.value, seen.persisted) == ("99", "99")
    machine_bench.do(SetSysctl(TTL, before.value), ForgetSysctl(TTL), ForgetSysctl(TTL))
    assert machine_bench.ask("sysctl", TTL) == before


def test_a_setting_that_the_kernel_lacks_is_not_there(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("sysctl", "net.ipv4.no_such_thing") is None


@pytest.mark.needs("kernel modules")
def test_a_module_is_loaded_now_and_later(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("module", "br_netfilter") is None
    machine_bench.do(LoadModule("br_netfilter", "a=1"), LoadModule("br_netfilter", "a=1"))
    assert machine_bench.ask("module", "br_netfilter") == ModuleFact(
        is_loaded=True, is_persisted=True, options="a=1"
    )
    machine_bench.do(ForgetModule("br_netfilter"))
    seen = machine_bench.ask("module", "br_netfilter")
    assert (seen.is_loaded, seen.is_persisted) == (True, False)
    with pytest.raises(Conflict):
        machine_bench.do(LoadModule("no_such_module"))


def test_something_is_mounted_now_and_later(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("mount", THERE) is None
    machine_bench.do(MEMORY, MEMORY)
    assert machine_bench.ask("mount", THERE) == MountFact(
        is_mounted=True,
        source="tmpfs",
        type="tmpfs",
        options="size=1m,nosuid",
        persisted="tmpfs tmpfs size=1m,nosuid",
    )
    machine_bench.do(Unmount(THERE), Unmount(THERE))
    assert machine_bench.ask("mount", THERE) is None


def test_the_time_zone_is_set(machine_bench: MachineBench) -> None:
    before = machine_bench.ask("setting", "timezone").value
    machine_bench.do(PutSetting("timezone", "Europe/Berlin"))
    assert machine_bench.ask("setting", "timezone").value == "Europe/Berlin"
    machine_bench.do(PutSetting("timezone", before))
    assert machine_bench.ask("setting", "timezone").value == before


@pytest.mark.needs("another name")
def test_the_name_is_set(machine_bench: MachineBench) -> None:
    machine_bench.do(PutSetting("hostname", "virt17"))
    assert machine_bench.ask("setting", "hostname").value == "virt17"


def test_a_command_is_done_when_its_check_says_so(machine_bench: MachineBench) -> None:
    witness = f"{ROOM}/witness"
    check = ("test", "-e", witness)
    assert not machine_bench.ask("command", "witness", *check).is_done
    machine_bench.do(RunCommand("witness", ("touch", witness), 10))
    assert machine_bench.ask("command", "witness", *check) == CommandFact(is_done=True)


def test_a_command_whose_check_fails_is_to_be_run(machine_bench: MachineBench) -> None:
    assert not machine_bench.ask("command", "anything", "false").is_done
    assert machine_bench.ask("command", "anything", "true").is_done


@pytest.mark.parametrize("about", ["volume_group", "zpool"])
def test_storage_that_is_not_there_is_told_as_such(machine_bench: MachineBench, about: str) -> None:
    assert machine_bench.ask(about, "nothing") is None  # type: ignore[arg-type]


@pytest.mark.needs("disks")
def test_a_volume_group_is_made_and_grows(machine_bench: MachineBench) -> None:
    machine_bench.do(MakeVolumeGroup("all", ("/dev/sda2",)))
    one = machine_bench.ask("volume_group", "all")
    machine_bench.do(MakeVolumeGroup("all", ("/dev/sdb2", "/dev/sda2")))
    two = machine_bench.ask("volume_group", "all")
    assert (one.devices, two.devices) == (("/dev/sda2",), ("/dev/sda2", "/dev/sdb2"))
    assert two.size_bytes > one.size_bytes > 0
    with pytest.raises(Conflict, match="holds something"):
        machine_bench.do(MakeVolumeGroup("other", ("/dev/sda2",)))


@pytest.mark.needs("disks")
def test_a_zpool_is_made_once(machine_bench: MachineBench) -> None:
    act = MakeZpool("z0", ("mirror", "/dev/sda3", "/dev/sdb3"), (("ashift", "12"),))
    machine_bench.do(act, act)
    seen = machine_bench.ask("zpool", "z0")
    assert (seen.layout, seen.health) == (("mirror", "/dev/sda3", "/dev/sdb3"), "ONLINE")
    with pytest.raises(Conflict, match="no device"):
        machine_bench.do(MakeZpool("z1", ("/dev/no-such",)))
