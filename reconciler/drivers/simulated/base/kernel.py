"""Kernel settings, modules and mounts of a simulated host, as functions from base to base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import files
from reconciler.drivers.simulated.base.state import Base, File, Module, Mounted, Sysctl
from reconciler.ports.acts import (
    ForgetModule,
    ForgetSysctl,
    LoadModule,
    Mount,
    SetSysctl,
    Unmount,
)

USUAL_VALUES: Mapping[str, str] = {
    "fs.file-max": "9223372036854775807",
    "kernel.panic": "0",
    "net.ipv4.ip_default_ttl": "64",
    "net.ipv4.ip_forward": "0",
    "vm.swappiness": "60",
}
_ROOTS = frozenset({"dev", "fs", "kernel", "net", "user", "vm"})
_NEEDS = {"net.bridge.": "br_netfilter", "net.netfilter.": "nf_conntrack"}
NEVER = ("no-such", "no_such")  # part of the names of what is not to be had
NOWHERE = "-down:"  # part of the name of a server that does not answer


def sysctl(base: Base, name: str) -> Sysctl | None:
    """A kernel setting, if the kernel has it with the modules that are loaded.

    It may be called with slashes, too.
    """
    name = name.replace("/", ".")
    if _is_never(name) or name.partition(".")[0] not in _ROOTS or "." not in name:
        return None
    for start, module in _NEEDS.items():
        if name.startswith(start) and not base.modules.get(module, Module(loaded=False)).loaded:
            return None
    return base.sysctls.get(name) or Sysctl(USUAL_VALUES.get(name, "0"))


def set_sysctl(base: Base, act: SetSysctl) -> Base:
    """Set a kernel setting, now and for the next boot.

    Raises:
        Refused: the kernel has no such setting.
    """
    if sysctl(base, act.name) is None:
        message = f"there is no kernel setting {act.name}"
        raise Refused(message)
    return _with_sysctl(base, act.name, Sysctl(act.value, act.value))


def forget_sysctl(base: Base, act: ForgetSysctl) -> Base:
    """Leave a kernel setting to the next boot."""
    known = base.sysctls.get(act.name)
    if known is None:
        return base
    return _with_sysctl(base, act.name, replace(known, persisted=None))


def load_module(base: Base, act: LoadModule) -> Base:
    """Load a module, now and at the next boot.

    Raises:
        Refused: there is no such module.
    """
    if _is_never(act.name):
        message = f"modprobe: FATAL: Module {act.name} not found"
        raise Refused(message)
    after = Module(persisted=True, options=act.options or None)
    name = act.name.replace("-", "_")
    if base.modules.get(name) == after:
        return base
    return replace(base, modules={**base.modules, name: after})


def forget_module(base: Base, act: ForgetModule) -> Base:
    """Do not load a module at the next boot."""
    name = act.name.replace("-", "_")
    known = base.modules.get(name)
    if known is None:
        return base
    after = replace(known, persisted=False, options=None)
    return base if after == known else replace(base, modules={**base.modules, name: after})


def mount(base: Base, act: Mount) -> Base:
    """Mount something, now and at the next boot.

    Raises:
        Refused: what is to be mounted is not to be had, or something else is in the way.
    """
    line = f"{act.source} {act.type} {act.options}"
    after = Mounted(act.source, act.type, act.options, line)
    if base.mounts.get(act.path) == after:
        return base
    if NOWHERE in act.source or _is_never(act.source):
        message = f"mount: {act.path}: {act.source} is not to be had"
        raise Refused(message)
    place = files.at(base, act.path)
    if place is None:
        base = files.put(base, act.path, File("directory", "0755"))
    elif place.type != "directory":
        message = f"mount: {act.path}: it is no directory"
        raise Refused(message)
    return replace(base, mounts={**base.mounts, act.path: after})


def unmount(base: Base, act: Unmount) -> Base:
    """Unmount what is mounted there, and do not mount it at the next boot."""
    if act.path not in base.mounts:
        return base
    rest = {path: each for path, each in base.mounts.items() if path != act.path}
    return replace(base, mounts=rest)


def as_written_down(base: Base) -> Base:
    """The kernel after a boot: what was not written down is as usual."""
    sysctls = {k: Sysctl(v.persisted, v.persisted) for k, v in base.sysctls.items() if v.persisted}
    modules = {k: replace(v, loaded=True) for k, v in base.modules.items() if v.persisted}
    mounts = {path: _from_line(each.fstab) for path, each in base.mounts.items() if each.fstab}
    return replace(base, sysctls=sysctls, modules=modules, mounts=mounts)


def _is_never(name: str) -> bool:
    return any(each in name for each in NEVER)


def _from_line(line: str) -> Mounted:
    source, kind, options = line.split(" ")
    return Mounted(source, kind, options, line)


def _with_sysctl(base: Base, name: str, after: Sysctl) -> Base:
    if base.sysctls.get(name) == after:
        return base
    return replace(base, sysctls={**base.sysctls, name: after})
