"""Farms whose DHCP servers send names of clients, and the files that D2 gets there."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.config.repository import Documents
from reconciler.render.network.dynamic_names import names_file
from tests.farms.repository import documents
from tests.unit.render.network.test_dhcp import HOSTS, NETWORK, SECOND

SECRET = "bW9ya2V5bW9ya2V5bW9ya2V5bW9ya2V5MTIzNDU2Nzg="
VALUE = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"
BLOCK = f"""\
sops:
  age: [{{recipient: age1x, enc: y}}]
  lastmodified: "2026-01-01T00:00:00Z"
  mac: {VALUE}
"""
KEYS = f"dhcp: {VALUE}\nproduction: {VALUE}\nother: {VALUE}\n{BLOCK}"
SERVER = """\
kind: Nameserver
name: {name}
environment: production
address: {address}
keys: {{production: "secret://dns/production", dhcp: "secret://dns/dhcp"}}
"""
ZONE = """\
kind: Zone
name: {name}
environment: production
server: ns
primary: ns.farm.internal.
nameservers: [ns.farm.internal.]
updated_by: dhcp
"""
FARM = """\
kind: Zone
name: farm.internal
environment: production
server: ns
primary: ns.farm.internal.
nameservers: [ns]
records: [{name: ns, type: A, values: [192.168.1.2]}]
"""
LEASED = f"{NETWORK}  names: dyn.farm.internal\n"
SECOND_NETWORK = """\
kind: Network
name: other
environment: production
subnet: 10.1.0.0/24
bridge: br-other
hosts: [{name: virt1, address: 10.1.0.4}]
partitions: [{name: dynamic, range: 10.1.0.100-10.1.0.120, purpose: dynamic}]
dhcp: {servers: [virt1], names: more.farm.internal}
"""


def zone(name: str = "dyn.farm.internal", more: str = "") -> str:
    return ZONE.format(name=name) + more


def server(name: str = "ns", address: str = "192.168.1.2", more: str = "") -> str:
    return SERVER.format(name=name, address=address) + more


def files(*networks: str, zones: str, servers: str) -> dict[str, str]:
    """A farm with DHCP, as its repository has it."""
    return {
        "hosts.yaml": f"{HOSTS}---\n{SECOND}",
        "environments/production/zone.yaml": "",
        "secrets/dns.sops.yaml": KEYS,
        "networks/dhcp.yaml": "---\n".join(networks),
        "zones/all.yaml": f"{FARM}---\n{zones}",
        "nameservers.yaml": servers,
    }


FARMS: Mapping[str, Mapping[str, str]] = {
    "plain": files(LEASED, zones=zone(), servers=server()),
    "reverse": files(
        LEASED,
        SECOND_NETWORK,
        zones=f"{zone(more='reverse: [leased]')}\n---\n"
        + zone("more.farm.internal", "reverse: [10.1.0.0/24]\n"),
        servers=server(address="'2001:db8::2'", more="port: 5353\n"),
    ),
    "outside": files(
        LEASED,
        zones=zone(more="view: outside\norigin: dyn.example.org\n"),
        servers=server(more="outside: true\n").replace(
            "keys: {", "keys: {algorithm: hmac-sha512, "
        ),
    ),
}


def farm(name: str = "plain", changes: Mapping[str, str] | None = None) -> Documents:
    return documents({**FARMS[name], **(changes or {})}, "production")


def written(name: str, host: str = "virt1") -> str:
    """What D2 reads on a host, with the references to its key."""
    found = farm(name)
    spec = names_file(found, found.hosts[host])
    assert spec is not None
    assert spec.content is not None
    return spec.content
