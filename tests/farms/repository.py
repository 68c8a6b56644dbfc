"""A config repository in memory: files by path, loaded as from git."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from reconciler.config.load import load
from reconciler.config.repository import Documents


@dataclass(frozen=True)
class Tree:
    """Text files by path."""

    files: Mapping[str, str]

    def entries(self) -> Mapping[str, str]:
        return {path: blob_id(text) for path, text in self.files.items()}

    def read(self, blob_ids: Iterable[str]) -> Mapping[str, bytes]:
        known = {blob_id(text): text.encode() for text in self.files.values()}
        return {each: known[each] for each in blob_ids}


def blob_id(text: str) -> str:
    return sha256(text.encode()).hexdigest()


FARM = {
    "farm.yaml": "{kind: Farm, name: farm, domain: farm.internal, contact: j.doe@farm.internal}",
    "environments/production/environment.yaml": (
        "{kind: Environment, name: production, domain: farm.internal}"
    ),
    "environments/staging/environment.yaml": (
        "{kind: Environment, name: staging, domain: stage.farm.internal}"
    ),
    "hosts.yaml": (
        "kind: Host\nname: virt1\nenvironment: production\naddress: 192.168.1.17\n"
        "memory: 32 GiB\nreserved_memory: 2 GiB\n"
        "pools:\n  - {name: default, size: 1 TiB, target: /pools/default}\n"
        "share:\n  staging: {memory: 8 GiB, cpus: 4}\n"
    ),
    "networks.yaml": (
        "kind: Network\nname: lan\nsubnet: 192.168.1.0/24\nbridge: br-lan\ngateway: 192.168.1.1\n"
    ),
    "images.yaml": (
        "kind: Image\nname: debian-12\nurl: https://images.example/debian-12.qcow2\n"
        f"sha256: {'ab' * 32}\n"
    ),
    "environments/production/zone.yaml": (
        "kind: Zone\nname: farm.internal\nserver: ns1\nprimary: ns1.farm.internal.\n"
        "nameservers: [ns1.farm.internal., ns2]\nttl: 5m\nreverse: [lan]\n"
        "records:\n"
        "  - {name: ns1, type: A, values: [192.168.1.2]}\n"
        "  - {name: ns2, type: AAAA, values: ['2001:db8:0::2']}\n"
        "  - {name: '@', type: MX, values: [10 mail.example.]}\n"
    ),
    "vms/web-1.yaml": (
        "kind: VirtualMachine\nname: web-1\nimage: debian-12\ncpus: 2\nmemory: 2 GiB\n"
        "disks:\n  - {name: root, size: 16 GiB}\n  - {name: data, size: 8 GiB, format: raw}\n"
        "networks:\n  - {network: lan, address: 192.168.1.129}\n"
    ),
}


def documents(
    changes: Mapping[str, str] | None = None, environment: str = "production"
) -> Documents:
    """The documents of the farm above; an empty text takes a file away.

    Raises:
        ConfigError: they are not right.
    """
    files = {**FARM, **(changes or {})}
    return load(Tree({path: text for path, text in files.items() if text}), environment)
