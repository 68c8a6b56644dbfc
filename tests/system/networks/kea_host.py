"""Kea on a lab host: as Debian installs it, asked by its own socket, and put back."""

from __future__ import annotations

import json
from typing import Any

from tests.system.lab import LabHost, eventually

KEA = "/etc/kea/kea-dhcp4.conf"
CONTROL = "/run/kea/kea4-ctrl-socket"
BEGIN = f"""\
set -e
test -e {KEA}.of-test || cp -a {KEA} {KEA}.of-test
systemctl stop kea-dhcp4-server
cp -a {KEA}.of-test {KEA}
rm -rf {KEA}.before-reconciler /var/lib/kea/* /var/lib/reconciler
systemctl reset-failed kea-dhcp4-server 2>/dev/null || :
systemctl start kea-dhcp4-server
"""
END = f"""\
systemctl stop kea-dhcp4-server
rm -rf {KEA}.before-reconciler /var/lib/kea/* /var/lib/reconciler
test ! -e {KEA}.of-test || mv {KEA}.of-test {KEA}
systemctl reset-failed kea-dhcp4-server 2>/dev/null || :
systemctl start kea-dhcp4-server
"""
ASK = f"""\
import json, socket, sys
stream = socket.socket(socket.AF_UNIX)
stream.settimeout(10)
stream.connect("{CONTROL}")
stream.sendall(sys.argv[1].encode())
print(b"".join(iter(lambda: stream.recv(65536), b"")).decode())
"""


def begin(host: LabHost) -> None:
    """Kea runs with Debian's file, and has given no lease."""
    host.run("bash", "-c", BEGIN)
    eventually(lambda: answers(host) or None)


def end(host: LabHost) -> None:
    """Leave it as it was found."""
    host.run("bash", "-c", END)


def ask_kea(host: LabHost, command: str, arguments: Any = None) -> Any:
    """What Kea itself answers."""
    asked = {"command": command, **({} if arguments is None else {"arguments": arguments})}
    return json.loads(host.run("python3", "-c", ASK, json.dumps(asked)))


def answers(host: LabHost) -> bool:
    """Whether it answers anything."""
    asked = json.dumps({"command": "list-commands"})
    return host.attempt("python3", "-c", ASK, asked).code == 0


def config(host: LabHost) -> Any:
    """What Kea does now."""
    return ask_kea(host, "config-get")["arguments"]["Dhcp4"]
