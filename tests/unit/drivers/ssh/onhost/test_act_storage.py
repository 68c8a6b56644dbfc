"""Volume groups and zpools: the commands, and what is never done."""

from __future__ import annotations

import stat
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from tests.unit.drivers.ssh.onhost.ground import Ground

# As vgs 2.03.16 prints it.
GROUPS = """
  {
      "report": [
          {
              "vg": [
                  {"vg_name":"all", "vg_size":"2000397795328", "pv_name":"/dev/sda2"}
              ]
          }
      ]
  }
"""
NO_GROUPS = """
  {
      "report": [
          {
              "vg": [
              ]
          }
      ]
  }
"""
# As zpool 2.1.11 prints it.
STATUS = """\
  pool: z0
 state: ONLINE
config:

\tNAME           STATE     READ WRITE CKSUM
\tz0             ONLINE       0     0     0
\t  mirror-0     ONLINE       0     0     0
\t    /dev/sda3  ONLINE       0     0     0
\t    /dev/sdb3  ONLINE       0     0     0

errors: No known data errors
"""


def volume_group(*devices: str) -> dict[str, Any]:
    return {"act": "make_volume_group", "name": "all", "devices": list(devices)}


def zpool(*layout: str, properties: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    return {"act": "make_zpool", "name": "z0", "layout": list(layout), "properties": properties}


@pytest.fixture
def disks(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A host with tools and empty disks, none of which are devices that could be lost."""
    ground.path("/dev").mkdir()
    ground.path("/usr/sbin").mkdir(parents=True)
    for program in ("vgs", "zpool"):
        ground.path(f"/usr/sbin/{program}").touch(mode=0o755)
    for name in ("sda2", "sda3", "sdb2", "sdb3"):
        ground.path(f"/dev/{name}").touch()
    as_block: Callable[[int], bool] = lambda _: True  # noqa: E731
    monkeypatch.setattr(stat, "S_ISBLK", as_block)
    ground.programs.answers |= {
        "vgs": Ran(0, NO_GROUPS),
        "lsblk": Ran(0, "sdx part\n"),
        "blkid": Ran(2),
    }
    return ground


def made(ground: Ground) -> list[str]:
    return [call for call in ground.programs.calls if call.split()[0][:2] in {"vg", "zp"}][1:]


def test_a_volume_group_is_made_of_empty_devices(disks: Ground) -> None:
    disks.done(volume_group("/dev/sda2", "/dev/sdb2"))
    assert made(disks) == ["vgcreate -- all /dev/sda2 /dev/sdb2"]


def test_each_device_is_looked_at_by_three_programs(disks: Ground) -> None:
    disks.done(volume_group("/dev/sda2"))
    assert disks.programs.calls[1:4] == [
        "lsblk --noheadings --raw --output NAME,TYPE,MOUNTPOINT -- /dev/sda2",
        "wipefs --no-act --noheadings --output TYPE -- /dev/sda2",
        "blkid --probe --output value --match-tag TYPE -- /dev/sda2",
    ]


def test_a_volume_group_that_is_there_gets_what_it_lacks(disks: Ground) -> None:
    disks.programs.answers["vgs"] = Ran(0, GROUPS)
    disks.done(volume_group("/dev/sda2", "/dev/sdb2"))
    assert made(disks) == ["vgextend -- all /dev/sdb2"]


def test_a_volume_group_that_lacks_nothing_is_left_as_it_is(disks: Ground) -> None:
    disks.programs.answers["vgs"] = Ran(0, GROUPS)
    disks.done(volume_group("/dev/sda2"))
    assert made(disks) == []


def test_a_zpool_is_made(disks: Ground) -> None:
    properties = (("ashift", "12"), ("compression", "lz4"), ("feature@encryption", "enabled"))
    disks.done(zpool("mirror", "/dev/sda3", "/dev/sdb3", properties=properties))
    called = (
        "zpool create -o ashift=12 -O compression=lz4 -o feature@encryption=enabled "
        "z0 mirror /dev/sda3 /dev/sdb3"
    )
    assert made(disks) == [called]


def test_a_zpool_that_is_there_is_never_changed(disks: Ground) -> None:
    disks.programs.answers |= {"zpool list": Ran(0, "z0\n"), "zpool status": Ran(0, STATUS)}
    disks.done(zpool("mirror", "/dev/sda3", "/dev/sdb3"))
    error = disks.refused(zpool("raidz", "/dev/sda3", "/dev/sdb3"))
    assert error.startswith("zpool z0 is made of mirror /dev/sda3 /dev/sdb3")
    assert not disks.programs.called("zpool create")


@pytest.mark.parametrize(
    "act", [volume_group("/dev/sda2", "/dev/sdb2"), zpool("/dev/sda2", "/dev/sdb2")]
)
@pytest.mark.parametrize(
    ("program", "answer", "reason"),
    [
        ("lsblk", Ran(0, "sdb2 part\ndata-root crypt\n"), "/dev/sdb2 has parts (data-root)"),
        ("wipefs", Ran(0, "ext4\n"), "/dev/sdb2 holds ext4"),
        ("blkid", Ran(0, "zfs_member\n"), "/dev/sdb2 holds zfs_member"),
        (
            "blkid",
            Ran(1, "", "Input/output error"),
            "/dev/sdb2 cannot be read (Input/output error)",
        ),
    ],
)
def test_a_device_that_holds_anything_is_refused(
    disks: Ground, act: dict[str, Any], program: str, answer: Ran, reason: str
) -> None:
    fine = disks.programs.answers.get(program, Ran(0))
    assert isinstance(fine, Ran)
    disks.programs.answers[program] = lambda argv: answer if argv[-1] == "/dev/sdb2" else fine
    assert disks.refused(act).startswith(f"{reason}: nothing was done")
    assert not disks.programs.called("vgcreate")
    assert not disks.programs.called("zpool create")


def test_every_device_that_is_missing_is_named(disks: Ground) -> None:
    error = disks.refused(volume_group("/dev/sdx", "/dev/sdy"))
    assert error.startswith("/dev/sdx is not there; /dev/sdy is not there: nothing was done")


def test_a_file_is_no_device(
    ground: Ground, disks: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert "/dev/sda2 is no block device" in disks.refused(volume_group("/dev/sda2"))


@pytest.mark.parametrize(
    ("act", "package"),
    [(volume_group("/dev/sda2"), "lvm2"), (zpool("/dev/sda2"), "zfsutils-linux")],
)
def test_without_the_tools_the_package_is_named(
    disks: Ground, act: dict[str, Any], package: str
) -> None:
    for program in ("vgs", "zpool"):
        disks.path(f"/usr/sbin/{program}").unlink()
    assert f"declare the package {package}" in disks.refused(act)
