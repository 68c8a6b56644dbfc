"""The management path: what of a host's base can cut us off from it, and how it finds back.

A change of such a thing has a `Safety`: the host arms a dead man's switch before it, and takes the
change back unless a new connection says that all is well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.model.address import Address
from reconciler.ports.machine import Safety

SYSCTL_FILE = "/etc/sysctl.d/90-reconciler.conf"

# A path, or all below it if it ends in a slash, with the units that read it when they start. Who
# reads a file at each connection is not restarted.
_FILES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/etc/ssh/", ("ssh", "sshd")),
    ("/etc/default/ssh", ("ssh", "sshd")),
    ("/etc/network/", ("networking",)),
    ("/etc/netplan/", ("systemd-networkd",)),
    ("/etc/systemd/network/", ("systemd-networkd",)),
    ("/etc/NetworkManager/", ("NetworkManager",)),
    ("/etc/nftables.conf", ("nftables",)),
    ("/etc/nftables.d/", ("nftables",)),
    ("/etc/iptables/", ("netfilter-persistent",)),
    ("/etc/ufw/", ("ufw",)),
    ("/etc/firewalld/", ("firewalld",)),
    ("/root/", ()),  # the keys that let us in, and what our shell reads before it runs anything
    ("/etc/bash.bashrc", ()),
    ("/etc/environment", ()),
    ("/etc/ld.so.preload", ()),
    ("/etc/ld.so.conf", ()),
    ("/etc/ld.so.conf.d/", ()),
    ("/etc/nologin", ()),
    ("/etc/hosts.allow", ()),
    ("/etc/hosts.deny", ()),
    ("/etc/nsswitch.conf", ()),
    ("/etc/pam.d/", ()),
    ("/etc/security/", ()),
)
_UNITS = frozenset(
    {
        "ssh",
        "sshd",
        "ssh.socket",
        "networking",
        "systemd-networkd",
        "NetworkManager",
        "nftables",
        "netfilter-persistent",
        "ufw",
        "firewalld",
        "openvswitch-switch",
        *("sshd.socket", "systemd-networkd.socket", "systemd-sysctl", "ifup", "dhcpcd"),
        *("ovs-vswitchd", "ovsdb-server", "frr", "bird", "keepalived"),
        *("iptables", "ip6tables", "ferm", "shorewall", "fail2ban"),
        *("wg-quick", "openvpn", "openvpn-client", "openvpn-server", "strongswan", "tailscaled"),
    }
)
_UNIT_FILES = re.compile(r"\A(?:/etc|/run|(?:/usr(?:/local)?)?/lib)/systemd/system/([^/]+)")
_SYSCTLS = (
    *("rp_filter", "disable_ipv6", "accept_ra", "arp_ignore", "arp_filter", "accept_local"),
    *("nf_conntrack_max", "tcp_mem", "gc_thresh3", "max_size"),
)
_FORWARDING = "net.ipv6.conf."  # who forwards takes no routes from routers any more
_LOGIN = "root"
_LOGIN_FILES = ("/root/.ssh/authorized_keys", "/etc/passwd", "/etc/shadow")


def units_reading(path: str) -> tuple[str, ...] | None:
    """The units through which a file could cut us off; None if it could not."""
    if found := _UNIT_FILES.match(path):
        unit = found[1].removesuffix(".d")
        return (unit,) if is_guarded_unit(unit) else None
    for start, units in _FILES:
        if path == start or (start.endswith("/") and f"{path}/".startswith(start)):
            return units
    return None


def is_guarded_unit(unit: str) -> bool:
    """Whether a restart of this unit could cut us off."""
    return unit.removesuffix(".service").partition("@")[0] in _UNITS


def safety_of_file(address: Address, path: str, digest: str) -> Safety | None:
    """How the host finds back from a change of a file; None if that cannot cut us off.

    `digest` is that of the spec that is tried.
    """
    units = units_reading(path)
    return None if units is None else Safety((path,), units, ((address, digest),))


def safety_of_service(
    address: Address, unit: str, reads: Iterable[str], digest: str
) -> Safety | None:
    """How the host finds back from a change of a service, or from what it reads anew.

    `reads` are the paths of its files.
    """
    paths = tuple(reads)
    if not is_guarded_unit(unit) and all(units_reading(path) is None for path in paths):
        return None
    return Safety(paths, (unit,), ((address, digest),))


def safety_of_sysctl(address: Address, name: str, digest: str) -> Safety | None:
    """How the host finds back from a setting of its kernel."""
    last = name.rpartition(".")[2]
    is_route = name.startswith(_FORWARDING) and last == "forwarding"
    if not (name.startswith("net.") and last in _SYSCTLS) and not is_route:
        return None
    return Safety((f"/proc/sys/{sysctl_path(name)}", SYSCTL_FILE), (), ((address, digest),))


def safety_of_user(address: Address, name: str, digest: str) -> Safety | None:
    """How the host finds back from a change of the account by which we come in."""
    return Safety(_LOGIN_FILES, (), ((address, digest),)) if name == _LOGIN else None


def safety_of_network(address: Address, digest: str, files: Iterable[str] = ()) -> Safety:
    """How the host finds back from a change of its interfaces, switches, tunnels or packet filter.

    `files` are the paths of what sets them up at boot, all that the change may write or remove.
    """
    return Safety(tuple(files), (), ((address, digest),), network=True)


def sysctl_path(name: str) -> str:
    """The path of a kernel setting below /proc/sys: in a name, `/` stands for a dot in it."""
    return name.translate(str.maketrans("./", "/."))
