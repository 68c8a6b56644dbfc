"""What documents must not say about each other: broken references, clashing names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.config.check_addresses import address_problems
from reconciler.config.check_dynamic_names import dynamic_name_problems
from reconciler.config.check_firewalls import firewall_problems
from reconciler.config.check_hosts import host_problems
from reconciler.config.check_machines import machine_problems
from reconciler.config.check_nameservers import nameserver_problems
from reconciler.config.check_networks import network_problems
from reconciler.config.check_overlays import overlay_problems
from reconciler.config.check_proxies import proxy_problems
from reconciler.config.check_rooms import room_problems
from reconciler.config.check_secrets import secret_problems
from reconciler.config.check_zones import zone_problems
from reconciler.config.documents import VirtualMachine
from reconciler.config.first_boot import SEED
from reconciler.config.names import Names, unknown
from reconciler.config.repository import Documents
from reconciler.model.position import Problem

UNKNOWN = "invalid"  # the domain of a Farm or Environment that is itself wrong (RFC 2606)
_MACHINE = "VirtualMachine"


def check_documents(documents: Documents, names: Names) -> tuple[Problem, ...]:
    """Every problem between the documents of one environment.

    `documents` are those that are right in themselves, `names` tell of the others.
    """
    return (
        *_domains(documents),
        *_machines(documents, names),
        *_same_domains(documents),
        *_same_volumes(documents),
        *machine_problems(documents, names),
        *host_problems(documents),
        *room_problems(documents, names),
        *network_problems(documents, names),
        *dynamic_name_problems(documents, names),
        *overlay_problems(documents),
        *address_problems(documents),
        *firewall_problems(documents, names),
        *proxy_problems(documents, names),
        *nameserver_problems(documents, names),
        *zone_problems(documents, names),
        *secret_problems(documents),
    )


def _domains(documents: Documents) -> Iterator[Problem]:
    """A domain beside the farm's is a slip; the one that both are in may hold machines, too."""
    own, farm = documents.policy.domain, documents.farm.domain
    related = f".{own}".endswith(f".{farm}") or f".{farm}".endswith(f".{own}")
    if not related and UNKNOWN not in {own, farm}:
        position = documents.position("Environment", documents.environment, "domain")
        what = f"the domain {own} is not inside the farm's, {farm}"
        yield Problem(position, what, f"write {farm} or a name that ends with it")


def _machines(documents: Documents, names: Names) -> Iterator[Problem]:
    for machine in documents.machines.values():
        yield from _references(documents, machine, names)
        yield from _parts(documents, machine)
        former = machine.renamed_from
        if former and (_MACHINE, former) in names.documents:
            position = documents.position(_MACHINE, machine.name, "renamed_from")
            yield Problem(position, f"machine {former} still exists", "remove renamed_from")


def _references(documents: Documents, machine: VirtualMachine, names: Names) -> Iterator[Problem]:
    if machine.image and names.lack("Image", machine.image):
        position = documents.position(_MACHINE, machine.name, "image")
        yield unknown(position, "image", machine.image, names.of("Image"))
    for each in machine.networks:
        if names.lack("Network", each.network):
            position = documents.position(_MACHINE, machine.name, "networks", each.network)
            yield unknown(position, "network", each.network, names.of("Network"))


def _parts(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    disks = Counter(disk.name for disk in machine.disks)
    networks = Counter(each.network for each in machine.networks)
    for key, parts in (("disks", disks), ("networks", networks)):
        for name in (name for name, count in parts.items() if count > 1):
            position = documents.position(_MACHINE, machine.name, key, name)
            what = f"machine {machine.name} has {name} twice among its {key}"
            yield Problem(position, what, "remove one of them")


def _same_domains(documents: Documents) -> Iterator[Problem]:
    names: dict[str, str] = {}
    for machine in documents.machines.values():
        name = machine.libvirt_name or f"{documents.environment}-{_identity(machine)}"
        first = names.setdefault(name, machine.name)
        if first != machine.name:
            position = documents.position(_MACHINE, machine.name, "libvirt_name")
            what = f"machines {first} and {machine.name} are both {name} on their hosts"
            yield Problem(position, what, "give one of them another libvirt_name")


def _same_volumes(documents: Documents) -> Iterator[Problem]:
    """A volume is called `<machine>-<disk>`, and so may be another one of another machine."""
    names: dict[str, tuple[str, str]] = {}
    for machine in documents.machines.values():
        for disk, volume in _volumes(documents, machine):
            for name in sorted({volume, f"{documents.environment}-{machine.name}-{disk}"}):
                first, first_disk = names.setdefault(name, (machine.name, disk))
                if first == machine.name:
                    continue
                where = documents.position(_MACHINE, first)
                what = (
                    f"disk {disk} of machine {machine.name} and disk {first_disk} of machine "
                    f"{first} ({where}) would both be the volume {name}"
                )
                position = documents.position(_MACHINE, machine.name)
                yield Problem(position, what, "rename one of the disks")


def _volumes(documents: Documents, machine: VirtualMachine) -> Iterator[tuple[str, str]]:
    """The disks of a machine by name, and what their volumes are called on its host."""
    prefix = f"{documents.environment}-{_identity(machine)}"
    for disk in machine.disks:
        yield disk.name, disk.volume or f"{prefix}-{disk.name}"
    if machine.first_boot:
        yield SEED, f"{prefix}-{SEED}"


def _identity(machine: VirtualMachine) -> str:
    former: str | None = machine.renamed_from
    return former or str(machine.name)
