"""Every field of every kind: where documents say it, or why none does.

Zones are not here: what is done by hand in them goes by record sets (`render.names.acceptance`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reconciler.model.quantity import format_duration
from reconciler.render.acceptance.rule import Items, Refused, Rule, Written, size, text, texts

_IS_NAME = Refused("it is what the resource is called, not what it is like")
_OF_GUEST = Refused("it tells what the guest runs on until its restart; restart it")
_OF_HOST = Refused("it follows from the host it is on")
_OF_MACHINE = Refused("it follows from the document of its machine")
_FIRST_BOOT = Refused("it is what the machine was made with at its first boot")
_ALWAYS = Refused(
    "what is described is always so; take it out of the document, or let it be healed"
)
_OF_FILES = Refused("it follows from the files that the service reads; accept the file")
_SECRETS = Refused("it holds secrets: use `reconciler secret set`, and let the file be healed")
_OF_NETWORK = Refused("it follows from the Network documents; change it there")
_OF_FIREWALL = Refused("it is made of the Firewall documents; change the rules there")
_OF_ADDRESSES = Refused("it follows from the addresses in the documents of machines")
_BOOT_FILES = Refused("these files are written by us, for the next boot")
_ANSWER = Refused("it is the answer of the command's check")
_OF_ZONE = Refused("a zone is accepted by its record sets: accept zone/NAME NAME/TYPE")


_DISKS = Items(
    {
        "name": _IS_NAME,
        "pool": Written(("pool",), text),
        "volume": Written(("volume",), text),
        "device": Refused("a disk of a document is a disk"),
    },
    gone=Refused("its volume would go to the trash then: take it out of the document yourself"),
    new=Refused("a disk becomes ours with its size: write it into the document"),
)
_INTERFACES = Items(
    {
        "mac": Refused("it is derived from the names of machine and network"),
        "bridge": Refused("it is plugged in elsewhere: name that network in the document"),
        "switch": _OF_NETWORK,
        "vlan": Written(("vlan",), int),
        "portgroup": _OF_NETWORK,
        "link": Written(("link",), text),
        "guarded": _OF_NETWORK,
    },
    gone=Written(()),
    new=Refused("an interface needs a network: write it into the document, with its mac"),
)
_DOMAIN: Mapping[str, Rule] = {
    "host": Written(("host",), text),
    "libvirt_name": Written(("libvirt_name",), text),
    "uuid": Written(("uuid",), text),
    "accelerator": _OF_HOST,
    "vcpus": Written(("cpus",), int),
    "memory_bytes": Written(("memory",), size),
    "running": Written(("running",), bool),
    "autostart": Written(("autostart",), bool),
    "disks": _DISKS,
    "interfaces": _INTERFACES,
    "vcpus_maximum": Written(("cpus_maximum",), int),
    "memory_maximum_bytes": Written(("memory_maximum",), size),
    "cpu_model": Written(("cpu_model",), text),
    "firmware": Written(("firmware",), text),
    "tpm": Written(("tpm",), bool),
    "title": Written(("description",), text),
    "first_boot": _FIRST_BOOT,
    "pending_restart": _OF_GUEST,
}
_VOLUME: Mapping[str, Rule] = {
    "host": _OF_MACHINE,
    "pool": Written(("pool",), text),
    "name": Written(("volume",), text),
    "format": Written(("format",), text),
    "capacity_bytes": Written(("size",), size),
    "content": _FIRST_BOOT,
}
_FILE: Mapping[str, Rule] = {
    "host": _IS_NAME,
    "path": _IS_NAME,
    "type": Written(("type",), text),
    "mode": Written(("mode",), text),
    "owner": Written(("owner",), text),
    "group": Written(("owner",), text),
    "content": Written(("content",), text),
    "target": Written(("target",), text),
    "secrets": _SECRETS,
}
_LINK: Mapping[str, Rule] = {
    "host": _IS_NAME,
    "name": _IS_NAME,
    "type": _IS_NAME,
    "ports": Written(("members",), texts),
    "parent": Written(("link",), text),
    "vlan": Written(("id",), int),
    "mode": Written(("mode",), text),
    "mtu": Written(("mtu",), int),
    "addresses": _OF_NETWORK,
    "routes": _OF_NETWORK,
    "is_up": _ALWAYS,
    "files": _BOOT_FILES,
}
_BRIDGE: Mapping[str, Rule] = {
    **_LINK,
    **dict.fromkeys(("ports", "parent", "vlan", "mode"), _OF_NETWORK),
    "mtu": Written(("mtu",), int, on_top=True),
}
_OF_NETWORKS: Mapping[str, tuple[str, ...]] = {
    "switch": ("ports", "mtu", "addresses", "routes"),
    "tunnel": ("switch", "ports", "ipsec"),
    "subnet": (
        "network",
        "environment",
        "subnet",
        "interface",
        "pools",
        "options",
        "next_server",
        "boot_file",
        "names",
    ),
    "reservations": ("network", "environment", "subnet"),
    "libvirt_network": (
        "forward",
        "address",
        "ranges",
        "router",
        "nameservers",
        "routes",
        "domain",
        "boot_file",
        "boot_server",
    ),
    "libvirt_reservations": ("network", "environment"),
}


def _lease(value: Any) -> str:
    return format_duration(timedelta(seconds=int(value)))


_LEASE = Written(("dhcp", "lease"), _lease, on_top=True)
_MTU = Written(("mtu",), int, on_top=True)


def _network(kind: str, **others: Rule) -> Mapping[str, Rule]:
    return {"host": _IS_NAME, **dict.fromkeys(_OF_NETWORKS.get(kind, ()), _OF_NETWORK), **others}


FIELDS: Mapping[str, Mapping[str, Rule]] = {
    "domain": _DOMAIN,
    "volume": _VOLUME,
    "file": _FILE,
    "package": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "state": Written(("state",), text),
        "version": Written(("version",), text),
        "held": Written(("held",), bool),
    },
    "setting": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "value": Written((), text),
    },
    "group": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "gid": Written(("gid",), int),
        "state": Written(("state",), text),
    },
    "user": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "uid": Written(("uid",), int),
        "description": Written(("description",), text),
        "groups": Written(("groups",), texts),
        "shell": Written(("shell",), text),
        "keys": Written(("ssh_keys",), texts),
        "sudo": Written(("sudo",), bool),
        "state": Written(("state",), text),
    },
    "module": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "options": Written(("options",), text),
        "loaded": _ALWAYS,
        "persisted": _ALWAYS,
    },
    "sysctl": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "value": Written(("value",), text),
        "persisted": Written(("value",), text),
    },
    "mount": {
        "host": _IS_NAME,
        "path": _IS_NAME,
        "source": Written(("source",), text),
        "type": Written(("type",), text),
        "options": Written(("options",), text),
        "mounted": _ALWAYS,
        "persisted": _ALWAYS,
    },
    "volume_group": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "devices": Written(("devices",), texts),
    },
    "zpool": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "layout": Written(("layout",), texts),
    },
    "pool": {
        "host": _IS_NAME,
        "name": _IS_NAME,
        "type": Written(("type",), text),
        "target": Written(("target",), text),
        "running": _ALWAYS,
        "autostart": _ALWAYS,
        "backed": _ALWAYS,
    },
    "service": {
        "host": _IS_NAME,
        "unit": _IS_NAME,
        "enabled": Written(("enabled",), bool),
        "running": Written(("running",), bool),
        "masked": Written(("masked",), bool),
        "reads": _OF_FILES,
    },
    "command": {"host": _IS_NAME, "name": _IS_NAME, "done": _ANSWER},
    "bond": _LINK,
    "vlan": _LINK,
    "bridge": _BRIDGE,
    "switch": _network(
        "switch", name=_IS_NAME, datapath=_OF_HOST, is_up=_ALWAYS, files=_BOOT_FILES
    ),
    "tunnel": _network("tunnel"),
    "ruleset": {
        "host": _IS_NAME,
        "table": _IS_NAME,
        "source": _OF_FIREWALL,
        "is_loaded": _ALWAYS,
        "is_persisted": _ALWAYS,
    },
    "subnet": _network("subnet", lease_seconds=_LEASE, is_served=_ALWAYS, is_persisted=_ALWAYS),
    "reservations": _network(
        "reservations", entries=_OF_ADDRESSES, is_served=_ALWAYS, is_persisted=_ALWAYS
    ),
    "lease": {"host": _IS_NAME, "mac": _IS_NAME, "addresses": _OF_ADDRESSES},
    "libvirt_network": _network(
        "libvirt_network",
        name=_IS_NAME,
        lease_seconds=_LEASE,
        mtu=_MTU,
        running=_ALWAYS,
        autostart=_ALWAYS,
        is_current=_ALWAYS,
    ),
    "libvirt_reservations": _network(
        "libvirt_reservations", entries=_OF_ADDRESSES, is_served=_ALWAYS
    ),
    "zone": dict.fromkeys(("server", "name", "timers", "records", "rules", "open"), _OF_ZONE),
}
