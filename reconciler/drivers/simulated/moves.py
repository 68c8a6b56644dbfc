"""How domains and volumes go from one host to another, as pure functions from farm to farm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated import domains, volumes
from reconciler.drivers.simulated.state import Domain, FarmState, Host


def host_named(farm: FarmState, name: str) -> Host:
    """The host of that name.

    Raises:
        Missing: there is none.
    """
    host = farm.hosts.get(name)
    if host is None:
        message = f"there is no host {name}"
        raise Missing(message)
    return host


def on_host(farm: FarmState, name: str, change: Callable[[Host], Host]) -> FarmState:
    """The farm after a change of one host; the same farm if that changed nothing.

    Raises:
        Missing: there is no such host.
    """
    before = host_named(farm, name)
    after = change(before)
    return farm if after is before else replace(farm, hosts={**farm.hosts, name: after})


def migrate(farm: FarmState, source: str, name: str, destination: str) -> FarmState:
    """Move a domain with its volumes, and with its guest if it runs.

    Raises:
        Missing: there is no such host or domain.
        Refused: it has snapshots; the destination has no pool, no room or something of that name;
            or another domain uses one of the volumes.
    """
    here, there = _both(farm, source, destination)
    domain = domains.named(here, name)
    if domain.snapshots:
        message = f"it has the snapshots {', '.join(sorted(domain.snapshots))}"
        raise Refused(message)
    places = domains.volumes_of(domain.definition) | domains.volumes_of(domain.live)
    shared = {user for pool, volume in places for user in domains.users_of(here, pool, volume)} - {
        name
    }
    if shared:
        message = f"its volumes are also in use by {', '.join(sorted(shared))}"
        raise Refused(message)
    here, there = _carry(here, there, sorted(places))
    there = _arrive(there, domain)
    return _with_both(
        farm, (source, domains.undefine(domains.stop(here, name), name)), (destination, there)
    )


def send(farm: FarmState, source: str, pool: str, name: str, destination: str) -> FarmState:
    """Move a volume that no domain uses.

    Raises:
        Missing: there is no such host or volume.
        Refused: a domain uses it, or the destination has no pool, no room or such a volume.
    """
    here, there = _both(farm, source, destination)
    volumes.named(here, pool, name)
    volumes.check_unused(here, pool, name)
    here, there = _carry(here, there, [(pool, name)])
    return _with_both(farm, (source, here), (destination, there))


def _both(farm: FarmState, source: str, destination: str) -> tuple[Host, Host]:
    if source == destination:
        message = "it is there already"
        raise Refused(message)
    return host_named(farm, source), host_named(farm, destination)


def _carry(here: Host, there: Host, places: Iterable[tuple[str, str]]) -> tuple[Host, Host]:
    try:
        for pool, name in places:
            there = volumes.put(there, pool, name, volumes.named(here, pool, name))
            here = volumes.remove(here, pool, name)
    except (Missing, Refused) as error:
        message = f"its volumes cannot move: {error}"
        raise Refused(message) from None
    return here, there


def _arrive(there: Host, domain: Domain) -> Host:
    """The destination with the domain as it was: definition, guest, mark and autostart."""
    there = domains.define(there, domain.definition, domain.owner)
    if domain.running:
        domains.check_can_run(there, domain)
    return replace(there, domains={**there.domains, domain.definition.name: domain})


def _with_both(farm: FarmState, *hosts: tuple[str, Host]) -> FarmState:
    return replace(farm, hosts={**farm.hosts, **dict(hosts)})
