"""Mounts: what is mounted, and our block of fstab."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.act_mounts import with_block
from reconciler.drivers.ssh.onhost.host import Ran, Refused
from reconciler.drivers.ssh.onhost.look_mounts import fstab_of
from tests.unit.drivers.ssh.onhost.ground import Ground

THEIRS = "# made by the installer\nUUID=1 / ext4 errors=remount-ro 0 1"
OURS = "nas:/export /srv/nfs nfs ro,nofail 0 0"
BLOCK = f"# reconciler: begin\n{OURS}\n# reconciler: end\n"
MOUNT = {
    "act": "mount",
    "path": "/srv/nfs",
    "source": "nas:/export",
    "type": "nfs",
    "options": "ro,nofail",
}
UNMOUNT = {"act": "unmount", "path": "/srv/nfs"}


def mounted(ground: Ground, source: str = "nas:/export", kind: str = "nfs4") -> None:
    line = f"36 35 0:50 / /srv/nfs rw,noatime shared:1 - {kind} {source} rw,vers=4.2\n"
    ground.path("/proc/self/mountinfo").write_text(line)


def calls(ground: Ground) -> list[str]:
    return [call for call in ground.programs.calls if "daemon-reload" not in call]


@pytest.fixture
def host(ground: Ground) -> Ground:
    ground.path("/etc/fstab").write_text(f"{THEIRS}\n")
    ground.path("/proc/self/mountinfo").write_text("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    return ground


def test_something_is_mounted_now_and_at_the_next_boot(host: Ground) -> None:
    host.done(MOUNT)
    assert calls(host) == ["mount -t nfs -o ro,nofail -- nas:/export /srv/nfs"]
    assert host.path("/srv/nfs").is_dir()
    assert host.path("/etc/fstab").read_text() == f"{THEIRS}\n{BLOCK}"
    assert "systemctl daemon-reload" in host.programs.calls


def test_what_cannot_be_mounted_is_not_written_down(host: Ground) -> None:
    host.programs.answers["mount"] = Ran(32, "", "mount.nfs: Connection refused")
    assert "cannot mount nas:/export at /srv/nfs: mount.nfs" in host.refused(MOUNT)
    assert host.path("/etc/fstab").read_text() == f"{THEIRS}\n"


@pytest.mark.parametrize("path", ["/srv/nfs", "/srv/nfs/", "/srv//nfs"])
@pytest.mark.parametrize("is_ours_too", [False, True])
def test_a_line_of_somebody_else_for_the_same_place_is_refused(
    host: Ground, path: str, *, is_ours_too: bool
) -> None:
    """At the next boot the first of two lines counts, and so theirs would."""
    text = f"{THEIRS}\n  nas:/old {path} nfs rw 0 0\n{BLOCK if is_ours_too else ''}"
    host.path("/etc/fstab").write_text(text)
    said = host.refused(MOUNT)
    assert "line 3 of /etc/fstab mounts something at /srv/nfs already, and is not ours" in said
    assert "take that line out" in said
    assert calls(host) == []
    assert host.path("/etc/fstab").read_text() == text


@pytest.mark.parametrize(
    "line",
    ["#nas:/old /srv/nfs nfs rw 0 0", "nas:/old /srv/nfs2 nfs", "/srv/nfs none swap", "/srv/nfs"],
)
def test_a_line_of_somebody_else_for_another_place_is_fine(host: Ground, line: str) -> None:
    host.path("/etc/fstab").write_text(f"{THEIRS}\n{line}\n")
    host.done(MOUNT)
    assert host.path("/etc/fstab").read_text() == f"{THEIRS}\n{line}\n{BLOCK}"


def test_our_own_line_stands_in_no_way(host: Ground) -> None:
    host.done(MOUNT)
    host.done({**MOUNT, "options": "rw"})
    written = host.path("/etc/fstab").read_text()
    assert written == f"{THEIRS}\n{BLOCK.replace('ro,nofail', 'rw')}"


def test_what_we_mounted_is_unmounted_whoever_has_a_line_for_it(host: Ground) -> None:
    host.path("/etc/fstab").write_text(f"nas:/old /srv/nfs nfs rw 0 0\n{BLOCK}")
    mounted(host)
    host.done(UNMOUNT)
    assert host.path("/etc/fstab").read_text() == "nas:/old /srv/nfs nfs rw 0 0\n"


def test_other_options_are_given_to_what_is_mounted(host: Ground) -> None:
    mounted(host)
    host.done(MOUNT)
    assert calls(host) == ["mount -o remount,ro,nofail -- /srv/nfs"]


def test_what_does_not_take_other_options_is_mounted_anew(host: Ground) -> None:
    mounted(host)
    host.programs.answers["mount -o remount"] = Ran(32)
    host.done(MOUNT)
    assert calls(host)[1:] == [
        "umount -- /srv/nfs",
        "mount -t nfs -o ro,nofail -- nas:/export /srv/nfs",
    ]


@pytest.mark.parametrize(("source", "kind"), [("nas:/other", "nfs4"), ("nas:/export", "ceph")])
def test_what_else_is_mounted_there_is_unmounted_first(
    host: Ground, source: str, kind: str
) -> None:
    mounted(host, source, kind)
    host.done(MOUNT)
    assert [call.split()[0] for call in calls(host)] == ["umount", "mount"]


def test_a_device_is_known_by_its_tag(host: Ground) -> None:
    mounted(host, "/dev/sdz9", "ext4")
    host.programs.answers["findfs UUID=abc"] = Ran(0, "/dev/sdz9\n")
    host.done({**MOUNT, "source": "UUID=abc", "type": "ext4"})
    assert calls(host) == ["findfs UUID=abc", "mount -o remount,ro,nofail -- /srv/nfs"]


def test_a_directory_that_is_bound_is_known_by_what_it_is(host: Ground) -> None:
    mounted(host, "/dev/sda1", "ext4")
    host.path("/srv/nfs").symlink_to("/usr")  # as good as bound, for who looks at it
    bind = {**MOUNT, "source": "/srv/nfs", "type": "none", "options": "bind,ro"}
    host.done(bind)
    assert calls(host) == ["mount -o remount,bind,ro -- /srv/nfs"]


def test_what_is_in_use_stays_and_is_written_down_still(host: Ground) -> None:
    host.done(MOUNT)
    mounted(host)
    host.programs.answers["umount"] = Ran(32, "", "umount: /srv/nfs: target is busy.")
    assert "target is busy" in host.refused(UNMOUNT)
    assert OURS in host.path("/etc/fstab").read_text()


def test_what_is_unmounted_leaves_fstab_as_it_was(host: Ground) -> None:
    host.done(MOUNT)
    mounted(host)
    host.done(UNMOUNT)
    host.path("/proc/self/mountinfo").write_text("")
    host.done(UNMOUNT)
    assert host.path("/etc/fstab").read_text() == f"{THEIRS}\n"


def test_a_look_finds_our_lines_again() -> None:
    line = ["nas:/a b", "/srv/x y", "nfs", "ro"]
    text = with_block(THEIRS, {"/srv/x y": line}).decode()
    assert fstab_of(text.splitlines()) == {"/srv/x y": line}


def test_other_lines_stay_where_they_are() -> None:
    after = "tmpfs /tmp tmpfs defaults 0 0\n"
    lines: dict[str, Any] = {"/b": ["x", "/b", "nfs", "ro"], "/a": ["x", "/a", "nfs", "ro"]}
    block = "# reconciler: begin\nx /a nfs ro 0 0\nx /b nfs ro 0 0\n# reconciler: end\n"
    text = with_block(f"{THEIRS}\n{BLOCK}{after}", lines).decode()
    assert text == f"{THEIRS}\n{block}{after}"


def test_a_block_without_an_end_is_not_guessed_at() -> None:
    with pytest.raises(Refused, match="mend it by hand"):
        with_block(f"# reconciler: begin\n{THEIRS}", {})
