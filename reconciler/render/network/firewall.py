"""A Firewall document becomes a table of the packet filter on each of its hosts.

A zone is what comes in by some interfaces and from some addresses, whichever of the two it names.
What is implied comes first (`firewall_implied`), then the rules as they stand, then the forwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, collapse_addresses, ip_network
from typing import Any

from reconciler.config.documents import Host
from reconciler.config.firewall import Firewall, FirewallRuleField, FirewallZoneField, ForwardField
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.kinds.network.ruleset import TABLE, RulesetSpec
from reconciler.model.address import Address
from reconciler.model.position import Position, Problem
from reconciler.model.resource import Desired
from reconciler.render.network.firewall_implied import (
    at_forward,
    at_input,
    at_output,
    bridge_of,
    peer_sets,
)
from reconciler.render.network.made import declared
from reconciler.render.network.nftables import (
    Addresses,
    AddressSet,
    Chain,
    Family,
    Interfaces,
    Listed,
    Match,
    OriginalPort,
    Phrase,
    Ports,
    Prefix,
    Protocols,
    Rule,
    Table,
    ToMachine,
    Verdict,
    Way,
    merged,
    ruleset_text,
)

HOST, ANY = "host", "any"
MOST_CHARACTERS = 512 * 1024
NUMBERS: Mapping[str | None, tuple[int, ...]] = {  # of protocols, as the kernel knows them
    "tcp": (6,),
    "udp": (17,),
    "icmp": (1, 58),
    "gre": (47,),
    "esp": (50,),
    None: (6, 17),  # those that have ports
}
_FAMILIES: tuple[Family, ...] = (4, 6)
_ByFamily = Mapping[Family, Match]


def firewall_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """The table of each host that has a firewall.

    Raises:
        ConfigError: something in a document could never match, or the text of a table would be
            longer than a host can tell us.
    """
    for firewall in documents.firewalls.values():
        position = documents.position("Firewall", firewall.name)
        for name in firewall.hosts:
            host = documents.hosts.get(name)
            if host is None or host.environment != documents.environment:
                continue
            table = firewall_table(documents, firewall, host)
            source = ruleset_text(table)
            if problems := [*_lost(documents, firewall, table), *_too_long(position, source)]:
                raise ConfigError(problems)
            spec = RulesetSpec(
                host.name,
                TABLE,
                source,
                management=tuple(map(str, firewall.management)),
                after=declared(host, packages=("nftables",), services=("nftables",)),
            )
            yield Desired(
                Address("ruleset", TABLE, host.name), spec, position=position, adopts=True
            )


def firewall_table(documents: Documents, firewall: Firewall, host: Host) -> Table:
    """The table of one host."""
    of = _Filter(documents, firewall, host)
    chains = (
        Chain("input", "input", tuple(of.input())),
        Chain("forward", "forward", tuple(of.forward())),
        Chain("output", "output", tuple(of.output())),
        Chain("prerouting", "prerouting", tuple(of.prerouting()), type="nat"),
        Chain("postrouting", "postrouting", tuple(of.postrouting()), type="nat"),
    )
    comment = f"Written by reconciler from Firewall {firewall.name}: changes by hand are lost"
    return Table(TABLE, comment, tuple(of.sets()), tuple(chain for chain in chains if chain.rules))


def _lost(documents: Documents, firewall: Firewall, table: Table) -> Iterator[Problem]:
    """What became no line, because its ends have no addresses of one family."""
    said = {rule.comment for chain in table.chains for rule in chain.rules}
    for key in ("rules", "masquerade", "forwards"):
        for each in getattr(firewall, key):
            if f"{key.removesuffix('s')} {each.name}" not in said and not _is_open(documents, each):
                what = f"{each.name} among the {key} of firewall {firewall.name} matches nothing"
                remedy = "its ends must be two, and have addresses of one family: IPv4 or IPv6"
                position = documents.position("Firewall", firewall.name, key, each.name)
                yield Problem(position, what, remedy)


def _is_open(documents: Documents, each: Any) -> bool:
    """Whether it leads to a machine whose address is not known yet, which is told elsewhere."""
    if not isinstance(each, ForwardField) or each.address is not None:
        return False
    found = documents.machines.get(each.machine or "")
    return found is None or not any(link.address for link in found.networks)


def _too_long(position: Position, source: str) -> Iterator[Problem]:
    if len(source) > MOST_CHARACTERS:
        what = f"the rules have {len(source)} letters, {MOST_CHARACTERS} may be"
        yield Problem(position, what, "put addresses into zones, and name the zones in the rules")


@dataclass(frozen=True, slots=True)
class _Filter:
    """A firewall on one host."""

    documents: Documents
    firewall: Firewall
    host: Host

    def sets(self) -> Iterator[AddressSet]:
        """The addresses of zones, of who manages the host, and of other hosts."""
        yield from _sets("management", self.firewall.management)
        for zone in self.firewall.zones:
            yield from _sets(f"zone_{zone.name}", zone.sources)
        for name, addresses in peer_sets(self.documents, self.host):
            yield from _sets(name, addresses)

    def input(self) -> Iterator[Rule]:
        """To the host itself. The way in comes before everything else.

        The drop is a rule and no policy: a policy would outlive the rules of a chain that somebody
        empties by hand, and nobody could come and set it right.
        """
        way_in = Ports("tcp", ((22, 22),))
        for who in _variants(_listed("management", "source", self.firewall.management)):
            yield Rule((*who, way_in), Verdict.ACCEPT, "implied: management")
        yield from at_input(self.documents, self.host)
        for rule in self.firewall.rules:
            if rule.to_zone == HOST and rule.from_zone != HOST:
                yield from self._rules(rule)
        yield Rule((), Verdict.DROP, "what no rule allows")

    def forward(self) -> Iterator[Rule]:
        """Through the host. What a rule drops no forward lets in.

        The drop is a rule here, too: while tables are exchanged the chains of both are in the way
        for a moment, one without its rules, and a policy would drop whoever comes then.
        """
        yield from at_forward(self.documents, self.host)
        for rule in self.firewall.rules:
            if HOST not in {rule.from_zone, rule.to_zone}:
                yield from self._rules(rule)
        for forward, address, _ in self._forwards():
            sent_on = (*_to_port(forward, address), OriginalPort(forward.port))
            for who in self._from(forward.from_zone, address.version):
                yield Rule((*who, *sent_on), Verdict.ACCEPT, f"forward {forward.name}")
        yield Rule((), Verdict.DROP, "what no rule allows")

    def output(self) -> Iterator[Rule]:
        """From the host itself: only what a rule forbids does not pass."""
        rules = [rule for rule in self.firewall.rules if rule.from_zone == HOST]
        rules = [rule for rule in rules if rule.to_zone != HOST]
        if rules:
            yield from at_output()
        for rule in rules:
            yield from self._rules(rule)

    def prerouting(self) -> Iterator[Rule]:
        """Ports of the host that lead to machines."""
        for forward, address, _ in self._forwards():
            port = Ports(forward.protocol, ((forward.port, forward.port),))
            target = ToMachine(address, forward.to_port or forward.port)
            for who in self._from(forward.from_zone, address.version):
                matches = (*who, Phrase.TO_THE_HOST, port)
                yield Rule(matches, target, f"forward {forward.name}")

    def postrouting(self) -> Iterator[Rule]:
        """Who goes out under the host's address; also to a machine beside him by a forward.

        That machine would answer him directly, and he would not know from whom.
        """
        for forward, address, network in self._forwards():
            if network is not None:
                beside = Addresses("source", (network.subnet,))
                matches = (beside, *_to_port(forward, address), OriginalPort(forward.port))
                yield Rule(matches, Verdict.MASQUERADE, f"forward {forward.name}: from beside")
        for each in self.firewall.masquerade:
            ends = [self._end(each.from_zone, "source"), self._end(each.to_zone, "destination")]
            for matches in _both(*ends):
                yield Rule(matches, Verdict.MASQUERADE, f"masquerade {each.name}")

    def _rules(self, rule: FirewallRuleField) -> Iterator[Rule]:
        """The lines of a rule: one, or one for each family of addresses that it names."""
        what = _what(rule)
        only = _inline("destination", rule.destinations)
        ends = [self._end(rule.from_zone, "source"), self._end(rule.to_zone, "destination")]
        for matches in _both(*ends, ((), only)):
            yield Rule((*matches, *what), _verdict(rule), f"rule {rule.name}")

    def _from(self, zone: str, family: int) -> Iterator[tuple[Match, ...]]:
        """Who comes from a zone, with an address of this family if the zone names addresses."""
        interfaces, addresses = self._end(zone, "source")
        if addresses is not None:
            addresses = {key: each for key, each in addresses.items() if key == family}
        yield from _both((interfaces, addresses))

    def _end(self, name: str, way: Way) -> tuple[tuple[Match, ...], _ByFamily | None]:
        """What a packet from or to a zone has: interfaces, and addresses by family."""
        if name in {HOST, ANY}:
            return (), None
        zone = next(each for each in self.firewall.zones if each.name == name)
        names = self._interfaces(zone)
        by = (Interfaces("in" if way == "source" else "out", names),) if names else ()
        return by, _listed(f"zone_{name}", way, zone.sources)

    def _interfaces(self, zone: FirewallZoneField) -> tuple[str, ...]:
        bridges = (bridge_of(self.documents.networks[name]) for name in zone.networks)
        return tuple(sorted({*zone.interfaces, *bridges}))

    def _forwards(
        self,
    ) -> Iterator[tuple[ForwardField, IPv4Address | IPv6Address, Network | None]]:
        """Each forward with the address it leads to, and the network that this is in."""
        for forward in self.firewall.forwards:
            address = forward.address or self._address_of(forward.machine)
            if address is not None:
                networks = self.documents.networks.values()
                near = (each for each in networks if address in each.subnet)
                yield forward, address, next(near, None)

    def _address_of(self, machine: str | None) -> IPv4Address | IPv6Address | None:
        found = self.documents.machines.get(machine or "")
        links = found.networks if found else ()
        return next((each.address for each in links if each.address), None)


def _to_port(forward: ForwardField, address: IPv4Address | IPv6Address) -> tuple[Match, ...]:
    """What was sent on, and where it goes now."""
    port = forward.to_port or forward.port
    to = Addresses("destination", (ip_network(address),))
    return Phrase.FORWARDED, to, Ports(forward.protocol, ((port, port),))


def _what(rule: FirewallRuleField) -> tuple[Match, ...]:
    """The protocol and the ports of a rule."""
    ranges = merged(map(_range, rule.ports))
    if ranges and rule.protocol in {"tcp", "udp"}:
        return (Ports("tcp" if rule.protocol == "tcp" else "udp", ranges),)
    numbers = (Protocols(NUMBERS[rule.protocol]),) if rule.protocol or ranges else ()
    return (*numbers, Ports("th", ranges)) if ranges else numbers


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    return int(first), int(last if dash else first)


def _verdict(rule: FirewallRuleField) -> Verdict:
    if rule.action == "reject":
        return Verdict.RESET if rule.protocol == "tcp" else Verdict.REJECT
    return Verdict.ACCEPT if rule.action == "accept" else Verdict.DROP


def _both(
    *ends: tuple[tuple[Match, ...], _ByFamily | None],
) -> Iterator[tuple[Match, ...]]:
    """All that holds at once, for each family of addresses that all can have."""
    everywhere = tuple(match for matches, _ in ends for match in matches)
    for addresses in _variants(*(by_family for _, by_family in ends)):
        yield (*everywhere, *addresses)


def _variants(*given: _ByFamily | None) -> Iterator[tuple[Match, ...]]:
    said = [each for each in given if each is not None]
    if not said:
        yield ()
        return
    for family in _FAMILIES:
        if all(family in each for each in said):
            yield tuple(each[family] for each in said)


def _listed(name: str, way: Way, prefixes: Iterable[Prefix]) -> _ByFamily | None:
    """The sets of these addresses, by family; None if there are none, so that all are meant."""
    there = {prefix.version for prefix in prefixes}
    return {f: Listed(way, f, _set_name(name, f)) for f in _FAMILIES if f in there} or None


def _inline(way: Way, prefixes: Iterable[Prefix]) -> _ByFamily | None:
    found = {family: _of(family, prefixes) for family in _FAMILIES}
    return {family: Addresses(way, some) for family, some in found.items() if some} or None


def _sets(name: str, prefixes: Iterable[Prefix]) -> Iterator[AddressSet]:
    for family in _FAMILIES:
        if some := _of(family, prefixes):
            yield AddressSet(_set_name(name, family), some)


def _of(family: Family, prefixes: Iterable[Prefix]) -> tuple[Prefix, ...]:
    """Those of one family, in order, and none inside another: `nft` takes no such sets."""
    if family == 6:  # noqa: PLR2004 (of the Internet Protocol)
        return tuple(collapse_addresses(p for p in prefixes if isinstance(p, IPv6Network)))
    return tuple(collapse_addresses(p for p in prefixes if not isinstance(p, IPv6Network)))


def _set_name(name: str, family: Family) -> str:
    return f"{name}_ipv{family}"
