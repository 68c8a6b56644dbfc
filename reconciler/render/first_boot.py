"""First boot data for cloud-init's NoCloud source, from a machine's document.

The seed is made of typed values only and written as JSON, which every YAML reader takes the same
way: YAML 1.1, which cloud-init reads, takes plain words such as `off` or `12:30` for something
else. So nothing that a document says can become a key, another document or another format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from reconciler.config.documents import AttachmentField, VirtualMachine
from reconciler.config.first_boot import SEED, AccountField, FileField, FirstBoot
from reconciler.config.networks import Network
from reconciler.config.overlays import mtu_of
from reconciler.config.repository import Documents
from reconciler.kinds.domain import DomainSpec, volume_address
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.plain import DIGEST_LENGTH, digest_of
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import Disk, Seed
from reconciler.render.names.named import machine_fqdn

SEED_BYTES = 4 * 2**20  # one extent of LVM, and more than the checks let anybody write
HEADER = "#cloud-config\n"
ANYTHING = "ALL=(ALL) NOPASSWD:ALL"
_BEYOND_ASCII = re.compile(r"[^\n -~]")
_MAIL = re.compile(r"(mime-version):", re.IGNORECASE)


def seed_disk(machine: VirtualMachine, volume: str) -> Iterator[Disk]:
    """The CD-ROM with the seed, if the machine has one; `volume` is what it is called."""
    if machine.first_boot:
        yield Disk(SEED, machine.disks[0].pool, volume, device="cdrom")


def seed_volume(
    documents: Documents, machine: VirtualMachine, domain: DomainSpec
) -> Iterator[Desired[VolumeSpec]]:
    """The volume of the seed, if the machine has one. What is kept for good is not compared."""
    if machine.first_boot is None:
        return
    disk = next(disk for disk in domain.disks if disk.name == SEED)
    seed = seed_of(documents, machine, domain)
    spec = VolumeSpec(
        host=machine.host,
        pool=disk.pool,
        name=disk.volume,
        format="iso",
        capacity_bytes=SEED_BYTES,
        content=None if machine.first_boot.on_change == "keep" else digest_of(seed),
        seed=seed,
    )
    former = volume_address(machine.renamed_from, SEED) if machine.renamed_from else None
    position = documents.position("VirtualMachine", machine.name, "first_boot")
    yield Desired(volume_address(machine.name, SEED), spec, position, former)


def root_content(machine: VirtualMachine) -> str | None:
    """What the system on the root disk is made with, where a change of it makes the disk anew."""
    return _digest_if(machine, "replace")


def rerun_content(machine: VirtualMachine) -> str | None:
    """What the guest acts on again at its next start when it changes."""
    return _digest_if(machine, "rerun")


def seed_of(documents: Documents, machine: VirtualMachine, domain: DomainSpec) -> Seed:
    """The three files of the seed."""
    first_boot = machine.first_boot or FirstBoot()
    is_kept = first_boot.on_change == "keep"
    instance = domain.uuid if is_kept else f"{domain.uuid}-{instance_digest(first_boot)}"
    return Seed(
        meta_data=as_yaml({"instance-id": instance, "local-hostname": machine.name}),
        user_data=HEADER + as_yaml(_user_data(documents, machine.name, first_boot)),
        network_config=as_yaml({"version": 2, "ethernets": _ethernets(documents, machine, domain)}),
    )


def instance_digest(first_boot: FirstBoot) -> str:
    """A name for what cloud-init does once in the life of a system.

    It goes by what was written, not by what we make of it, or a release of ours that words a seed
    in another way would make every root disk anew. Order and remarks count for nothing.
    """
    written = first_boot.model_dump(
        mode="json", exclude_defaults=True, exclude={"grow", "on_change"}
    )
    for account in written.get("accounts", ()):
        account.pop("description", None)
        keys = (key.split(" ")[:2] for key in account.get("ssh_keys", ()))
        account |= {"ssh_keys": sorted(keys), "groups": sorted(account.get("groups", ()))}
    for key, value in written.items():
        if isinstance(value, list):
            written[key] = sorted(value, key=_canonical)
    return hashlib.sha256(_canonical(written)).hexdigest()[:DIGEST_LENGTH]


def as_yaml(value: Mapping[str, Any]) -> str:
    """Plain values as JSON in ASCII, of which cloud-init never thinks that it is a mail."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    return _BEYOND_ASCII.sub(_escaped, _MAIL.sub(r"\1\\u003a", text))


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _escaped(match: re.Match[str]) -> str:
    return f"\\U{ord(match[0]):08x}"  # JSON has no such escape, but YAML has


def _digest_if(machine: VirtualMachine, on_change: str) -> str | None:
    first_boot = machine.first_boot
    if first_boot is None or first_boot.on_change != on_change:
        return None
    return instance_digest(first_boot)


def _user_data(documents: Documents, name: str, first_boot: FirstBoot) -> dict[str, Any]:
    """Nobody logs in by password or as root; only the network is looked at again at each boot."""
    optional = {
        "users": [_user(account) for account in _by_name(first_boot.accounts)],
        "packages": sorted(set(first_boot.packages)),
        "write_files": [_file(file) for file in sorted(first_boot.files, key=lambda f: f.path)],
        "timezone": first_boot.timezone,
        "locale": first_boot.locale,
    }
    return {
        "hostname": name,
        "fqdn": machine_fqdn(documents, name),
        "prefer_fqdn_over_hostname": False,
        "preserve_hostname": False,
        "manage_etc_hosts": "localhost",
        "disable_root": True,
        "ssh_pwauth": False,
        "growpart": {"mode": "auto" if first_boot.grow else "off", "devices": ["/"]},
        "resize_rootfs": first_boot.grow,
        "package_update": first_boot.upgrade or bool(first_boot.packages),
        "package_upgrade": first_boot.upgrade,
        "updates": {"network": {"when": ["boot"]}},
        **{key: value for key, value in optional.items() if value},
    }


def _by_name(accounts: tuple[AccountField, ...]) -> list[AccountField]:
    return sorted(accounts, key=lambda account: str(account.name))


def _user(account: AccountField) -> dict[str, Any]:
    optional = {
        "groups": sorted(set(account.groups)),
        "ssh_authorized_keys": sorted(set(account.ssh_keys)),
        "sudo": ANYTHING if account.sudo else None,
    }
    return {
        "name": account.name,
        "shell": account.shell,
        "lock_passwd": True,
        **{key: value for key, value in optional.items() if value},
    }


def _file(file: FileField) -> dict[str, Any]:
    """What is not root's is written last, when the accounts are there."""
    return {
        "path": file.path,
        "content": file.content,
        "permissions": file.mode,
        "owner": file.owner,
        "defer": file.owner not in {"root", "root:root"},
    }


def _ethernets(
    documents: Documents, machine: VirtualMachine, domain: DomainSpec
) -> dict[str, dict[str, Any]]:
    """The interfaces by hardware address; the first one with a router is the way out."""
    ethernets: dict[str, dict[str, Any]] = {}
    is_way_out = True
    for attachment, interface in zip(machine.networks, domain.interfaces, strict=True):
        network = documents.networks[attachment.network]
        ethernet: dict[str, Any] = {"match": {"macaddress": interface.mac}}
        if mtu := mtu_of(network, documents.networks):
            ethernet["mtu"] = mtu
        if attachment.address is None:
            ethernet["dhcp4"] = True
        else:
            ethernet |= _fixed(attachment, network, documents.policy.domain)
            if network.gateway and is_way_out:
                ethernet["routes"] = [{"to": "0.0.0.0/0", "via": str(network.gateway)}]
                is_way_out = False
        ethernets[network.name] = ethernet
    return ethernets


def _fixed(attachment: AttachmentField, network: Network, domain: str) -> dict[str, Any]:
    address = f"{attachment.address}/{network.subnet.prefixlen}"
    servers = [str(server) for server in network.nameservers]
    naming = {"nameservers": {"addresses": servers, "search": [domain]}} if servers else {}
    return {"dhcp4": False, "addresses": [address], **naming}
