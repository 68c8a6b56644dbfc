"""What overlays must not say: where tunnels would lead nowhere, into themselves, or into another.

A tunnel whose other side lies in the network that it carries sends its own packets through itself,
and keeps the switch of the host from doing anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from reconciler.config.networks import Network, TunnelField
from reconciler.config.overlays import end_name, overlay_mtu, remote_of, underlay_mtu
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem


def overlay_problems(documents: Documents) -> Iterator[Problem]:
    """Everything that is wrong with tunnels because of where they run and what else runs there."""
    for network in documents.networks.values():
        if network.tunnel is not None:
            yield from _underlay_problems(documents, network, network.tunnel)
            yield from _remote_problems(documents, network, network.tunnel)
            yield from _mtu_problems(documents, network, network.tunnel)
    yield from _same_names(documents)
    yield from _twins(documents)


def _at(documents: Documents, network: Network, *path: str) -> Position:
    return documents.position("Network", network.name, *path)


def _underlay_problems(
    documents: Documents, network: Network, tunnel: TunnelField
) -> Iterator[Problem]:
    if tunnel.underlay is None:
        return
    position, beneath = _at(documents, network, "tunnel", "underlay"), tunnel.underlay
    if beneath not in documents.networks:
        what = f"network {network.name} has its tunnels in {beneath}, which is no network"
        yield Problem(position, what, "name a network that its hosts have, or leave it out")
    elif network.name in (passed := _beneath(documents, network)):
        what = f"the tunnels of network {network.name} run in {' in '.join(passed)}: in themselves"
        yield Problem(position, what, "name a network that is no overlay")


def _beneath(documents: Documents, network: Network) -> list[str]:
    """The networks that it runs in, the nearest first; it ends where one comes a second time."""
    passed: list[str] = []
    now: Network | None = network
    while now is not None and now.tunnel is not None and now.tunnel.underlay:
        if now.tunnel.underlay in passed:
            break
        passed.append(now.tunnel.underlay)
        now = documents.networks.get(now.tunnel.underlay)
    return passed


def _remote_problems(
    documents: Documents, network: Network, tunnel: TunnelField
) -> Iterator[Problem]:
    if tunnel.underlay is not None and tunnel.underlay not in documents.networks:
        return
    for place in network.hosts:
        host, position = (
            documents.hosts.get(place.name),
            _at(documents, network, "hosts", place.name),
        )
        remote = remote_of(tunnel, host, documents.networks) if host else None
        if host is not None and remote is None:
            what = (
                f"host {place.name} of network {network.name} has no address in {tunnel.underlay}"
            )
            yield Problem(position, what, "give it one there, where the tunnels run")
        elif remote is not None and remote in network.subnet:
            what = (
                f"the tunnels of network {network.name} would lead to {remote} of host "
                f"{place.name}, which is an address of that network itself"
            )
            yield Problem(position, what, "name another network as the tunnel's `underlay:`")


def _same_names(documents: Documents) -> Iterator[Problem]:
    """Names are made of a sum, which two may have in common."""
    first: dict[str, tuple[str, str]] = {}
    for network in documents.networks.values():
        if (tunnel := network.tunnel) is None:
            continue
        for place in network.hosts:
            name = end_name(tunnel, documents.environment, network.name, place.name)
            one, peer = first.setdefault(name, (network.name, place.name))
            if (one, peer) != (network.name, place.name):
                what = f"tunnels of network {network.name} to {place.name} are called {name}"
                remedy = f"rename one: so are those of network {one} to {peer}"
                yield Problem(_at(documents, network, "hosts", place.name), what, remedy)


def _mtu_problems(documents: Documents, network: Network, tunnel: TunnelField) -> Iterator[Problem]:
    beneath = underlay_mtu(tunnel, documents.networks)
    most = overlay_mtu(tunnel, beneath)
    if network.mtu is not None and network.mtu > most:
        what = (
            f"packets of {network.mtu} bytes do not fit through the tunnels of network "
            f"{network.name}, which are {tunnel.type} over {beneath}"
        )
        yield Problem(
            _at(documents, network, "mtu"), what, f"write at most {most}, or leave it out"
        )


def _twins(documents: Documents) -> Iterator[Problem]:
    """Between two hosts what comes out of a tunnel is told apart by its type and its key only."""
    overlays = [each for each in documents.networks.values() if each.tunnel]
    for one, other in combinations(overlays, 2):
        shared = {place.name for place in one.hosts} & {place.name for place in other.hosts}
        is_same = one.tunnel and other.tunnel and _mark(one.tunnel) == _mark(other.tunnel)
        if is_same and len(shared) > 1:
            where = _at(documents, one, "tunnel")
            what = (
                f"networks {one.name} and {other.name} have the same tunnels between "
                f"{' and '.join(sorted(shared)[:2])}"
            )
            remedy = f"give one of them another `key:`; the other is at {where}"
            yield Problem(_at(documents, other, "tunnel"), what, remedy)


def _mark(tunnel: TunnelField) -> tuple[str, int | None, str | None]:
    return (tunnel.type, tunnel.key, tunnel.underlay)
