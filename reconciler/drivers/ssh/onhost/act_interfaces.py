"""What an interface has, set by `ip`: its MTU, addresses and routes. Only what differs."""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.interfaces import ADDRESSES, PROTOCOL, ROUTES, Asked, Interfaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Route = Mapping[str, str]


def interfaces_now(batch: Batch) -> Interfaces:
    """All interfaces of the host.

    Raises:
        Refused: `ip` does not tell.
    """
    what = "look at the interfaces"
    try:
        return Interfaces(*(batch.must(*ask, what=what).stdout for ask in (ADDRESSES, ROUTES)))
    except (ValueError, KeyError) as error:
        raise Refused(f"cannot {what}: {error}") from None


def set_interface(  # noqa: PLR0913 (what an interface has)
    batch: Batch,
    name: str,
    *,
    mtu: int | None = None,
    addresses: Sequence[str] | None = None,
    routes: Sequence[Route] = (),
    former_routes: Sequence[Route] = (),
    movable: Sequence[str] = (),
) -> None:
    """Let an interface that is there be up, and have just that; None is left as it is.

    An address that one of the `movable` interfaces has, its ports, is taken from that.

    Raises:
        Refused: it is not there, or the kernel does not do it.
    """
    interfaces = interfaces_now(batch)
    if name not in interfaces.links:
        raise Refused(f"there is no interface {name} (any more): look what takes it away")
    now = interfaces.has(name, Asked(route["to"] for route in routes))
    if mtu is not None and mtu != now["mtu"]:
        _ip(batch, f"set the MTU of {name}", "link", "set", "dev", name, "mtu", str(mtu))
    if not now["is_up"]:
        _ip(batch, f"set {name} up", "link", "set", "dev", name, "up")
    if addresses is not None:
        _set_addresses(batch, interfaces, name, addresses, movable)
    for route in routes:
        if dict(route) not in now["routes"]:
            words = ("route", "replace", *_words(route, name), "proto", PROTOCOL)
            _ip(batch, f"make the route to {route['to']}", *words)
    drop_routes(batch, name, former_routes, {route["to"] for route in routes})


def drop_routes(
    batch: Batch, name: str, former: Sequence[Route], kept: frozenset[str] | set[str] = frozenset()
) -> None:
    """Take routes of an interface away that are still there, but for those to what is kept."""
    if not former:
        return
    there = interfaces_now(batch).routes_of(name, {route["to"] for route in former})
    for route in former:
        if route["to"] not in kept and dict(route) in there:
            words = ("route", "del", *_words(route, name))
            _ip(batch, f"remove the route to {route['to']}", *words)


def _set_addresses(
    batch: Batch,
    interfaces: Interfaces,
    name: str,
    wanted: Sequence[str],
    movable: Sequence[str],
) -> None:
    there = interfaces.addresses(name)
    for address in wanted:
        if address not in there:
            _ip(batch, f"give {name} {address}", "address", "add", address, "dev", name)
    extra = [(name, address) for address in there if address not in wanted]
    moved = [
        (port, address)
        for port in movable
        for address in interfaces.addresses(port)
        if address in wanted
    ]
    # A second address of a network goes with the first, unless the kernel is told to keep it.
    for link, address in (*extra, *moved):
        _ip(batch, f"take {address} from {link}", "address", "del", address, "dev", link)
    if extra:
        left = interfaces_now(batch).addresses(name)
        for address in wanted:
            if address not in left:
                _ip(batch, f"give {name} {address}", "address", "add", address, "dev", name)


def _words(route: Route, name: str) -> tuple[str, ...]:
    if route["type"] == "blackhole":
        return ("blackhole", route["to"])
    via = ("via", route["via"]) if route["via"] else ()
    return (route["to"], *via, "dev", name)


def _ip(batch: Batch, what: str, *words: str) -> None:
    batch.must("ip", *words, what=what, seconds=30)
