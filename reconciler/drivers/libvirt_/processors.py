"""Processors and memory in a domain's XML, with what it can be given while it runs."""

from __future__ import annotations

from math import prod
from typing import Any

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.xmltext import add, child, drop, whole_number
from reconciler.ports.hypervisor import DomainDefinition

KIB = 1024
_FACTORS = ("sockets", "dies", "clusters", "cores", "threads")
_HAVE_NO_MODEL = frozenset({"topology", "numa"})


def apply_memory(root: Any, definition: DomainDefinition, guest: Any) -> None:
    """Set the memory, and the most of it if that is managed or would be exceeded.

    `guest` is the XML of the running guest, if one runs: a maximum that is not managed is what it
    has, so that going back to what runs is no change.
    """
    memory_bytes = definition.memory_bytes
    before, maximum = reading.memory_of(root), reading.memory_maximum_of(root)
    usual = maximum if guest is None else reading.memory_maximum_of(guest)
    wanted = definition.memory_maximum_bytes or max(usual, memory_bytes)
    if wanted != maximum:
        _set_kib(child(root, "memory"), wanted)
    if before != memory_bytes or reading.memory_of(root) != memory_bytes:
        _set_kib(child(root, "currentMemory"), memory_bytes)


def apply_vcpus(root: Any, definition: DomainDefinition, guest: Any) -> None:
    """Set the processors, and the most of them as with memory.

    Where the most is managed all but the first can be unplugged.
    """
    vcpus, before = definition.vcpus, reading.vcpus_of(root)
    maximum = reading.vcpus_maximum_of(root)
    usual = maximum if guest is None else reading.vcpus_maximum_of(guest)
    wanted = definition.vcpus_maximum or max(usual, vcpus)
    if (before, maximum) == (vcpus, wanted):
        return
    element, states = child(root, "vcpu"), root.find("vcpus")
    element.text = str(wanted)
    element.attrib.pop("current", None)
    if vcpus != wanted:
        element.set("current", str(vcpus))
    if states is not None or definition.vcpus_maximum is not None:
        _set_states(child(root, "vcpus"), vcpus, wanted)
    _fit_topology(root, wanted)


def apply_cpu_model(root: Any, model: str | None) -> None:
    """Set what the processors are like; None leaves that open."""
    if model is None or reading.cpu_model_of(root) == model:
        return
    element = child(root, "cpu")
    element.attrib.clear()
    drop(element, *({each.tag for each in element.iterchildren("*")} - _HAVE_NO_MODEL))
    if model in reading.CPU_MODES:
        element.set("mode", model)
        return
    element.set("mode", "custom")
    element.set("match", "exact")
    add(element, "model", fallback="forbid").text = model


def _set_states(element: Any, vcpus: int, maximum: int) -> None:
    drop(element, "vcpu")
    for number in range(maximum):
        is_first = number == 0
        add(
            element,
            "vcpu",
            id=str(number),
            enabled="yes" if number < vcpus else "no",
            hotpluggable="no" if is_first else "yes",
        )


def _fit_topology(root: Any, maximum: int) -> None:
    """A layout of the processors that their number does not fit is refused by libvirt."""
    layout = root.find("cpu/topology")
    if layout is None:
        return
    if prod(whole_number(layout.get(each, "1")) for each in _FACTORS) != maximum:
        drop(root.find("cpu"), "topology")


def _set_kib(element: Any, size_bytes: int) -> None:
    element.set("unit", "KiB")
    element.text = str(size_bytes // KIB)
