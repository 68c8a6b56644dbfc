"""What a host makes of the definition of a domain: what was left open is kept, or is as usual."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from reconciler.ports.hypervisor import DomainDefinition, Firmware

USUAL_FIRMWARE: Firmware = "bios"
USUAL_CPU_MODEL = "qemu64"
_STAYS = ("cpu_model", "firmware", "tpm", "title", "first_boot")


def filled(definition: DomainDefinition) -> DomainDefinition:
    """With a value for all that has one on a host, as the port shows it."""
    return replace(
        definition,
        vcpus_maximum=definition.vcpus_maximum or definition.vcpus,
        memory_maximum_bytes=definition.memory_maximum_bytes or definition.memory_bytes,
        cpu_model=definition.cpu_model or USUAL_CPU_MODEL,
        firmware=definition.firmware or USUAL_FIRMWARE,
        tpm=bool(definition.tpm),
        title=definition.title or "",
    )


def merged(
    known: DomainDefinition, wanted: DomainDefinition, guest: DomainDefinition | None = None
) -> DomainDefinition:
    """What is wanted, and of what that leaves open, what is known.

    A maximum that is left open is that of the running guest, raised where it would be exceeded.
    """
    open_ones = {name: getattr(known, name) for name in _STAYS if getattr(wanted, name) is None}
    return plain(replace(wanted, **open_ones, **_maxima(guest or known, wanted)))


def plain(definition: DomainDefinition) -> DomainDefinition:
    """The same with nothing said that is as usual, so that equal ones are written alike."""
    usual = DomainDefinition(
        name=definition.name,
        uuid=definition.uuid,
        accelerator=definition.accelerator,
        vcpus=definition.vcpus,
        memory_bytes=definition.memory_bytes,
    )
    shown, said = filled(usual), {"vcpus_maximum"}
    return replace(
        definition,
        **{
            each.name: getattr(usual, each.name)
            for each in fields(definition)
            if each.name not in said and getattr(definition, each.name) == getattr(shown, each.name)
        },
    )


def _maxima(known: DomainDefinition, wanted: DomainDefinition) -> dict[str, Any]:
    seen, maxima = filled(known), dict[str, Any]()
    if wanted.vcpus_maximum is None:
        most = max(seen.vcpus_maximum or 0, wanted.vcpus)
        is_same = known.vcpus_maximum is None and most == wanted.vcpus
        maxima["vcpus_maximum"] = None if is_same else most
    if wanted.memory_maximum_bytes is None:
        maxima["memory_maximum_bytes"] = max(seen.memory_maximum_bytes or 0, wanted.memory_bytes)
    return maxima
