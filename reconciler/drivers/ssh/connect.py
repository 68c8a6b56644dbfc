"""The one place where ssh connections to hosts are made.

Fabric by itself trusts every host key, asks agents and reads the user's configuration. Here
only the pinned keys and the given private key count.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

import fabric
import paramiko

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.watchdog import cut_off
from reconciler.errors import Denied, DriverError, Unreachable

OPERATION = "connect"
# What paramiko raises when the other side breaks off, or says what is no ssh.
LOST = (paramiko.SSHException, OSError, EOFError, UnicodeError)
# What paramiko logs while a connection breaks says no more than the error that we raise.
_LOG = "reconciler.drivers.ssh.paramiko"
logging.getLogger(_LOG).setLevel(logging.CRITICAL + 1)


def connect(host: str, address: str, access: Access, seconds: float) -> fabric.Connection:
    """An open connection. `host` is how errors call it; nothing is waited for any longer.

    Raises:
        Unreachable: it did not answer in time.
        Denied: its host key is not the pinned one, or it does not let us in.
    """
    proof, pins = _proof(host, access), load_pins(host, access)
    wire = open_wire(host, address, access, seconds)
    connection = _connection(address, access, proof, wire)
    connection.client.get_host_keys().clear()
    connection.client.get_host_keys().update(pins)
    connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    connection.client.set_log_channel(_LOG)
    with cut_off(wire, seconds) as cut:
        try:
            connection.open()
        except LOST as error:
            refusal = _refusal(host, address, access, connection.client, error)
            connection.client.close()
            wire.close()
            if cut.made:
                cause = f"no answer from ssh at {address} within {seconds:g} s"
                raise Unreachable(host, OPERATION, cause) from None
            raise refusal from error
    return connection


def _connection(
    address: str, access: Access, proof: dict[str, Any], wire: socket.socket
) -> fabric.Connection:
    nobodys = fabric.Config(lazy=True, ssh_config=paramiko.SSHConfig())
    seconds = access.connect_deadline.total_seconds()
    return fabric.Connection(
        address,
        user=access.user,
        port=access.port,
        config=nobodys,
        forward_agent=False,
        connect_kwargs={
            **proof,
            "sock": wire,
            "allow_agent": False,
            "look_for_keys": False,
            "timeout": seconds,
            "banner_timeout": seconds,
            "auth_timeout": seconds,
        },
    )


def open_wire(host: str, address: str, access: Access, seconds: float) -> socket.socket:
    """A socket to the host's ssh, over which nothing has been said.

    Raises:
        Unreachable: nobody listens there, or not in time.
    """
    try:
        wire = socket.create_connection((address, access.port), timeout=seconds)
    except OSError as error:
        cause = f"ssh at {address} port {access.port}: {error.strerror or error}"
        raise Unreachable(host, OPERATION, cause) from None
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms for each small packet
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
    # The time-out below is looked at when a probe goes out, and the usual rest is over a minute.
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
    return wire


def _proof(host: str, access: Access) -> dict[str, Any]:
    """What shows that we may come in."""
    if access.password is not None:
        return {"password": access.password}
    return {"pkey": private_key(host, access)}


def private_key(host: str, access: Access) -> paramiko.PKey:
    """The key by which the hosts know us.

    Raises:
        Denied: there is none that can be used.
    """
    try:
        return paramiko.PKey.from_path(access.key_file)
    except OSError as error:
        reason = error.strerror or str(error)
    except paramiko.PasswordRequiredException:
        reason = "it has a passphrase, and nobody is there to type it; use a key without one"
    except (paramiko.SSHException, ValueError, TypeError, paramiko.pkey.UnknownKeyType) as error:
        reason = f"it is no private key that is understood ({error})"
    raise Denied(host, OPERATION, f"the key {access.key_file}: {reason}")


def load_pins(host: str, access: Access) -> paramiko.HostKeys:
    """The keys by which we know the hosts.

    Raises:
        Denied: the file cannot be read.
    """
    pins = paramiko.HostKeys()
    try:
        pins.load(str(access.known_hosts))
    except (OSError, ValueError) as error:
        raise Denied(host, OPERATION, f"the known_hosts file: {error}") from None
    return pins


def _refusal(host: str, address: str, access: Access, client: Any, error: Exception) -> DriverError:
    """The error in words a person can act on."""
    if isinstance(error, paramiko.BadHostKeyException):
        return Denied(host, OPERATION, _wrong_key(address, access, error))
    if isinstance(error, paramiko.AuthenticationException) and access.password is not None:
        return Denied(host, OPERATION, f"it does not let {access.user} in with this password")
    if isinstance(error, paramiko.AuthenticationException):
        cause = (
            f"it does not let {access.user} in with the key {access.key_file}; add the public key "
            f"to ~{access.user}/.ssh/authorized_keys there"
        )
        return Denied(host, OPERATION, cause)
    transport = client.get_transport()
    shown = transport.get_remote_server_key() if transport and transport.host_key else None
    if shown is not None and client.get_host_keys().lookup(access.pin_name(address)) is None:
        return Denied(host, OPERATION, _unknown_key(address, access, shown))
    return Unreachable(host, OPERATION, f"ssh at {address}: {str(error) or type(error).__name__}")


def _wrong_key(address: str, access: Access, error: paramiko.BadHostKeyException) -> str:
    shown, pinned = error.key, error.expected_key
    return (
        f"{address} shows the host key {shown.get_name()} {shown.fingerprint}, but "
        f"{access.known_hosts} pins {pinned.get_name()} {pinned.fingerprint}; somebody may be in "
        "between. If the host was installed anew, compare on its console "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and replace the line"
    )


def _unknown_key(address: str, access: Access, shown: paramiko.PKey) -> str:
    name = access.pin_name(address)
    return (
        f"{access.known_hosts} has no key for {name}; it shows {shown.get_name()} "
        f"{shown.fingerprint}. Compare that on its console "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add the line "
        f"{name} {shown.get_name()} {shown.get_base64()}"
    )
