"""From a definition to a libvirt network's XML, new or within what is there already, and back.

Elements are made, never pasted as text. Of a network that is known only what differs from the
definition is touched, so that what people and libvirt put there stays.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface
from typing import Any

from lxml import etree

from reconciler.drivers.libvirt_.xmltext import add, child, drop, parse, whole_number
from reconciler.drivers.network_soundness import unsound_network
from reconciler.drivers.refusal import Refused
from reconciler.ports.libvirt_networks import NetworkDefinition
from reconciler.ports.network_facts import Reservation, Route

DNSMASQ = "http://libvirt.org/schemas/network/dnsmasq/1.0"
OPTIONS, OPTION = f"{{{DNSMASQ}}}options", f"{{{DNSMASQ}}}option"
_OPTION = "dhcp-option=option:"
_ROUTER, _NAMESERVERS, _ROUTES = "router", "dns-server", "classless-static-route"
_UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}
_EVERYWHERE = "0.0.0.0/0"


def network_xml(wanted: NetworkDefinition, known: str | None = None) -> str:
    """The XML of a network; `known` is its stored XML, if it has one.

    Raises:
        Refused: no host can have such a network, or the XML would not say what the definition says.
    """
    if reasons := list(unsound_network(wanted)):
        raise Refused("; ".join(reasons))
    wanted = replace(wanted, ranges=tuple(sorted(wanted.ranges)))
    try:
        root = _new(wanted) if known is None else parse(known)
        root = _apply(root, wanted)
    except ValueError as error:  # lxml takes no control characters
        raise Refused(f"it cannot be said in XML: {error}") from None
    etree.indent(root)
    text: str = etree.tostring(root, encoding="unicode") + "\n"
    if not says(definition_of(parse(text)), wanted):
        raise Refused("its XML would not say what its definition says")
    return text


def says(found: NetworkDefinition, wanted: NetworkDefinition) -> bool:
    """Whether a network is as wanted in all that was not left open."""
    open_ones = {
        name: getattr(found, name)
        for name in ("lease_seconds", "domain", "mtu")
        if getattr(wanted, name) is None
    }
    if not wanted.ranges:  # which is where the length of a lease is said
        open_ones["lease_seconds"] = found.lease_seconds
    bridge = wanted.bridge or found.bridge
    return found == replace(wanted, uuid=found.uuid, bridge=bridge, **open_ones)


def definition_of(root: Any) -> NetworkDefinition:
    """The definition that the XML of a network gives.

    Raises:
        Refused: the XML is not that of a network.
    """
    forward, bridge, boot = root.find("forward"), root.find("bridge"), root.find("ip/dhcp/bootp")
    mtu, domain = root.find("mtu"), root.find("domain")
    address = address_of(root)
    router = _told(root, _ROUTER)
    return NetworkDefinition(
        name=root.findtext("name") or "",
        uuid=root.findtext("uuid") or "",
        forward="none" if forward is None else forward.get("mode", "nat"),
        address=address or "",
        bridge="" if bridge is None else bridge.get("name", ""),
        ranges=ranges_of(root),
        lease_seconds=_lease_of(root),
        router=router[0] if router else "",
        nameservers=tuple(_told(root, _NAMESERVERS)),
        routes=_routes_of(_told(root, _ROUTES)),
        domain=None if domain is None else domain.get("name"),
        mtu=None if mtu is None else whole_number(mtu.get("size")),
        boot_file="" if boot is None else boot.get("file", ""),
        boot_server="" if boot is None else boot.get("server", ""),
    )


def address_of(root: Any) -> str | None:
    """The host's own IPv4 address in the network, with its prefix.

    Raises:
        Refused: it is none.
    """
    element = _ipv4(root)
    if element is None:
        return None
    mask = element.get("prefix") or element.get("netmask") or "32"
    try:
        return IPv4Interface(f"{element.get('address', '')}/{mask}").with_prefixlen
    except ValueError as error:
        raise Refused(f"the host sent a network with a strange address: {error}") from None


def ranges_of(root: Any) -> tuple[str, ...]:
    """The addresses that anybody gets, sorted as text."""
    found = root.iterfind("ip/dhcp/range")
    return tuple(sorted(f"{each.get('start', '')}-{each.get('end', '')}" for each in found))


def reservations_of(root: Any) -> tuple[Reservation, ...]:
    """What is reserved for hardware addresses, sorted."""
    return tuple(
        sorted(
            Reservation(each.get("mac", "").lower(), each.get("ip", ""), each.get("name", ""))
            for each in root.iterfind("ip/dhcp/host")
            if each.get("mac")
        )
    )


def range_xml(text: str, lease_seconds: int | None) -> str:
    """A range as libvirt's update wants it."""
    said: str = etree.tostring(_range(text, lease_seconds), encoding="unicode")
    return said


def reservation_xml(entry: Reservation) -> str:
    """A reservation as libvirt's update wants it.

    Raises:
        Refused: it cannot be said in XML.
    """
    words = {"mac": entry.mac, "name": entry.hostname, "ip": entry.address}
    try:
        element = etree.Element("host", {key: word for key, word in words.items() if word})
    except ValueError as error:
        raise Refused(f"the reservation cannot be said in XML: {error}") from None
    said: str = etree.tostring(element, encoding="unicode")
    return said


def _new(wanted: NetworkDefinition) -> Any:
    root = etree.Element("network")
    add(root, "name").text = wanted.name
    add(root, "uuid").text = wanted.uuid
    add(root, "bridge", name=wanted.bridge or wanted.name, stp="on", delay="0")
    return root


def _apply(root: Any, wanted: NetworkDefinition) -> Any:
    present = definition_of(root)
    if present.forward != wanted.forward:
        drop(root, "forward")
        if wanted.forward != "none":
            add(root, "forward", mode=wanted.forward)
    if wanted.bridge:
        child(root, "bridge").set("name", wanted.bridge)
    if wanted.mtu is not None:
        child(root, "mtu").set("size", str(wanted.mtu))
    if wanted.domain is not None:
        child(root, "domain").set("name", wanted.domain)
    _apply_names(root, wanted)
    _apply_address(root, wanted, present)
    return _with_options(root, wanted)


def _apply_names(root: Any, wanted: NetworkDefinition) -> None:
    """Who has other name servers to ask needs none of libvirt's, which may be in their way."""
    if wanted.nameservers:
        child(root, "dns").set("enable", "no")
    elif (element := root.find("dns")) is not None:
        element.attrib.pop("enable", None)


def _apply_address(root: Any, wanted: NetworkDefinition, present: NetworkDefinition) -> None:
    element = _ipv4(root)
    if not wanted.address:
        if element is not None:
            root.remove(element)
        return
    if element is None:
        element = add(root, "ip")
    if present.address != wanted.address:
        own = IPv4Interface(wanted.address)
        element.set("address", str(own.ip))
        element.set("prefix", str(own.network.prefixlen))
        element.attrib.pop("netmask", None)
    _apply_dhcp(element, wanted, present)


def _apply_dhcp(element: Any, wanted: NetworkDefinition, present: NetworkDefinition) -> None:
    """Ranges come first, then reservations, then what is booted: so says the schema."""
    lease_seconds = wanted.lease_seconds or present.lease_seconds
    dhcp = element.find("dhcp")
    if dhcp is None:
        dhcp = add(element, "dhcp")
    if (present.ranges, present.lease_seconds) != (wanted.ranges, lease_seconds):
        drop(dhcp, "range")
        for place, text in enumerate(wanted.ranges):
            dhcp.insert(place, _range(text, lease_seconds))
    if (present.boot_file, present.boot_server) != (wanted.boot_file, wanted.boot_server):
        drop(dhcp, "bootp")
        if wanted.boot_file:
            add(dhcp, "bootp", file=wanted.boot_file)
            if wanted.boot_server:
                dhcp[-1].set("server", wanted.boot_server)
    if not len(dhcp):
        element.remove(dhcp)


def _with_options(root: Any, wanted: NetworkDefinition) -> Any:
    """What libvirt has no words for is said in dnsmasq's own; options of others stay."""
    lines = _lines(wanted)
    ours = tuple(f"{_OPTION}{name}," for name in (_ROUTER, _NAMESERVERS, _ROUTES))
    options = root.find(OPTIONS)
    present = [] if options is None else [each.get("value", "") for each in options]
    kept = [each for each in present if not each.startswith(ours)]
    if present == [*kept, *lines]:
        return root
    if options is not None:
        root.remove(options)
    if not kept and not lines:
        return root
    whole = etree.Element(root.tag, root.attrib, nsmap={**root.nsmap, "dnsmasq": DNSMASQ})
    whole.extend(list(root))
    options = etree.SubElement(whole, OPTIONS)
    for line in (*kept, *lines):
        etree.SubElement(options, OPTION, value=line)
    return whole


def _lines(wanted: NetworkDefinition) -> list[str]:
    """A client that is told routes heeds no router beside them, so that one is among them."""
    told: dict[str, list[str]] = {_ROUTER: [wanted.router] if wanted.router else []}
    told[_NAMESERVERS] = list(wanted.nameservers)
    told[_ROUTES] = [word for each in wanted.routes for word in (each.to, each.via)]
    if wanted.routes and (router := _default_router(wanted)):
        told[_ROUTES] += [_EVERYWHERE, router]
    return [f"{_OPTION}{name},{','.join(words)}" for name, words in told.items() if words]


def _default_router(wanted: NetworkDefinition) -> str:
    own = str(IPv4Interface(wanted.address).ip) if wanted.forward != "none" else ""
    return wanted.router or own


def _told(root: Any, option: str) -> list[str]:
    start = f"{_OPTION}{option},"
    for each in root.iterfind(f"{OPTIONS}/{OPTION}"):
        value: str = each.get("value", "")
        if value.startswith(start):
            return value.removeprefix(start).split(",")
    return []


def _routes_of(words: list[str]) -> tuple[Route, ...]:
    pairs = zip(words[::2], words[1::2], strict=False)
    return tuple(Route(to, via) for to, via in pairs if to != _EVERYWHERE)


def _ipv4(root: Any) -> Any:
    found = (each for each in root.iterfind("ip") if each.get("family", "ipv4") == "ipv4")
    return next(found, None)


def _range(text: str, lease_seconds: int | None) -> Any:
    first, _, last = text.partition("-")
    element = etree.Element("range", start=first, end=last)
    if lease_seconds is not None:
        add(element, "lease", expiry=str(lease_seconds), unit="seconds")
    return element


def _lease_of(root: Any) -> int | None:
    """How long a lease is good, where that is said; the first range speaks for all."""
    element = root.find("ip/dhcp/range/lease")
    if element is None:
        return None
    unit = _UNIT_SECONDS.get(element.get("unit", "minutes"), 0)
    return whole_number(element.get("expiry")) * unit
