"""First contact with a host: which host key it shows, before anything of it is trusted.

Nothing but the key exchange takes place: nobody logs in, and nothing is sent that is secret.
"""

from __future__ import annotations

import base64
import socket
from dataclasses import dataclass
from typing import Literal

import paramiko

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.connect import LOST, load_pins, open_wire, private_key
from reconciler.drivers.ssh.watchdog import cut_off
from reconciler.errors import Unreachable

OPERATION = "see its host key"


@dataclass(frozen=True, slots=True)
class Sight:
    """The key that a host shows, and what the known_hosts file says of it.

    `line` is what pins it. `pinned` are the fingerprints that the file has for the host.
    """

    verdict: Literal["pinned", "wrong", "unknown"]
    kind: str
    fingerprint: str
    line: str
    pinned: tuple[str, ...] = ()


def first_sight(host: str, address: str, access: Access, seconds: float) -> Sight:
    """See which key a host shows. `host` is how errors call it.

    Raises:
        Unreachable: it did not answer in time, or does not speak ssh.
        Denied: the known_hosts file cannot be read.
    """
    name = access.pin_name(address)
    found = load_pins(host, access).lookup(name)
    pinned: dict[str, paramiko.PKey] = dict(found or {})
    shown = _shown_key(host, address, access, seconds, tuple(pinned))
    line = f"{name} {shown.get_name()} {shown.get_base64()}"
    known = pinned.get(shown.get_name())
    verdict: Literal["pinned", "wrong", "unknown"] = (
        "unknown" if not pinned else "pinned" if known == shown else "wrong"
    )
    prints = tuple(sorted(f"{key.get_name()} {key.fingerprint}" for key in pinned.values()))
    return Sight(verdict, shown.get_name(), shown.fingerprint, line, prints)


def fingerprint(key_line: str) -> str:
    """The fingerprint of a public key in one line, as ssh-keygen -l shows it.

    Raises:
        ValueError: it is no such line.
    """
    kind, encoded = key_line.split()[:2]
    try:
        key = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded, validate=True))
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, IndexError) as error:
        raise ValueError(str(error)) from None
    return str(key.fingerprint)


def public_line(access: Access) -> str:
    """The public half of our key, as authorized_keys takes it.

    Raises:
        Denied: the key cannot be used.
    """
    key = private_key("this machine", access)
    return f"{key.get_name()} {key.get_base64()} reconciler"


def _shown_key(
    host: str, address: str, access: Access, seconds: float, wanted: tuple[str, ...]
) -> paramiko.PKey:
    wire = open_wire(host, address, access, seconds)
    with cut_off(wire, seconds) as cut:
        try:
            return _exchange(wire, wanted, seconds)
        except LOST as error:
            reason = f"no answer within {seconds:g} s" if cut.made else str(error)
            cause = f"ssh at {address} port {access.port}: {reason or type(error).__name__}"
            raise Unreachable(host, OPERATION, cause) from None
        finally:
            wire.close()


def _exchange(wire: socket.socket, wanted: tuple[str, ...], seconds: float) -> paramiko.PKey:
    """The key exchange alone; what is pinned is asked for first, as when connecting."""
    transport = paramiko.Transport(wire)
    transport.set_log_channel("reconciler.drivers.ssh.paramiko")
    try:
        options = transport.get_security_options()
        offered = tuple(options.key_types)
        known = tuple(kind for kind in offered if _sort(kind) in wanted)
        options.key_types = known + tuple(kind for kind in offered if kind not in known)
        transport.start_client(timeout=seconds)
        return transport.get_remote_server_key()
    finally:
        transport.close()


def _sort(algorithm: str) -> str:
    """The sort of key that an algorithm takes: there are several for RSA."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm
