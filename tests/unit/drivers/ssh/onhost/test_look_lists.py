"""What the look reads from lists: packages, accounts, kernel, mounts, settings, storage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost import look_accounts, look_kernel, look_mounts, look_settings
from reconciler.drivers.ssh.onhost.look_packages import packages_of
from reconciler.drivers.ssh.onhost.look_storage import layouts_of, volume_groups_of
from reconciler.drivers.ssh.onhost.remembered import Remembered

QUERIED = """\
bash\tamd64\tinstall\tinstalled\t5.2.15-2+b13
libc6\tamd64\thold\tinstalled\t2.36-9+deb12u14
libc6\ti386\tinstall\tinstalled\t2.36-9+deb12u13
ntp\tamd64\tdeinstall\tconfig-files\t1:4.2.8
chrony\tamd64\tinstall\thalf-configured\t4.3-2
"""
MOUNTINFO = r"""
101 57 0:60 / / rw,relatime - overlay overlay rw,lowerdir=base,upperdir=upper
102 101 0:62 / /proc rw,relatime - proc proc rw
104 101 8:1 / /srv/a\040b rw,nosuid,relatime shared:9 - ext4 /dev/sda1 rw
105 101 0:99 / /srv/nfs ro,relatime - nfs4 nas:/export ro,vers=4.2
106 101 0:98 / /twice rw - tmpfs below rw
107 101 0:97 / /twice rw - tmpfs above rw
"""
FSTAB = """\
UUID=1 / ext4 defaults 0 1
# reconciler: begin
nas:/export /srv/nfs nfs ro,nofail 0 0
/dev/sdb1 /later ext4 defaults 0 0
# reconciler: end
tmpfs /theirs tmpfs defaults 0 0
"""
# As printed by vgs of LVM 2.03 and zpool of OpenZFS 2.1.
VGS = """\
  {
      "report": [
          {
              "vg": [
                  {"vg_name":"all", "vg_size":"1995763875840", "pv_name":"/dev/sdb2"},
                  {"vg_name":"all", "vg_size":"1995763875840", "pv_name":"/dev/sda2"},
                  {"vg_name":"fast", "vg_size":"499558383616", "pv_name":"/dev/nvme0n1p3"}
              ]
          }
      ]
  }
"""
ZPOOL_STATUS = """\
  pool: z0
 state: ONLINE
  scan: scrub repaired 0B in 00:13:37 with 0 errors on Sun Nov  8 00:37:38 2026
config:

\tNAME           STATE     READ WRITE CKSUM
\tz0             ONLINE       0     0     0
\t  mirror-0     ONLINE       0     0     0
\t    /dev/sda3  ONLINE       0     0     0
\t    /dev/sdb3  ONLINE       0     0     0
\tlogs
\t  /dev/sdc1    ONLINE       0     0     0
\tspares
\t  /dev/sdd1    AVAIL

errors: No known data errors

  pool: z1
 state: DEGRADED
config:

\tNAME           STATE     READ WRITE CKSUM
\tz1             DEGRADED     0     0     0
\t  raidz1-0     DEGRADED     0     0     0
\t    /dev/sde   ONLINE       0     0     0
\t    /dev/sdf   UNAVAIL      0     0     0
\t    /dev/sdg   ONLINE       0     0     0

errors: No known data errors
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def ask(answer: Any, root: Path, *names: str) -> list[Any]:
    known = Remembered([], str(root / "remembered"), str(root))
    return list(answer([{"name": name, "details": []} for name in names], known))


def test_packages_that_are_wholly_installed_are_there() -> None:
    found = packages_of(QUERIED)
    assert found["bash"] == {"version": "5.2.15-2+b13", "is_held": False}
    assert found["libc6"] == {"version": "2.36-9+deb12u14", "is_held": True}
    assert found["libc6:i386"]["version"] == "2.36-9+deb12u13"
    assert not {"ntp", "chrony"} & found.keys()


def test_a_setting_of_the_kernel_and_what_it_becomes(root: Path) -> None:
    put(root, "proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")
    put(root, "proc/sys/net/ipv4/conf/eth0.1/rp_filter", "2\n")
    put(root, "etc/sysctl.d/90-reconciler.conf", "# ours\nnet.ipv4.tcp_rmem = 1  2 3\nvm.gone=1\n")
    names = ("net.ipv4.tcp_rmem", "net/ipv4/conf/eth0.1/rp_filter", "vm.gone", "no.such")
    assert ask(look_kernel.sysctls, root, *names) == [
        {"value": "4096 131072 6291456", "persisted": "1 2 3"},
        {"value": "2", "persisted": None},
        {"value": "", "persisted": "1"},
        None,
    ]


@pytest.mark.parametrize("name", ["../../etc/shadow", "a/../../../etc/shadow", "....etc"])
def test_a_name_leads_nowhere_else(root: Path, name: str) -> None:
    (root / "proc/sys/a").mkdir(parents=True)
    put(root, "etc/shadow", "secret")
    assert "secret" not in str(ask(look_kernel.sysctls, root, name))


def test_modules_that_are_loaded_built_in_or_only_written_down(root: Path) -> None:
    put(root, "proc/modules", "br_netfilter 32768 0 - Live 0x0\n")
    put(root, f"lib/modules/{os.uname().release}/modules.builtin", "kernel/fs/ext4/ext4.ko\n")
    put(root, "etc/modules-load.d/reconciler.conf", "br-netfilter\nlater\n")
    put(root, "etc/modprobe.d/reconciler.conf", "options later depth=3 width=4\n")
    there = {"is_loaded": True, "options": None}
    names = ("br_netfilter", "ext4", "later", "nosuch")
    assert ask(look_kernel.modules, root, *names) == [
        {**there, "is_persisted": True},
        {**there, "is_persisted": False},
        {"is_loaded": False, "is_persisted": True, "options": "depth=3 width=4"},
        None,
    ]


def test_what_is_mounted_is_told_in_the_words_of_our_line(root: Path) -> None:
    put(root, "proc/self/mountinfo", MOUNTINFO)
    put(root, "etc/fstab", FSTAB)
    spaced, nfs, twice, later, theirs = ask(
        look_mounts.mounts, root, "/srv/a b", "/srv/nfs", "/twice", "/later", "/theirs"
    )
    assert (spaced["source"], spaced["type"], spaced["persisted"]) == ("/dev/sda1", "ext4", None)
    assert nfs == {
        "is_mounted": True,
        "source": "nas:/export",
        "type": "nfs",
        "options": "ro,nofail",
        "persisted": "nas:/export nfs ro,nofail",
    }
    assert twice["source"] == "above"
    assert later == {"is_mounted": False, "persisted": "/dev/sdb1 ext4 defaults"}
    assert theirs is None


def test_a_mount_that_is_not_what_our_line_says_is_told_as_it_is(root: Path) -> None:
    put(root, "proc/self/mountinfo", MOUNTINFO.replace("nas:/", "old:/").replace("ro,", "rw,"))
    put(root, "etc/fstab", FSTAB)
    (nfs,) = ask(look_mounts.mounts, root, "/srv/nfs")
    assert nfs["source"] == "old:/export"
    assert nfs["options"].startswith("rw,")


def test_a_kernel_that_went_read_only_is_seen(root: Path) -> None:
    put(root, "proc/self/mountinfo", "1 1 8:17 / /later ro - ext4 /dev/sdb1 rw\n")
    put(root, "etc/fstab", FSTAB)
    (later,) = ask(look_mounts.mounts, root, "/later")
    assert later["options"] == "ro,rw"


def test_accounts_with_their_groups_keys_and_rights(root: Path) -> None:
    put(root, "etc/passwd", "alice:x:1000:1500:Alice A,,,:/home/alice:/bin/bash\nno line\n")
    put(root, "etc/group", "alice:x:1500:\nops:x:1501:bob,alice\nadm:x:4:alice\nx:x:7:malice\n")
    put(root, "etc/shadow", "alice:!:20000:0:99999:7:::\n")
    put(root, "home/alice/.ssh/authorized_keys", "# mine\n\nssh-ed25519 AAAA a\n ssh-rsa BBBB\n")
    put(root, "etc/sudoers.d/reconciler-alice", "")
    (alice, nobody) = ask(look_accounts.users, root, "alice", "nobody")
    assert nobody is None
    assert alice == {
        "uid": 1000,
        "description": "Alice A",
        "groups": ["adm", "ops"],
        "shell": "/bin/bash",
        "home": "/home/alice",
        "keys": ["ssh-ed25519 AAAA a", "ssh-rsa BBBB"],
        "may_sudo": True,
        "is_locked": False,
    }
    assert ask(look_accounts.groups, root, "ops", "none") == [{"gid": 1501}, None]


def test_an_account_may_be_listed_in_its_own_group_too(root: Path) -> None:
    """As usermod lists it there if a document names that group."""
    put(root, "etc/passwd", "ops:x:1000:1500::/home/ops:/bin/sh\n")
    put(root, "etc/group", "ops:x:1500:ops\n")
    put(root, "etc/shadow", "")
    (ops,) = ask(look_accounts.users, root, "ops")
    assert ops["groups"] == ["ops"]


@pytest.mark.parametrize(("expiry", "is_locked"), [("1", True), ("", False), ("999999", False)])
def test_an_account_is_locked_when_it_has_expired(root: Path, expiry: str, is_locked: bool) -> None:
    put(root, "etc/passwd", "alice:x:1000:1500::/home/alice:/bin/bash\n")
    put(root, "etc/shadow", f"alice:!:20000:0:99999:7::{expiry}:\n")
    (alice,) = ask(look_accounts.users, root, "alice")
    assert alice["is_locked"] is is_locked


def test_keys_behind_a_link_of_the_account_are_not_read(root: Path) -> None:
    put(root, "etc/shadow", "root:hash")
    (root / "home/alice/.ssh").mkdir(parents=True)
    (root / "home/alice/.ssh/authorized_keys").symlink_to("/etc/shadow")
    (line,) = look_accounts.keys_of("/home/alice", str(root))
    assert "hash" not in line


@pytest.mark.parametrize(
    ("line", "zone"),
    [
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("../usr/share/zoneinfo/UTC", "UTC"),
        (None, "UTC"),
    ],
)
def test_the_time_zone(root: Path, line: str | None, zone: str) -> None:
    if line is not None:
        (root / "etc/localtime").symlink_to(line)
    assert ask(look_settings.settings, root, "timezone") == [{"value": zone}]


def test_the_locale(root: Path) -> None:
    assert ask(look_settings.settings, root, "locale") == [None]
    put(root, "etc/default/locale", '#\nLANG="de_DE.UTF-8"\nLC_TIME=C\n')
    assert ask(look_settings.settings, root, "locale") == [{"value": "de_DE.UTF-8"}]


def test_the_host_s_name_now_and_later(root: Path) -> None:
    now = os.uname().nodename
    put(root, "etc/hostname", f"{now}\n")
    assert ask(look_settings.settings, root, "hostname") == [{"value": now}]
    put(root, "etc/hostname", "other\n")
    (told,) = ask(look_settings.settings, root, "hostname")
    assert told["value"] == f"{now}, and other after the next boot"


def test_volume_groups_and_their_devices() -> None:
    assert volume_groups_of(VGS) == {
        "all": {"devices": ["/dev/sda2", "/dev/sdb2"], "size_bytes": 1995763875840},
        "fast": {"devices": ["/dev/nvme0n1p3"], "size_bytes": 499558383616},
    }
    assert volume_groups_of("") == {}


def test_the_devices_of_zfs_pools_as_they_are_given_to_make_one() -> None:
    assert layouts_of(ZPOOL_STATUS) == {
        "z0": ["mirror", "/dev/sda3", "/dev/sdb3", "log", "/dev/sdc1", "spare", "/dev/sdd1"],
        "z1": ["raidz1", "/dev/sde", "/dev/sdf", "/dev/sdg"],
    }
