"""What the checks of networks, firewalls and proxies leave alone.

What each of them refuses is in the corpus.
"""

from __future__ import annotations

import pytest

from reconciler.config.load import load
from reconciler.errors import ConfigError
from tests.documents.corpus import FARM, FileTree, problems_in

MACHINE = "kind: VirtualMachine\nname: {}\nstack: linux\nnetworks:\n  - {{network: n{}}}\n"
NETWORK = "kind: Network\nname: n\nsubnet: 10.0.0.0/24\nbridge: br-n\n"
HOSTS = "  - {name: hosts, range: 10.0.0.0/28, purpose: hosts}\n"
SERVICES = "  - {name: services, range: 10.0.0.16/28, purpose: services}\n"
MACHINES = "  - {name: machines, range: 10.0.0.128/25, purpose: machines}\n"
PEOPLE = "  - {name: people, range: 10.0.0.32-10.0.0.99, purpose: dynamic}\n"
FIREWALL = (
    "kind: Firewall\nname: f\nhosts: [virt1]\nzones:\n"
    "  - {name: lan, networks: [lan]}\n  - {name: wan, interfaces: [eno1]}\n"
)
PROXY = "kind: Proxy\nname: p\nhosts: [virt1]\nsites:\n"
NO_ADDRESS = "machine x has no address on network n"


def told(*documents: str) -> list[str]:
    files = {**FARM, "new.yaml": "---\n".join(documents).encode()}
    return [problem.what for problem in problems_in(files)]


def network(*partitions: str, more: str = "") -> str:
    return NETWORK + more + ("partitions:\n" + "".join(partitions) if partitions else "")


@pytest.mark.parametrize(
    ("partitions", "attached", "is_refused"),
    [
        ((), "", False),
        ((HOSTS,), "", False),
        ((PEOPLE,), "", False),
        ((SERVICES, PEOPLE), "", False),
        ((SERVICES, PEOPLE), ", partition: services", True),
        ((SERVICES,), "", True),
        ((MACHINES,), "", True),
        ((MACHINES, PEOPLE), "", True),
        ((MACHINES, PEOPLE), ", partition: people", False),
        ((MACHINES,), ", address: 10.0.0.129", False),
    ],
)
def test_a_machine_needs_an_address_where_the_plan_has_some_for_it(
    partitions: tuple[str, ...], attached: str, is_refused: bool
) -> None:
    found = told(network(*partitions), MACHINE.format("x", attached))
    assert found == ([NO_ADDRESS] if is_refused else [])


def test_what_lacks_addresses_loads_for_those_who_give_them() -> None:
    new = "---\n".join([network(MACHINES), MACHINE.format("x", "")])
    tree = FileTree({**FARM, "new.yaml": new.encode()})
    with pytest.raises(ConfigError, match=NO_ADDRESS):
        load(tree, "production")
    documents = load(tree, "production", may_lack_addresses=True)
    assert documents.machines["x"].networks[0].address is None


def test_a_forward_to_a_machine_that_is_to_get_an_address_is_no_second_problem() -> None:
    forward = FIREWALL + "forwards:\n  - {name: a, port: 80, machine: x}\n"
    assert told(network(MACHINES), MACHINE.format("x", ""), forward) == [NO_ADDRESS]


@pytest.mark.parametrize(
    "more",
    [
        "gateway: 10.0.0.1\nhosts: [{name: virt1, address: 10.0.0.1}]\n",  # it is the router
        "gateway: 10.0.0.1\n",
        "gateway: 10.0.0.1\nnameservers: [10.0.0.1]\n",
        "hosts: [{name: virt1}]\ndhcp: {servers: [virt1]}\n".replace(
            "virt1}", "virt1, address: 10.0.0.2}"
        ),
        "switch: libvirt\nhosts: [{name: virt1}]\ndhcp: {}\n",
        "hosts: [{name: virt1}, {name: virt9}]\nguard_addresses: true\n",
        "routes: [{to: 10.0.0.0/8, type: blackhole}, {to: 10.9.0.0/16, via: 10.0.0.9}]\n",
    ],
)
def test_networks_may_be_so(more: str) -> None:
    assert told(network(HOSTS, MACHINES, more=more)) == []


def test_a_host_may_say_its_own_address_once_more_and_serve_dhcp_by_it() -> None:
    host = (
        "kind: Host\nname: virt5\nenvironment: production\naddress: 10.0.0.5\nmemory: 32 GiB\n"
        "pools: [{name: default, size: 1 TiB, target: /srv}]\n"
    )
    said = "hosts: [{name: virt5, address: 10.0.0.5}]\ndhcp: {servers: [virt5]}\n"
    assert told(network(HOSTS, more=said), host) == []
    assert told(network(HOSTS, more=said.replace(", address: 10.0.0.5", "")), host) == []


def test_the_gateway_is_a_hosts_only_if_the_network_says_so() -> None:
    found = told(
        network(HOSTS, MACHINES, more="gateway: 10.0.0.129\n"),
        MACHINE.format("x", ", address: 10.0.0.129"),
    )
    assert found == ["machine x has 10.0.0.129, which the gateway of network n has (new.yaml:5:1)"]


def test_a_firewall_may_say_all_this() -> None:
    more = (
        "rules:\n  - {name: a, from: any, to: host, protocol: tcp, ports: ['80', '8000-8010']}\n"
        "  - {name: b, from: host, to: any}\n  - {name: c, from: lan, to: wan, protocol: icmp}\n"
        "masquerade:\n  - {name: a, from: lan, to: wan}\n"
        "forwards:\n  - {name: a, port: 80, machine: old}\n"
        "  - {name: b, port: 80, protocol: udp, address: 192.0.2.1}\n"
        "  - {name: c, from: wan, port: 22002, machine: old, to_port: 22}\n"
    )
    assert told(FIREWALL + more) == []


def test_a_proxy_may_share_a_name_among_paths_and_hosts_may_share_nothing() -> None:
    site = "  - {{name: {}, server_names: [{}], path: {}, upstreams: [{{name: {}}}]}}\n"
    upstream = "old}, {name: far, address: 192.0.2.1"
    sites = site.format("a", "a.example", "/", upstream) + site.format(
        "b", "a.example", "/b", "old"
    )
    assert told(PROXY + sites) == []
