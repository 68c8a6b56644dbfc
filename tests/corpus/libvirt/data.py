"""What is in the corpus: the XML that libvirt's tests give to libvirt, and what it makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reconciler.drivers.libvirt_.reading import Dialect, definition_of
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Refused
from reconciler.kinds.domain import DomainSpec
from reconciler.ports.hypervisor import DomainDefinition

_ARCHITECTURE = re.compile(r"\.[a-z0-9_]+-(?:latest|[0-9.]+)\Z")
_WHEN = re.compile(r"-(?:in)?active\Z")
POOL = "pool"


@dataclass(frozen=True)
class Data:
    """File names with their texts, and which output belongs to which input."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def texts(self) -> dict[str, str]:
        """All, as `input/name` and `output/name`."""
        given = {f"input/{name}": text for name, text in self.inputs.items()}
        return given | {f"output/{name}": text for name, text in self.outputs.items()}

    @property
    def pairs(self) -> dict[str, str]:
        """The name of the input of each output. It may go without what the libvirt is like."""
        return {name: self._input_of(name) for name in self.outputs}

    def _input_of(self, output: str) -> str:
        stem = output.removesuffix(".xml")
        bare = _ARCHITECTURE.sub("", stem)
        candidates = (stem, _WHEN.sub("", stem), bare, _WHEN.sub("", bare))
        return next(f"{name}.xml" for name in candidates if f"{name}.xml" in self.inputs)


def data_in(folder: Path) -> Data:
    """What `scripts/corpus.py` unpacked."""
    tests = folder / "tests"
    return Data(_texts(tests / "qemuxml2argvdata"), _texts(tests / "qemuxml2xmloutdata"))


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.xml"))}


def dialect() -> Dialect:
    """Of a host with QEMU, on which each file and device is a volume of one pool."""
    return Dialect({"kvm": "kvm", "qemu": "qemu"}, lambda path: (POOL, path.replace("/", "_")))


def read(text: str) -> DomainDefinition | Refused:
    """The definition, or why there is none."""
    try:
        return definition_of(parse(text), dialect())
    except Refused as refusal:
        return refusal


def spec_of(definition: DomainDefinition) -> DomainSpec:
    """The spec of a domain that is off and has this definition."""
    called_alike: dict[str, Any] = {
        field.name: getattr(definition, field.name)
        for field in fields(DomainDefinition)
        if field.name != "name"
    }
    return DomainSpec(
        host="virt1", libvirt_name=definition.name, running=False, autostart=False, **called_alike
    )
