"""What follows from a name alone, so that a plan is complete before anything exists."""

from __future__ import annotations

import hashlib
import uuid

UUID_NAMESPACE = uuid.UUID("5f0c6c0e-53a4-5e3b-9c39-3d9d0d1c8a4e")
MAC_PREFIX = "52:54:00"


def machine_uuid(environment: str, name: str) -> str:
    """The UUID of a machine (RFC 9562 §5.5, version 5)."""
    return str(uuid.uuid5(UUID_NAMESPACE, f"{environment}/{name}"))


def machine_mac(environment: str, name: str, network: str) -> str:
    """The hardware address of a machine on a network, in the range that QEMU uses.

    Twenty-four bits are free, so two of a thousand machines share one in three of a hundred farms:
    the farm's check finds it, and a document may name an address itself.
    """
    seed = hashlib.sha256(f"{environment}/{name}/{network}".encode()).digest()
    return MAC_PREFIX + "".join(f":{byte:02x}" for byte in seed[:3])


def host_name(environment: str, name: str) -> str:
    """The name of a machine or volume on the host, where those of all environments meet."""
    return f"{environment}-{name}"
