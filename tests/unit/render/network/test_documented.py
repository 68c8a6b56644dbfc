"""The documents in docs/networks.md: put together they load, and make what is said."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.render.render import render
from tests.farms.repository import documents

PAGE = Path(__file__).parents[4] / "docs/networks.md"
HOST = """\
kind: Host
name: virt{n}
environment: production
address: 10.10.59.{n}
memory: 32 GiB
share: {{staging: {{memory: 8 GiB, cpus: 4}}}}
pools: [{{name: default, size: 1 TiB, target: /srv/images}}]
"""
MACHINE = """\
kind: VirtualMachine
name: web-{n}
memory: 1 GiB
networks: [{{network: lan, address: 192.168.1.{address}}}]
"""


def blocks() -> dict[str, str]:
    """The first of the page that begin with a line, documents or parts of them, by that line."""
    found = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return {each.split("\n", 1)[0]: each for each in reversed(found)}


def other_network() -> str:
    """The network of libvirt on the page."""
    found = re.findall(r"```yaml\n(kind: Network\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(found[-1])


def made(network: str, host: str = "") -> set[str]:
    """The kinds of what a farm makes whose network and first host say this."""
    page = blocks()
    hosts = [HOST.format(n=1) + host, HOST.format(n=2), HOST.format(n=3)]
    machines = [MACHINE.format(n=n, address=128 + n) for n in (2, 3)]
    farm = documents(
        {
            "hosts.yaml": "---\n".join(hosts),
            "networks.yaml": page["kind: Network"] + network,
            "firewall.yaml": page["kind: Firewall"],
            "proxy.yaml": page["kind: Proxy"],
            "vms.yaml": "---\n".join(machines),
        },
        "production",
    )
    return {want.address.kind for want in render(farm)}


def test_the_overlay_of_the_page_is_made() -> None:
    page = blocks()
    kinds = made(page["switch: openvswitch"] + page["dhcp:"])
    assert kinds >= {"switch", "tunnel", "subnet", "reservations", "ruleset", "file", "service"}


def test_the_bridges_of_the_page_are_made() -> None:
    page = blocks()
    host = page["kind: Host"].partition("# …\n")[2]
    assert made(page["hosts:"], host) >= {"bridge", "bond", "vlan"}


def test_the_network_of_libvirt_on_the_page_is_made() -> None:
    page = blocks()
    both = page["switch: openvswitch"] + page["dhcp:"] + "---\n" + other_network()
    assert made(both) >= {"libvirt_network", "switch"}
