"""The configuration of Kea as data: what of it is ours, and how it becomes what is wanted. Pure.

What is ours carries `"user-context": {"reconciler": {...}}`; all else stays as it is. A change is
made to a copy in which all that stays is shared with the original, because there may be ten
thousand reservations.
"""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.dhcp_names import (
    OURS,
    said_of_names,
    with_sending,
    without_names,
)
from reconciler.drivers.ssh.onhost.dhcp_options import option_data, options_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Config = dict[str, Any]
    Entry = dict[str, Any]

NOWHERE = "0.0.0.0"  # noqa: S104 (Kea's word for no server)
# The server does not listen on a bridge into which nothing is plugged, nor where it finds no
# address: so it looks again every two seconds for half an hour, each time it is told something.
RETRIES = {"service-sockets-max-retries": 900, "service-sockets-retry-wait-time": 2000}
_MOST_IDS = 0xFFFFFFFE
_MORE = ("option-data", "client-classes", "boot-file-name", "server-hostname")


class Clash(Exception):
    """What is wanted cannot be beside what is there."""


def label(thing: Mapping[str, Any]) -> dict[str, Any]:
    """What we wrote down with a thing of ours; nothing with another's."""
    context = thing.get("user-context")
    found = context.get(OURS) if isinstance(context, dict) else None
    return found if isinstance(found, dict) else {}


def subnet_in(config: Config, network: str, subnet: str) -> Entry | None:
    """The entry of a subnet, whoever made it; else the one that the network had until now."""
    entries = config.get("subnet4") or []
    by_name = None
    for entry in entries:
        if entry.get("subnet") == subnet:
            found: Entry = entry
            return found
        if label(entry).get("network") == network:
            by_name = entry
    return by_name


def told_of_subnet(entry: Entry) -> dict[str, Any]:
    """An entry in the words of a fact."""
    server = entry.get("next-server") or ""
    return {
        "subnet": entry.get("subnet", ""),
        "interface": entry.get("interface") or "",
        "pools": pools_of(entry),
        "options": [{"name": name, "value": value} for name, value in options_of(entry)],
        "lease_seconds": entry.get("valid-lifetime") or 0,
        "next_server": "" if server == NOWHERE else server,
        "boot_file": entry.get("boot-file-name") or "",
        "names": label(entry).get("names") or "",
    }


def with_subnet(
    config: Config, wanted: Mapping[str, Any], number: int, *, retries: bool = False
) -> Config:
    """The configuration with a subnet as it is wanted, under this number.

    `wanted` has the fields of the act. Reservations stay, and so does what nobody asked for.

    Raises:
        Clash: reservations of others are in the subnet that the network had until now.
    """
    network, subnet = wanted["network"], wanted["subnet"]
    entries = []
    found = None
    for entry in config.get("subnet4") or []:
        if entry.get("subnet") == subnet:
            found = entry
        elif label(entry).get("network") == network:
            _refuse_others(entry)
        else:
            entries.append(entry)
    place = len(entries) if found is None else _place(config, entries, subnet)
    entries.insert(place, _entry({"reservations": [], **(found or {}), "id": number}, wanted))
    after = _with_names({**config, "subnet4": entries})
    return _with_interfaces(after, wanted["interface"], retries=retries)


def without_subnet(config: Config, network: str, subnet: str) -> Config:
    """The configuration without a subnet, nor the interface if that was there for it only.

    Raises:
        Clash: somebody has reservations in it.
    """
    gone = [
        entry
        for entry in config.get("subnet4") or []
        if entry.get("subnet") == subnet and label(entry).get("network") == network
    ]
    for entry in gone:
        if entry.get("reservations"):
            _refuse_others(entry, ours_too=True)
    if not gone:
        return config
    kept = [entry for entry in config["subnet4"] if not any(entry is each for each in gone)]
    return _with_interfaces(_with_names({**config, "subnet4": kept}))


def number_of(network: int, *configs: Config | None) -> int:
    """The number of a subnet that has none yet: its own address, or the next that nobody has.

    Leases are kept by it, so it must not change.
    """
    taken = {entry.get("id") for config in configs for entry in (config or {}).get("subnet4") or ()}
    number = min(max(network, 1), _MOST_IDS)
    while number in taken:
        number = number % _MOST_IDS + 1
    return number


def is_whole(config: Config, entry: Entry, environment: str, network: str) -> bool:
    """Whether a subnet has all that is written with it: to write it anew would change nothing."""
    told = told_of_subnet(entry)
    options = [(each["name"], each["value"]) for each in told.pop("options")]
    wanted = {**told, "options": options, "environment": environment, "network": network}
    return with_subnet(config, wanted, entry.get("id", 0)) == config


def entries_of(entry: Entry, environment: str) -> list[dict[str, str]]:
    """What an environment reserves in a subnet, in the words of a fact, sorted."""
    found = [
        _told(each)
        for each in entry.get("reservations") or ()
        if label(each).get("environment") == environment
    ]
    return sorted(found, key=lambda each: (each["mac"], each["address"], each["hostname"]))


def are_plain(entry: Entry, environment: str) -> bool:
    """Whether nobody wrote more into an environment's reservations than we do."""
    return not any(
        _is_odd(each)
        for each in entry.get("reservations") or ()
        if label(each).get("environment") == environment
    )


def with_reservations(
    config: Config, subnet: str, environment: str, wanted: Sequence[Mapping[str, str]]
) -> Config | None:
    """The configuration with just these as an environment's reservations; None without the subnet.

    One of nobody's that says the same becomes the environment's.

    Raises:
        Clash: somebody else has reserved an address, or for a hardware address.
    """
    entries = list(config.get("subnet4") or ())
    places = [place for place, entry in enumerate(entries) if entry.get("subnet") == subnet]
    if not places:
        return None
    entry = entries[places[0]]
    kept, same = _sorted_out(entry.get("reservations") or (), environment, wanted)
    made = [same.get(_key(each)) or _reservation(each, environment) for each in wanted]
    entries[places[0]] = {**entry, "reservations": [*kept, *made]}
    return {**config, "subnet4": entries}


def interfaces_of(config: Config) -> set[str]:
    """The interfaces that must be there for the server to take a configuration."""
    listed = (config.get("interfaces-config") or {}).get("interfaces") or ()
    named = {str(each).partition("/")[0] for each in listed}
    used = {str(each.get("interface") or "") for each in config.get("subnet4") or ()}
    return (named | used) - {"", "*"}


def reserved_macs(entry: Entry) -> set[str]:
    """Every hardware address that somebody reserves something for in a subnet."""
    return {_told(each)["mac"] for each in entry.get("reservations") or ()}


def pools_of(entry: Entry) -> list[str]:
    """The pools of a subnet as `first-last`, sorted by address."""
    pools = [str(each.get("pool", "")) for each in entry.get("pools") or ()]
    return sorted(map(_pool, pools), key=_by_number)


def _entry(entry: Entry, wanted: Mapping[str, Any]) -> Entry:
    """An entry as it is wanted. What is right already stays as it is written."""
    seconds = wanted["lease_seconds"]
    network, environment, names = wanted["network"], wanted["environment"], wanted.get("names", "")
    told = {"environment": environment, "network": network, **({"names": names} if names else {})}
    after = {
        **(without_names(entry) if label(entry).get("names") and not names else entry),
        **(said_of_names(names) if names else {}),
        "subnet": wanted["subnet"],
        "interface": wanted["interface"],
        "valid-lifetime": seconds,
        "min-valid-lifetime": seconds,
        "max-valid-lifetime": seconds,
        "renew-timer": seconds // 2,
        "rebind-timer": seconds * 7 // 8,
        # A machine is known by its hardware address, whichever system on it asks.
        "match-client-id": False,
        "reservations-in-subnet": True,
        "reservations-out-of-pool": False,
        "user-context": _context(entry, **told),
    }
    given = {"next-server": wanted["next_server"], "boot-file-name": wanted["boot_file"]}
    for key, value in given.items():
        _set(after, key, value)
    if pools_of(entry) != list(wanted["pools"]) or "pools" not in entry:
        after["pools"] = [{"pool": pool} for pool in wanted["pools"]]
    options = [(name, value) for name, value in wanted["options"]]
    if options_of(entry) != options or "option-data" not in entry:
        after["option-data"] = option_data(options)
    return after


def _set(entry: Entry, key: str, value: str) -> None:
    """Kea does not tell of what is empty, or tells of no server by an address."""
    if (entry.get(key) or "").replace(NOWHERE, "") != value:
        entry.pop(key, None)
        if value:
            entry[key] = value


def _context(thing: Mapping[str, Any], **told: Any) -> dict[str, Any]:
    context = thing.get("user-context")
    return {**(context if isinstance(context, dict) else {}), OURS: told}


def _place(config: Config, kept: Sequence[Entry], subnet: str) -> int:
    """Where in the kept entries the one of a subnet was."""
    place = 0
    for entry in config["subnet4"]:
        if entry.get("subnet") == subnet:
            break
        place += any(entry is each for each in kept)
    return place


def _refuse_others(entry: Entry, *, ours_too: bool = False) -> None:
    """Nobody's reservations go with a subnet.

    Raises:
        Clash: there are some; those of environments count with `ours_too`.
    """
    for each in entry.get("reservations") or ():
        if ours_too or not label(each):
            whose = label(each).get("environment") or "nobody that we know"
            told = _told(each)
            what = f"{told['address'] or told['mac']} of {whose}"
            raise Clash(f"subnet {entry.get('subnet')} holds the reservation {what}")


def _with_names(config: Config) -> Config:
    """The configuration that sends names of clients if a subnet of ours wants it."""
    entries = config.get("subnet4") or ()
    return with_sending(config, is_wanted=any(label(each).get("names") for each in entries))


def _with_interfaces(config: Config, wanted: str = "", *, retries: bool = False) -> Config:
    """The configuration in which the server listens where it serves for us, and where it did.

    What we added goes when nothing of ours is there any more.
    """
    before = config.get("interfaces-config") or {}
    listed = list(before.get("interfaces") or ())
    added = [each for each in label(before).get("interfaces") or () if each in listed]
    used = {entry.get("interface") for entry in config.get("subnet4") or () if label(entry)}
    listed = [each for each in listed if each not in added or each in used]
    added = [each for each in added if each in used]
    if wanted and not any(
        each in {"*", wanted} or each.startswith(f"{wanted}/") for each in listed
    ):
        listed.append(wanted)
        added.append(wanted)
    after = {**before, "interfaces": listed}
    after["user-context"] = _context(before, interfaces=added)
    if not added:
        if label(before):
            after = {key: each for key, each in after.items() if RETRIES.get(key) != each}
        after["user-context"].pop(OURS)
        if not after["user-context"]:
            del after["user-context"]
    if retries:  # at boot the server may be there before the address of the interface
        after = {**RETRIES, **after}
    return {**config, "interfaces-config": after}


def _sorted_out(
    there: Iterable[Entry], environment: str, wanted: Sequence[Mapping[str, str]]
) -> tuple[list[Entry], dict[tuple[str, ...], Entry]]:
    """The others' reservations, and of those that are right already how they are written."""
    kept, same = [], {}
    keys = {_key(each) for each in wanted}
    macs = {each["mac"]: each for each in wanted}
    addresses = {each["address"]: each for each in wanted if each["address"]}
    for each in there:
        told, whose = _told(each), label(each).get("environment")
        if whose == environment:
            if _key(told) in keys and not _is_odd(each):
                same[_key(told)] = each
            continue
        mine = macs.get(told["mac"]) or addresses.get(told["address"])
        if mine is None:
            kept.append(each)
        elif whose or (mine["mac"], mine["address"]) != (told["mac"], told["address"]):
            _refuse(told, mine, whose)
    return kept, same


def _refuse(told: Mapping[str, str], mine: Mapping[str, str], whose: str | None) -> None:
    owner = f"environment {whose}" if whose else "somebody by hand"
    held = f"{told['address'] or 'an address'} for {told['mac']} ({told['hostname'] or 'no name'})"
    raise Clash(
        f"{mine['address'] or mine['mac']} cannot be reserved for {mine['hostname']}, because "
        f"{owner} has reserved {held}: change one of them"
    )


def _reservation(wanted: Mapping[str, str], environment: str) -> Entry:
    address = {"ip-address": wanted["address"]} if wanted["address"] else {}
    return {
        "hw-address": wanted["mac"],
        **address,
        "hostname": wanted["hostname"],
        "user-context": {OURS: {"environment": environment}},
    }


def _is_odd(each: Entry) -> bool:
    return any(each.get(key) for key in _MORE)


def _told(each: Entry) -> dict[str, str]:
    return {
        "mac": str(each.get("hw-address") or "").lower(),
        "address": str(each.get("ip-address") or ""),
        "hostname": str(each.get("hostname") or ""),
    }


def _key(each: Mapping[str, str]) -> tuple[str, ...]:
    return each["mac"], each["address"], each["hostname"]


def _pool(text: str) -> str:
    """A pool as `first-last`; Kea writes it as a network if it is one."""
    if "/" in text:
        from ipaddress import ip_network

        try:
            network = ip_network(text.strip())
        except ValueError:
            return text
        return f"{network[0]}-{network[-1]}"
    return "-".join(part.strip() for part in text.split("-"))


def _by_number(pool: str) -> tuple[int, ...]:
    return tuple(int(part) for part in pool.partition("-")[0].split(".") if part.isdigit())
