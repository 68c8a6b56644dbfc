"""What a domain must not bring along when it moves: another host's files, devices and programs.

Its XML comes from the host that it leaves, and that host may have been taken over. What is looked
for is what reaches beyond the guest; a move is refused for all that is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

_PROGRAM = re.compile(r"\A/usr/(?:bin|libexec|lib/qemu)/(?:qemu-system-[a-z0-9_]+|qemu-kvm|kvm)\Z")
_FIRMWARE = re.compile(r"\A/usr/share/[A-Za-z0-9_./-]+\Z")
_DEVICES = ("hostdev", "filesystem", "shmem", "redirdev", "crypto", "vsock")
_FILES_OF_ITS_OWN = ("kernel", "initrd", "dtb", "shim")
_HARMLESS_LINES = frozenset({"pty", "unix", "spicevmc", "null", "vc"})
_INTERFACES = frozenset({"bridge", "network", "direct"})
_DISKS = frozenset({"volume", "file", "block"})
_LINES = ("serial", "parallel", "console", "channel")


def baggage(root: Any) -> Iterator[str]:
    """Everything in a domain's XML that no machine of ours has and no other host should get."""
    for element in root.iterchildren():
        if not isinstance(element.tag, str):
            continue
        if etree.QName(element).namespace:
            yield f"{etree.QName(element).localname} of a name space of its own"
    yield from _of_files(root)
    yield from _of_devices(root)
    yield from _of_lines(root)


def _of_files(root: Any) -> Iterator[str]:
    for name in _FILES_OF_ITS_OWN:
        if root.find(f"os/{name}") is not None:
            yield f"a {name} from the host's files"
    for path in (each.text or "" for each in root.iterfind("os/loader")):
        if path and (_FIRMWARE.match(path) is None or ".." in path):
            yield f"the firmware {path[:80]}"
    for path in (each.text or "" for each in root.iterfind("devices/emulator")):
        if _PROGRAM.match(path) is None:
            yield f"the program {path[:80]}"


def _of_devices(root: Any) -> Iterator[str]:
    for name in _DEVICES:
        if root.find(f"devices/{name}") is not None:
            yield f"a {name}"
    for name, allowed in (("interface", _INTERFACES), ("disk", _DISKS)):
        for kind in (each.get("type", "") for each in root.iterfind(f"devices/{name}")):
            if kind not in allowed:
                yield f"{name} of type {kind[:20]}"


def _of_lines(root: Any) -> Iterator[str]:
    for name in _LINES:
        for element in root.iterfind(f"devices/{name}"):
            if element.get("type", "") not in _HARMLESS_LINES:
                yield f"a {name} that is a {element.get('type', '')[:20]} of the host"
            elif element.find("log") is not None:
                yield f"a {name} that writes to a file of the host"
