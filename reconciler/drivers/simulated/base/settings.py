"""Settings, commands and storage of a simulated host, as functions from base to base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import files
from reconciler.drivers.simulated.base.state import Base, File, Zpool
from reconciler.ports.acts import MakeVolumeGroup, MakeZpool, PutSetting, RunCommand

DEVICE_BYTES = 2**40
NEVER = "no-such"
_NEEDS: Mapping[str, str] = {"volume group": "lvm2", "zpool": "zfsutils-linux"}


def put_setting(base: Base, act: PutSetting) -> Base:
    """Set the host name, the time zone or the locale.

    Raises:
        Refused: there is no such time zone or locale.
    """
    if NEVER in act.value.lower():
        message = f"there is no {act.name} {act.value}"
        raise Refused(message)
    if base.settings.get(act.name) == act.value:
        return base
    return replace(base, settings={**base.settings, act.name: act.value})


def is_done(base: Base, name: str, check: tuple[str, ...]) -> bool:
    """What the check of a command says.

    `true`, `false` and `test -e PATH` are what they are; all else asks whether the command ran.
    """
    if check[:1] == ("test",):
        return files.at(base, check[-1]) is not None
    if check in {("true",), ("false",)}:
        return check == ("true",)
    return name in base.commands


def run_command(base: Base, act: RunCommand) -> Base:
    """Run a command: `false` fails, `touch PATH` makes a file, all else is well.

    Raises:
        Refused: it failed.
    """
    if act.argv[0] == "false":
        message = f"{act.name} exited with 1"
        raise Refused(message)
    if act.argv[0] == "touch" and files.at(base, act.argv[-1]) is None:
        base = files.put(base, act.argv[-1], File())
    if act.name in base.commands:
        return base
    return replace(base, commands=tuple(sorted((*base.commands, act.name))))


def make_volume_group(base: Base, act: MakeVolumeGroup) -> Base:
    """Make a volume group, or add devices to it.

    Raises:
        Refused: a device is not there or holds something, or LVM is not installed.
    """
    known = base.volume_groups.get(act.name, ())
    new = tuple(each for each in act.devices if each not in known)
    if not new:
        return base
    _check(base, "volume group", new)
    groups = {**base.volume_groups, act.name: tuple(sorted((*known, *new)))}
    return replace(base, volume_groups=groups)


def make_zpool(base: Base, act: MakeZpool) -> Base:
    """Make a ZFS pool, unless there is one of that name.

    Raises:
        Refused: a device is not there or holds something, or ZFS is not installed.
    """
    if act.name in base.zpools:
        return base
    _check(base, "zpool", tuple(each for each in act.layout if each.startswith("/")))
    made = Zpool(act.layout, dict(act.properties))
    return replace(base, zpools={**base.zpools, act.name: made})


def _check(base: Base, what: str, devices: tuple[str, ...]) -> None:
    if reasons := list(_unfit(base, what, devices)):
        raise Refused("; ".join(reasons))


def _unfit(base: Base, what: str, devices: tuple[str, ...]) -> Iterator[str]:
    if _NEEDS[what] not in base.packages:
        yield f"{_NEEDS[what]} is not installed"
    used = {each for group in base.volume_groups.values() for each in group}
    used |= {each for pool in base.zpools.values() for each in pool.layout}
    used |= {each.source for each in base.mounts.values() if each.source}
    for device in devices:
        if NEVER in device or not device.startswith("/dev/"):
            yield f"there is no device {device}"
        if device in used:
            yield f"{device} holds something"
