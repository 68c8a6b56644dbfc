"""Over random farms: the zones that follow fit together, whichever environment writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.load import load
from reconciler.kinds.zone import ZoneSpec
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.zones import zone_resources
from tests.farms.repository import Tree

DOMAINS = {"production": "farm.internal", "development": "dev.farm.internal"}
NETWORKS = {
    "a": ("10.1.0.0/16", ("10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.64/26")),
    "b": ("10.2.16.0/20", ("10.2.16.0/20", "10.2.18.0/23")),
    "c": ("192.0.2.0/24", ("192.0.2.0/25", "192.0.2.64/26", "192.0.2.64/31")),
    "d": ("172.16.9.128/25", ("172.16.9.128/25", "172.16.9.192/26")),
}
V6 = ("2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64")
HOMES = ("farm.internal", "dev.farm.internal", "sub.farm.internal")
ADDRESSES = frozenset({"A", "AAAA"})


@dataclass(frozen=True)
class Farm:
    """A random farm: its files, and the addresses of what has a name, by that name."""

    files: Mapping[str, str]
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)


@st.composite
def farms(draw: st.DrawFn) -> Farm:
    networks = draw(st.lists(st.sampled_from(sorted(NETWORKS)), min_size=1, unique=True))
    machines, named = [], {}
    taken: set[str] = set()
    for number in range(draw(st.integers(0, 6))):
        environment = draw(st.sampled_from(sorted(DOMAINS)))
        places = {}
        for network in draw(st.lists(st.sampled_from(networks), max_size=2, unique=True)):
            subnet = IPv4Network(NETWORKS[network][0])
            last = min(subnet.num_addresses - 2, 700)
            offset = draw(st.one_of(st.integers(62, 68), st.integers(2, last)))
            address = str(subnet[offset])
            if address not in taken:
                places[network] = address
                taken.add(address)
        services = draw(
            st.lists(st.sampled_from(["git", "db.lab", "ntp"]), max_size=2, unique=True)
        )
        machines.append(_machine(f"m{number}", environment, places, services, draw(st.booleans())))
        named[f"m{number}.{DOMAINS[environment]}"] = frozenset(places.values())
    hosts = []
    for number in range(draw(st.integers(0, 3))):
        middle = draw(st.sampled_from(["0:0", "1:0", "1:2", "7:7"]))
        address = str(IPv6Address(f"2001:db8:{middle}::{number + 1:x}"))
        hosts.append(_host(f"h{number}", address))
        named[f"h{number}.host.farm.internal"] = frozenset({address})
    extra = [prefix for network in networks for prefix in NETWORKS[network][1]]
    reverse = draw(st.lists(st.sampled_from(extra), unique=True))
    longer = draw(st.lists(st.sampled_from(V6[1:]), unique=True))
    every = [*networks, *reverse, V6[0], *longer]
    files = {
        **_frame(networks, draw(st.booleans())),
        "zone.yaml": _zone(_once(every), networks),
        "hosts.yaml": "---\n".join(hosts),
        **{f"environments/{name}/vms/{n}.yaml": t for n, (name, t) in enumerate(machines)},
    }
    return Farm({path: text for path, text in files.items() if text}, named)


def _once(items: list[str]) -> list[str]:
    """A prefix and a network that are the same zone are one: the network's name stays."""
    names = {NETWORKS[item][0] for item in items if item in NETWORKS}
    return [item for item in items if item not in names]


def _frame(networks: list[str], has_subzone: bool) -> dict[str, str]:  # drawn
    files = {
        f"environments/{name}/environment.yaml": f"kind: Environment\nname: {name}\n"
        f"domain: {domain}\n"
        for name, domain in DOMAINS.items()
    }
    files["farm.yaml"] = "{kind: Farm, name: f, domain: farm.internal, contact: a@farm.internal}"
    files["networks.yaml"] = "---\n".join(
        f"kind: Network\nname: {name}\nsubnet: {NETWORKS[name][0]}\nbridge: br-{name}\n"
        for name in networks
    )
    if has_subzone:
        files["environments/development/zone.yaml"] = (
            "kind: Zone\nname: lab.dev.farm.internal\nserver: ns\nprimary: ns\nnameservers: [ns]\n"
            "records: [{name: ns, type: AAAA, values: ['2001:db8:9::1']}]\n"
        )
    return files


def _zone(reverse: list[str], networks: list[str]) -> str:
    listed = ", ".join(f"'{item}'" for item in reverse)
    return (
        "kind: Zone\nname: farm.internal\nenvironment: production\nserver: ns\nprimary: ns\n"
        f"nameservers: [ns, ns.example.]\nreverse: [{listed}]\n"
        f"share: {{development: {{below: [dev], networks: [{', '.join(networks)}]}}}}\n"
        "records: [{name: ns, type: A, values: [192.0.2.250]}]\n"
    )


def _machine(
    name: str,
    environment: str,
    places: Mapping[str, str],
    services: list[str],
    port: bool,
) -> tuple[str, str]:
    nets = "".join(f"  - {{network: {n}, address: {a}}}\n" for n, a in places.items())
    ports = ", port: 22" if port else ""
    provides = "".join(f"  - {{name: {each}{ports}}}\n" for each in services)
    text = f"kind: VirtualMachine\nname: {name}\nmemory: 1 GiB\n"
    text += f"networks:\n{nets}" if nets else ""
    return environment, text + (f"provides:\n{provides}" if provides else "")


def _host(name: str, address: str) -> str:
    return f"kind: Host\nname: {name}\nenvironment: production\naddress: {address}\nmemory: 8 GiB\n"


Rendered = Mapping[str, tuple[ZoneSpec, ...]]


def rendered(farm: Farm) -> Rendered:
    """The zones of each environment."""
    tree = Tree(farm.files)
    return {
        environment: tuple(each.spec for each in zone_resources(load(tree, environment)))
        for environment in DOMAINS
    }


def records(zones: Rendered) -> Iterator[tuple[str, str, RecordSet]]:
    """Zone, complete name, record set: of all environments."""
    for specs in zones.values():
        for spec in specs:
            for record in spec.records:
                full = spec.name if record.name == "@" else f"{record.name}.{spec.name}"
                yield spec.name, full, record


def holder(name: str, origins: set[str]) -> str | None:
    """The longest zone that a name is in."""
    while name and name not in origins:
        name = name.partition(".")[2]
    return name or None


@given(farms())
def test_every_name_leads_to_its_addresses_and_every_address_back(farm: Farm) -> None:
    zones = rendered(farm)
    origins = {spec.name for specs in zones.values() for spec in specs}
    answers: dict[tuple[str, str], set[str]] = {}
    for zone, name, record in records(zones):
        if holder(name, origins) == zone:
            answers.setdefault((name, record.type), set()).update(record.values)
    for name, addresses in farm.named.items():
        forward = answers.get((name, "A"), set()) | answers.get((name, "AAAA"), set())
        assert forward == addresses
        for address in addresses:
            asked = ip_address(address).reverse_pointer
            for alias in answers.get((asked, "CNAME"), set()):
                asked = alias.removesuffix(".")
            assert answers.get((asked, "PTR")) == {f"{name}."}
    pointers = sum(len(found) for (_, kind), found in answers.items() if kind == "PTR")
    assert pointers == sum(map(len, farm.named.values()))


@given(farms())
def test_a_zone_holds_its_own_names_and_the_glue_of_what_it_delegates(farm: Farm) -> None:
    zones = rendered(farm)
    origins = {spec.name for specs in zones.values() for spec in specs}
    servers = {v for _, _, record in records(zones) if record.type == "NS" for v in record.values}
    for zone, name, record in records(zones):
        place = holder(name, origins)
        is_cut = record.type == "NS" and name == place
        is_glue = record.type in ADDRESSES and f"{name}." in servers
        assert place == zone or ((is_cut or is_glue) and place and place.endswith(f".{zone}"))


@given(farms())
def test_nothing_stands_beside_a_cname(farm: Farm) -> None:
    types: dict[tuple[str, str], list[str]] = {}
    for zone, name, record in records(rendered(farm)):
        types.setdefault((zone, name), []).append(record.type)
        assert record.type != "CNAME" or len(record.values) == 1
    assert all("CNAME" not in found or len(found) == 1 for found in types.values())


@given(farms())
def test_environments_write_different_records_and_one_makes_each_zone(farm: Farm) -> None:
    zones = rendered(farm)
    keys = [
        {(spec.name, record.key) for spec in specs for record in spec.records}
        for specs in zones.values()
    ]
    assert not keys[0] & keys[1]
    made = [spec.name for specs in zones.values() for spec in specs if spec.timers]
    assert len(made) == len(set(made))
    assert {spec.name for specs in zones.values() for spec in specs} == set(made)


@given(farms())
def test_the_same_documents_give_the_same_zones(farm: Farm) -> None:
    assert rendered(farm) == rendered(farm)
