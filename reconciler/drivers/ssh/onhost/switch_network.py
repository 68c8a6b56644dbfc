"""The network of a host as a whole: kept before a change, and put back if nobody confirms it.

Nothing that is as it was is touched. It may be begun anew at any point.
"""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.switch_links import (
    address_commands,
    is_missed,
    is_to_go,
    link_commands,
    links_of,
)
from reconciler.drivers.ssh.onhost.switch_ovs import (
    put_database_back,
    put_switches_back,
    switches_of,
)
from reconciler.drivers.ssh.onhost.switch_routes import (
    route_commands,
    routes_of,
    rule_commands,
    rules_of_routing,
)
from reconciler.drivers.ssh.onhost.switch_site import QUICK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

ROUNDS = 12  # programs of the host need moments to do as they are told
PAUSE_SECONDS = 0.25
MOST_TOLD = 5
_LINKS = ("bridge", "vlan", "bond")
_NETWORKD = ("/etc/systemd/network/", "/etc/netplan/")


def network_of(site: Site) -> dict[str, Any]:
    """All that can be put back of it.

    Raises:
        OSError: something of it cannot be told.
    """
    return {
        "links": links_of(site),
        "routes": routes_of(site),
        "rules": rules_of_routing(site),
        "switches": switches_of(site),
    }


def let_tools_read(site: Site, paths: Iterable[str]) -> None:
    """Tell who sets interfaces up from these files that they are others now."""
    back = tuple(paths)
    if any(path.startswith("/etc/netplan/") for path in back):
        site.run(["netplan", "generate"], b"", QUICK_SECONDS)
    if any(path.startswith(_NETWORKD) for path in back):
        code, _ = site.run(
            ["systemctl", "is-active", "--quiet", "systemd-networkd"], b"", QUICK_SECONDS
        )
        if not code:
            site.run(["networkctl", "reload"], b"", QUICK_SECONDS)


def put_switches_of_network_back(site: Site, kept: dict[str, Any], *, is_new_boot: bool) -> bool:
    """The switches; False if they are as they were.

    Raises:
        OSError: that cannot be done.
    """
    if kept["switches"] is None:
        return False
    return (put_database_back if is_new_boot else put_switches_back)(site, kept["switches"])


def has_outlived(site: Site, kept: dict[str, Any], concerns: Iterable[tuple[str, str]]) -> bool:
    """Whether there still is an interface that goes: those of a container may outlive it.

    Raises:
        OSError: nobody can tell.
    """
    now, made = links_of(site), _made(concerns)
    return any(is_to_go(name, kept["links"], now, made) for name in now)


def put_network_back(
    site: Site,
    kept: dict[str, Any],
    concerns: Iterable[tuple[str, str]],
) -> tuple[bool, list[str]]:
    """Interfaces, addresses, routes and rules: whether anything was not as it was, and what failed.

    Raises:
        OSError: nobody can tell how they are.
    """
    made = _made(concerns)
    is_touched, said = False, dict[str, str]()
    for _ in range(ROUNDS):
        said, count = _round(site, kept, made)
        if not (said or count):
            return is_touched, []
        is_touched = is_touched or bool(count)
        site.pause(PAUSE_SECONDS)
    return is_touched, [f"{name}: {told}" for name, told in said.items()][:MOST_TOLD]


def _round(site: Site, kept: dict[str, Any], made: frozenset[str]) -> tuple[dict[str, str], int]:
    """Do once what is to be done, part after part: what is wrong, and how much there was to do."""
    said, count = dict[str, str](), 0
    for part in (_of_links, _of_addresses, _of_routing):
        commands = part(site, kept, made)
        count += len(commands)
        said |= {" ".join(words): told for words in commands if (told := _ip(site, words))}
    links = links_of(site)
    missed = [name for name in kept["links"] if is_missed(name, kept["links"], links)]
    said |= dict.fromkeys(missed, "it is not there any more")
    return said, count


def _of_links(site: Site, kept: dict[str, Any], made: frozenset[str]) -> list[list[str]]:
    return link_commands(kept["links"], links_of(site), made)


def _of_addresses(site: Site, kept: dict[str, Any], made: frozenset[str]) -> list[list[str]]:
    del made
    return address_commands(kept["links"], links_of(site))


def _of_routing(site: Site, kept: dict[str, Any], made: frozenset[str]) -> list[list[str]]:
    del made
    rules = rule_commands(kept["rules"], rules_of_routing(site))
    return [*rules, *route_commands(kept["routes"], routes_of(site))]


def _ip(site: Site, words: list[str]) -> str:
    """Nothing if it was done, else what is wrong."""
    code, output = site.run(["ip", *words], b"", QUICK_SECONDS)
    return (" ".join(output.split())[:200] or f"exit code {code}") if code else ""


def _made(concerns: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The interfaces that the change is about."""
    parts = (address.partition("/") for address, _ in concerns)
    return frozenset(name for place, _, name in parts if place.partition("@")[0] in _LINKS)
