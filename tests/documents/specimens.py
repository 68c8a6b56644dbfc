"""One document of each kind with every field set, and ways to change each of its texts."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.documents import HostDefaults
from reconciler.config.parse import parse
from tests.documents.corpus import CORPUS

Path = tuple[str | int, ...]


def specimen(name: str) -> dict[str, Any]:
    """The value of a good document of the corpus."""
    (document,) = parse(name, (CORPUS / "good" / "documents" / f"{name}.yaml").read_bytes())
    value: dict[str, Any] = document.value
    return value


MACHINE = specimen("machine-with-everything")
DEFAULTS: dict[str, Any] = {
    "image": "debian-12",
    "cpus": 1,
    "cpus_maximum": 2,
    "cpu_model": "EPYC-Rome",
    "memory": "1 GiB",
    "memory_maximum": "2 GiB",
    "firmware": "uefi",
    "tpm": False,
    "disks": [{"name": "root", "size": "8 GiB", "pool": "default", "format": "qcow2"}],
    "networks": [{"network": "lan", "mac": "52:54:00:00:00:01", "address": "192.168.1.130"}],
    "first_boot": MACHINE["first_boot"],
    "host": "virt1",
    "running": True,
    "autostart": True,
    "restart": "manual",
}
HOST = specimen("host-with-everything")
HOST_DEFAULTS: dict[str, Any] = {key: HOST[key] for key in HostDefaults.model_fields}
FARM: dict[str, Any] = {
    "kind": "Farm",
    "name": "farm",
    "description": "All of it",
    "domain": "farm.internal",
    "contact": "hostmaster@farm.internal",
    "defaults": DEFAULTS,
    "host_defaults": HOST_DEFAULTS,
    "cpu_models": {"old": "Haswell-noTSX"},
}
SPECIMENS: Mapping[str, dict[str, Any]] = {
    "Farm": FARM,
    "Environment": specimen("environment-with-everything"),
    "Host": HOST,
    "Network": {**specimen("network-with-everything"), "portgroup": None},
    "Firewall": specimen("firewall-with-everything"),
    "Proxy": specimen("proxy-with-everything"),
    "Zone": specimen("zone-with-everything"),
    "Image": {**specimen("image-from-a-port"), "format": "raw", "sha512": None},
    "Stack": {
        **DEFAULTS,
        **HOST_DEFAULTS,
        "kind": "Stack",
        "name": "s",
        "description": "All that a stack can say",
        "inherits": "linux",
    },
    "VirtualMachine": MACHINE,
}


PLACES: Mapping[str, str] = dict.fromkeys(SPECIMENS, "new/a.yaml") | {"Farm": "farm.yaml"}


def texts(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every text in a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))
    elif isinstance(value, str):
        yield path


def every_text() -> list[tuple[str, Path]]:
    """Kind and path of every text that a person may write."""
    return [(kind, path) for kind, value in SPECIMENS.items() for path in texts(value)]


def at(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


def changed(kind: str, path: Path, text: Any) -> dict[str, Any]:
    """The specimen of a kind with something else at a path."""
    document = copy.deepcopy(SPECIMENS[kind])
    at(document, path[:-1])[path[-1]] = text
    return document


def as_yaml(document: Mapping[str, Any]) -> bytes:
    """A document as a file: JSON is YAML."""
    return json.dumps(document).encode()
