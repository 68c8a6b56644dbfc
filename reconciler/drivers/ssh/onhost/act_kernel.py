"""Settings and modules of the kernel: now, and for the next boot in files that are ours alone."""

from __future__ import annotations

import errno
import os

from reconciler.drivers.ssh.onhost.directory import put_own
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.look_kernel import (
    MODULE_OPTIONS,
    MODULES,
    SYSCTLS,
    path_of,
)
from reconciler.drivers.ssh.onhost.paths import lines_of

_WHY_NOT = {
    errno.ENOENT: "there is no such setting: is the module that brings it loaded?",
    errno.EINVAL: "the kernel does not take this value",
    errno.EROFS: "the kernel lets nobody change it here",
    errno.EACCES: "the kernel lets nobody change it here",
    errno.EPERM: "the kernel lets nobody change it here",
}


def set_sysctl(batch: Batch, name: str, value: str) -> None:
    """Set a kernel setting, now and for the next boot.

    Raises:
        Refused: there is no such setting, or it does not take the value.
    """
    _set_now(batch, name, value)
    _persist(batch, name, value)


def forget_sysctl(batch: Batch, name: str) -> None:
    """Leave a kernel setting to the machine from the next boot on."""
    _persist(batch, name, None)


def load_module(batch: Batch, name: str, options: str = "") -> None:
    """Load a module, now and at the next boot. One that is loaded keeps its options until then.

    Raises:
        Refused: there is no such module, or it does not take the options.
    """
    batch.must("modprobe", "--", name, *options.split(), what=f"load module {name}")
    others = [line for line in _lines(batch, MODULE_OPTIONS) if _module_of(line) != _plain(name)]
    mine = [f"options {name} {options}"] if options else []
    _put(batch, MODULE_OPTIONS, [*others, *mine])
    names = [line for line in _lines(batch, MODULES) if _plain(line) != _plain(name)]
    _put(batch, MODULES, [*names, name])


def forget_module(batch: Batch, name: str) -> None:
    """Do not load a module at the next boot any more."""
    names = [line for line in _lines(batch, MODULES) if _plain(line) != _plain(name)]
    _put(batch, MODULES, names)
    others = [line for line in _lines(batch, MODULE_OPTIONS) if _module_of(line) != _plain(name)]
    _put(batch, MODULE_OPTIONS, others)


def _set_now(batch: Batch, name: str, value: str) -> None:
    path = path_of(name)
    try:
        if ".." in path.split("/"):
            raise FileNotFoundError(errno.ENOENT, "")
        fd = os.open(batch.path(f"/proc/sys/{path}"), os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(value)
    except OSError as error:
        cause = _WHY_NOT.get(error.errno or 0, error.strerror)
        raise Refused(f"cannot set {name} to {value}: {cause}") from None


def _persist(batch: Batch, name: str, value: str | None) -> None:
    split = (line.partition("=") for line in _lines(batch, SYSCTLS))
    kept = {known.strip(): said.strip() for known, equals, said in split if equals}
    kept = {known: said for known, said in kept.items() if path_of(known) != path_of(name)}
    if value is not None:
        kept[name] = value
    _put(batch, SYSCTLS, [f"{known} = {said}" for known, said in kept.items()])


def _lines(batch: Batch, path: str) -> list[str]:
    return [line for line in lines_of(batch.path(path)) if line and line[0] not in "#;"]


def _put(batch: Batch, path: str, lines: list[str]) -> None:
    if sorted(lines) != _lines(batch, path):
        put_own(batch, path, sorted(lines))


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _module_of(line: str) -> str:
    words = line.split()
    return _plain(words[1]) if len(words) > 1 else ""
