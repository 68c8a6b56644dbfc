"""What follows from a name alone, so that a plan is complete before anything exists."""

from __future__ import annotations

import hashlib
import uuid

from reconciler.config.documents import AttachmentField, VirtualMachine

UUID_NAMESPACE = uuid.UUID("5f0c6c0e-53a4-5e3b-9c39-3d9d0d1c8a4e")
MAC_PREFIX = "52:54:00"


def machine_uuid(environment: str, name: str) -> str:
    """The UUID of a machine (RFC 9562 §5.5, version 5)."""
    return str(uuid.uuid5(UUID_NAMESPACE, f"{environment}/{name}"))


def network_uuid(host: str, name: str) -> str:
    """The UUID of a libvirt network on a host."""
    return str(uuid.uuid5(UUID_NAMESPACE, f"network {host}/{name}"))


def machine_identity(machine: VirtualMachine) -> str:
    """A renamed machine keeps the UUID, addresses and volumes of its first name."""
    former: str | None = machine.renamed_from
    return former or str(machine.name)


def mac_of(environment: str, machine: VirtualMachine, attachment: AttachmentField) -> str:
    """The hardware address of a machine's interface: as documented, or as derived."""
    said: str | None = attachment.mac
    return said or machine_mac(environment, machine_identity(machine), attachment.network)


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
