"""What the fields of one machine must not say about each other, or about what they name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from reconciler.config.documents import VirtualMachine
from reconciler.config.fields import MOST_TEXT
from reconciler.config.first_boot import SEED, FirstBoot
from reconciler.config.names import Names, unknown
from reconciler.config.networks import Network
from reconciler.config.parse import shown
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem
from reconciler.model.quantity import format_size

MOST_FILES_TEXT = 4 * MOST_TEXT
MOST_TEXT_IN_ALL = 512 * MOST_TEXT
KEPT_NAMES = ("trash.", "incoming.", "moving.")  # what hosts call volumes in passing
_MACHINE = "VirtualMachine"


def machine_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with processors, memory, disks, plugs, order and first boot."""
    for machine in documents.machines.values():
        yield from _maximum_problems(documents, machine)
        yield from _firmware_problems(documents, machine)
        yield from _disk_problems(documents, machine)
        yield from _plug_problems(documents, machine)
        yield from _order_problems(documents, machine, names)
        yield from _first_boot_problems(documents, machine)
        if machine.adopt and machine.host is None:
            what = f"machine {machine.name} is to be adopted, and no host is named"
            yield Problem(_at(documents, machine, "adopt"), what, "write the `host:` it runs on")
    yield from _first_boot_in_all(documents)
    yield from _circles(documents)
    for network in documents.networks.values():
        yield from _network_problems(documents, network)
    yield from _group_problems(documents, names)


def _at(documents: Documents, machine: VirtualMachine, *path: str) -> Position:
    return documents.position(_MACHINE, machine.name, *path)


def _maximum_problems(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    if machine.cpus_maximum is not None and machine.cpus_maximum < machine.cpus:
        what = f"machine {machine.name} has {machine.cpus} cpus, and at most {machine.cpus_maximum}"
        remedy = f"write `cpus_maximum: {machine.cpus}` or more, or less cpus"
        yield Problem(_at(documents, machine, "cpus_maximum"), what, remedy)
    if machine.memory_maximum is not None and machine.memory_maximum < machine.memory:
        memory, most = format_size(machine.memory), format_size(machine.memory_maximum)
        what = f"machine {machine.name} has {memory} of memory, and at most {most}"
        remedy = f"write `memory_maximum: {memory}` or more, or less memory"
        yield Problem(_at(documents, machine, "memory_maximum"), what, remedy)


def _firmware_problems(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    if machine.tpm and machine.firmware == "bios":
        what = f"machine {machine.name} has a TPM 2.0, which a BIOS makes no use of"
        yield Problem(_at(documents, machine, "tpm"), what, "write `firmware: uefi`, or no tpm")


def _disk_problems(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    for index, disk in enumerate(machine.disks):
        if disk.name == SEED:
            what = f"the disk name {SEED} of machine {machine.name} is kept for first boot data"
            yield Problem(_at(documents, machine, "disks", SEED), what, "rename the disk")
        if disk.volume and disk.volume.startswith(KEPT_NAMES):
            position = _at(documents, machine, "disks", disk.name, "volume")
            what = f"volume {disk.volume} is called like those in the trash or on their way"
            yield Problem(position, what, "choose another name, or restore it from the trash")
        if disk.image != "overlay":
            continue
        position = _at(documents, machine, "disks", disk.name, "image")
        if index or machine.image is None:
            why = "it is not the first" if index else "the machine has no image"
            what = f"disk {disk.name} of machine {machine.name} cannot lie over an image: {why}"
            yield Problem(position, what, "remove `image: overlay`")
        elif disk.format != "qcow2":
            what = f"disk {disk.name} of machine {machine.name} is {disk.format}, and so no overlay"
            yield Problem(position, what, "write `format: qcow2`, or remove `image: overlay`")


def _plug_problems(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    for each in machine.networks:
        network = documents.networks.get(each.network)
        if each.vlan is not None and network is not None and network.switch != "openvswitch":
            position = _at(documents, machine, "networks", each.network, "vlan")
            what = f"machine {machine.name} has a VLAN on network {network.name}, whose switch is "
            yield Problem(position, f"{what}{network.switch}", _vlan_remedy(network))


def _network_problems(documents: Documents, network: Network) -> Iterator[Problem]:
    if network.vlan is not None and network.switch != "openvswitch":
        position = documents.position("Network", network.name, "vlan")
        what = f"network {network.name} has a VLAN, and its switch is {network.switch}"
        yield Problem(position, what, _vlan_remedy(network))
    if network.portgroup is not None and network.switch != "libvirt":
        position = documents.position("Network", network.name, "portgroup")
        what = f"network {network.name} has a port group, and its switch is {network.switch}"
        yield Problem(position, what, "write `switch: libvirt`, or remove the port group")


def _vlan_remedy(network: Network) -> str:
    if network.switch == "libvirt":
        return "choose a port group that has the VLAN, or write `switch: openvswitch`"
    return "write `switch: openvswitch`, or name the bridge of the VLAN"


def _order_problems(
    documents: Documents, machine: VirtualMachine, names: Names
) -> Iterator[Problem]:
    for index, other in enumerate(machine.starts_after):
        position = _at(documents, machine, "starts_after", str(index))
        if names.lack(_MACHINE, other):
            yield unknown(position, "machine", other, names.of(_MACHINE))
        elif other == machine.name:
            what = f"machine {machine.name} would start after itself"
            yield Problem(position, what, "remove it from starts_after")


def _circles(documents: Documents) -> Iterator[Problem]:
    """Each circle of machines that wait for each other, told once, at its first by name."""
    told: set[frozenset[str]] = set()
    for name in sorted(documents.machines):
        circle = _circle(documents, name)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            path = " -> ".join([*circle, name])
            position = documents.position(_MACHINE, name, "starts_after")
            what = f"machines wait for each other in a circle: {path}"
            yield Problem(position, what, "break it at one of them")


def _circle(documents: Documents, start: str) -> Sequence[str]:
    """A shortest way from a machine back to itself over others, empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:  # it grows while we go
        machine = documents.machines.get(way[-1])
        for other in machine.starts_after if machine else ():
            if other == start and len(way) > 1:
                return way
            if other not in seen and other != start:
                seen.add(other)
                ways.append((*way, other))
    return ()


def _first_boot_problems(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    first_boot = machine.first_boot
    if first_boot is None:
        return
    if machine.image is None or not machine.disks:
        lack = "image" if machine.image is None else "disk"
        what = f"machine {machine.name} has first boot data, and no {lack} with a system to read it"
        remedy = f"give it an {lack}, or write `first_boot: null`".replace("an disk", "a disk")
        yield Problem(_at(documents, machine, "first_boot"), what, remedy)
    accounts = Counter(str(account.name) for account in first_boot.accounts)
    paths = Counter(str(file.path) for file in first_boot.files)
    for key, parts in (("accounts", accounts), ("files", paths)):
        for name in (name for name, count in parts.items() if count > 1):
            what = f"first_boot of machine {machine.name} has {name} twice among its {key}"
            position = _at(documents, machine, "first_boot", key, name)
            yield Problem(position, what, "remove one of them")
    size = sum(len(file.content) for file in first_boot.files)
    if size > MOST_FILES_TEXT:
        what = f"the files of machine {machine.name} have {size} letters, {MOST_FILES_TEXT} may be"
        position = _at(documents, machine, "first_boot", "files")
        yield Problem(position, what, "put them into the image or a package")


def _first_boot_in_all(documents: Documents) -> Iterator[Problem]:
    """What one stack says, thousands of machines may inherit, and each of them gets a seed."""
    sizes = {
        name: _letters(machine.first_boot)
        for name, machine in documents.machines.items()
        if machine.first_boot
    }
    if sum(sizes.values()) > MOST_TEXT_IN_ALL:
        largest = max(sorted(sizes), key=lambda name: sizes[name])
        what = (
            f"the first boot data of all machines have {sum(sizes.values())} letters, "
            f"{MOST_TEXT_IN_ALL} may be; {largest} alone has {sizes[largest]}"
        )
        position = documents.position(_MACHINE, largest, "first_boot")
        yield Problem(position, what, "put the files into the image or a package")


def _letters(first_boot: FirstBoot) -> int:
    texts = [str(each.content) for each in first_boot.files]
    texts += [str(key) for account in first_boot.accounts for key in account.ssh_keys]
    return sum(map(len, (*texts, *first_boot.packages)))


def _group_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """A slip in a group's name would leave its guests without the processor meant for them."""
    if names.some_unread or len(names.of("Host")) != len(documents.hosts):
        return
    groups = {str(host.group) for host in documents.hosts.values() if host.group}
    for group in sorted(documents.farm.cpu_models.keys() - groups):
        position = documents.position("Farm", documents.farm.name, "cpu_models", group)
        what = f"there is no host in the group {shown(group)}"
        near = get_close_matches(shown(group), groups, 1)
        remedy = f"did you mean {near[0]}?" if near else "write `group:` into its hosts"
        yield Problem(position, what, remedy)
