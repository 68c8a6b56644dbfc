"""Interfaces and their addresses: kept as they are, and the commands that make them that again.

Pure, but for `links_of`. What the interfaces of a host are is told once for all, by `ip`.
"""

from __future__ import annotations

import json
import re

from reconciler.drivers.ssh.onhost.switch_site import QUICK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

    Links = dict[str, dict[str, Any]]
    Command = list[str]
    Addresses = list[dict[str, Any]]

FOREVER = 4294967295
# What can be made anew, with those of its settings that are kept.
_MADE: dict[str, tuple[str, ...]] = {
    "bridge": ("stp_state", "forward_delay", "ageing_time", "vlan_filtering", "nf_call_iptables"),
    "vlan": ("protocol", "id"),
    "bond": ("mode", "miimon", "updelay", "downdelay", "xmit_hash_policy", "ad_lacp_rate"),
}
_CALLED = {"ad_lacp_rate": "lacp_rate"}  # the name that it is set by
_NAMES_IT = {"vlan": ("id", "protocol"), "bond": ("mode",)}  # another of these is another thing
_OF_GUESTS = re.compile(r"(?:vnet|tap|macvtap|veth)[0-9a-f]")
_BY_SWITCH = "ovs-system"  # Open vSwitch plugs in by itself
_OF_SWITCH = ("tun", "openvswitch")  # and it chooses the hardware addresses of what it makes


def links_of(site: Site) -> Links:
    """The interfaces by their names, with what can be put back of each.

    Raises:
        OSError: they cannot be told.
    """
    code, output = site.run(["ip", "-details", "-json", "address", "show"], b"", QUICK_SECONDS)
    try:
        if code:
            raise ValueError(output[:300])
        return {each["ifname"]: _link(each) for each in json.loads(output) if each}
    except (ValueError, KeyError) as error:
        raise OSError(f"ip address: {error}") from None


def _link(told: dict[str, Any]) -> dict[str, Any]:
    info = told.get("linkinfo", {})
    kind = info.get("info_kind", "")
    data = info.get("info_data", {})
    return {
        "kind": kind,
        "master": told.get("master"),
        "parent": told.get("link"),
        "mtu": told["mtu"],
        "mac": told.get("address"),
        "is_up": "UP" in told["flags"],
        "data": {key: data[key] for key in _MADE.get(kind, ()) if data.get(key) is not None},
        "addresses": [_address(each) for each in told["addr_info"] if not each.get("temporary")],
    }


def _address(told: dict[str, Any]) -> dict[str, Any]:
    kept = ("family", "local", "address", "prefixlen", "broadcast", "scope", "label", "metric")
    found = {key: told[key] for key in kept if key in told}
    found["flags"] = [flag for flag in ("noprefixroute", "home", "nodad") if told.get(flag)]
    lives = {key: told.get(f"{key}_life_time", FOREVER) for key in ("valid", "preferred")}
    return {**found, "lives": lives}


# ----------------------------------------------------------------------------- the interfaces


def link_commands(kept: Links, now: Links, made: frozenset[str]) -> list[Command]:
    """What makes the interfaces what they were; `made` are those that the change is about."""
    gone = [name for name in sorted(now) if is_to_go(name, kept, now, made)]
    anew = [name for name in _in_order(kept) if name in gone or name not in now]
    there = (now.keys() - gone) | {name for name in anew if _how_to_make(name, kept[name])}
    commands = [*_unplug(kept, now)]
    commands += [["link", "delete", "dev", name] for name in gone]
    commands += [how for name in anew if (how := _how_to_make(name, kept[name]))]
    for name in _in_order(kept):
        if name in there:
            commands += _settings(name, kept, {} if name in anew else now[name], there)
    return commands or _hardware_addresses(kept, now)


def is_to_go(name: str, kept: Links, now: Links, made: frozenset[str]) -> bool:
    """Whether an interface is to be removed.

    It is if the change made it, or if it took a place or an address from one that was there before,
    or if it is another thing than it was.
    """
    link = now[name]
    if link["kind"] not in _MADE:
        return False
    if name in kept:
        was = kept[name]
        names = _NAMES_IT.get(link["kind"], ())
        is_other = any(was["data"].get(key) != link["data"].get(key) for key in names)
        return bool(was["kind"] != link["kind"] or was["parent"] != link["parent"] or is_other)
    ports = [port for port, each in now.items() if each["master"] == name and port in kept]
    taken = {each["local"] for was in kept.values() for each in was["addresses"]}
    return name in made or bool(ports) or any(each["local"] in taken for each in link["addresses"])


def is_missed(name: str, kept: Links, now: Links) -> bool:
    """Whether an interface should be there again: those of guests go when a guest does."""
    return name in kept and name not in now and not _OF_GUESTS.match(name)


def _in_order(links: Links) -> list[str]:
    """What others are on top of, or plugged into, comes first."""
    order: list[str] = []

    def put(name: str, depth: int) -> None:
        if name in order or name not in links or depth > len(links):
            return
        if links[name]["kind"] == "vlan":
            put(links[name]["parent"] or "", depth + 1)
        order.append(name)

    bonds_first = sorted(links, key=lambda name: (links[name]["kind"] != "bond", name))
    for name in bonds_first:
        put(name, 0)
    return order


def _unplug(kept: Links, now: Links) -> Iterator[Command]:
    for name, link in now.items():
        is_wrong = name in kept and link["master"] not in (None, kept[name]["master"], _BY_SWITCH)
        if is_wrong:
            yield ["link", "set", "dev", name, "nomaster"]


def _how_to_make(name: str, link: dict[str, Any]) -> Command | None:
    kind = link["kind"]
    if kind not in _MADE or (kind == "vlan" and not link["parent"]):
        return None
    on = ["link", link["parent"]] if kind == "vlan" else []
    data = {} if kind == "bridge" else link["data"]  # not every kernel takes all at once
    words = [word for key, value in data.items() for word in (_CALLED.get(key, key), str(value))]
    return ["link", "add", *on, "name", name, "type", kind, *words]


def _settings(name: str, kept: Links, link: dict[str, Any], there: set[str]) -> Iterator[Command]:
    was, on = kept[name], ["link", "set", "dev", name]
    is_up = link.get("is_up", False)
    master = was["master"]
    if master not in (None, link.get("master"), _BY_SWITCH) and master in there:
        if kept.get(master, {}).get("kind") == "bond" and is_up:
            yield [*on, "down"]
            is_up = False
        yield [*on, "master", master]
    if link.get("mtu") != was["mtu"]:
        yield [*on, "mtu", str(was["mtu"])]
    if was["kind"] == "bridge" and link:
        for key, value in was["data"].items():
            if link["data"].get(key) != value:
                yield [*on, "type", "bridge", key, str(value)]
    if is_up != was["is_up"]:
        yield [*on, "up" if was["is_up"] else "down"]


def _hardware_addresses(kept: Links, now: Links) -> list[Command]:
    """Last, since bridges and bonds take theirs from what is plugged in."""
    return [
        ["link", "set", "dev", name, "address", link["mac"]]
        for name, link in kept.items()
        if name in now
        and link["kind"] not in _OF_SWITCH
        and link["mac"] != now[name]["mac"]
        and kept.get(link["master"] or "", {}).get("kind") != "bond"
    ]


# ------------------------------------------------------------------------------- their addresses


def address_commands(kept: Links, now: Links) -> list[Command]:
    """What gives the interfaces just the addresses that they had, first what is too much."""
    less, more = list[list[str]](), list[list[str]]()
    for name in kept.keys() & now.keys():
        was, is_now = kept[name]["addresses"], now[name]["addresses"]
        for wrong, missing in (_four(was, is_now), _six(was, is_now)):
            less += [["address", "delete", _shown(each), "dev", name] for each in reversed(wrong)]
            more += [["address", "add", *_words(each), "dev", name] for each in missing]
    return less + more


def _four(was: Addresses, now: Addresses) -> tuple[Addresses, Addresses]:
    """What is wrong and what is missing. The order counts: a network's first is spoken from."""
    old, new = _of("inet", was), _of("inet", now)
    same = 0
    while same < min(len(old), len(new)) and _key(old[same]) == _key(new[same]):
        same += 1
    return new[same:], old[same:]


def _six(was: Addresses, now: Addresses) -> tuple[Addresses, Addresses]:
    old, new = ({_key(each): each for each in _of("inet6", told)} for told in (was, now))
    wrong = [each for key, each in new.items() if key not in old]
    return wrong, [each for key, each in old.items() if key not in new]


def _of(family: str, addresses: Addresses) -> Addresses:
    return [each for each in addresses if each["family"] == family]


def _key(address: dict[str, Any]) -> tuple[object, ...]:
    return address["local"], address["prefixlen"], address.get("address"), address["scope"]


def _shown(address: dict[str, Any]) -> str:
    return f"{address['local']}/{address['prefixlen']}"


def _words(address: dict[str, Any]) -> list[str]:
    words = [_shown(address)]
    if "address" in address:
        words = [address["local"], "peer", f"{address['address']}/{address['prefixlen']}"]
    for key in ("broadcast", "scope", "label", "metric"):
        if key in address:
            words += [key, str(address[key])]
    for key, word in (("valid", "valid_lft"), ("preferred", "preferred_lft")):
        if address["lives"][key] != FOREVER:
            words += [word, str(address["lives"][key])]
    is_linklocal = address["family"] == "inet6"  # it was there already: nobody else has it
    flags = {*address["flags"], *(["nodad"] if is_linklocal else [])}
    return [*words, *sorted(flags)]
