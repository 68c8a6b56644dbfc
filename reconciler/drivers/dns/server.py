"""A name server that is changed by signed dynamic updates and read by transfer, such as BIND.

Of each zone it keeps what it last saw, and asks for the serial before it believes that. What keeps
its serial though it changed (a zone file edited by hand between `rndc freeze` and `thaw`) is found
by a transfer of all of it every five minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from reconciler.drivers.dns.access import ServerAccess
from reconciler.drivers.dns.asking import Asking
from reconciler.drivers.dns.changing import Changing
from reconciler.drivers.dns.control import Control
from reconciler.drivers.dns.looking import Looking, Seen
from reconciler.drivers.dns.refusals import Answered, Flood, Lost, error_of
from reconciler.drivers.dns.transfer import Content
from reconciler.drivers.dns.updates import missing
from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.zone_soundness import (
    contradictions,
    homeless_nameservers,
    without_nameserver,
    zone_complaints,
)
from reconciler.errors import Conflict, Denied, NotFound
from reconciler.ports.nameserver import Nameserver, NewZone, Rules, ZoneState, ZoneUpdate

_NOT_OURS = "its configuration is not ours"


class DynamicNameserver:
    """One view of one server. Calls may come from several threads; no connection is kept."""

    def __init__(
        self,
        access: ServerAccess,
        control: Control | None,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Nothing is asked yet. `control` is None if the server's configuration is not ours."""
        self._access = access
        self._control = control
        asking = Asking(access, monotonic, now)
        self._looking = Looking(asking, control, monotonic)
        self._changing = Changing(asking, self._looking, now)

    def zones(self) -> tuple[str, ...]:
        """The zones that were made here and are served.

        Raises:
            Denied: the configuration is not ours: such a server does not tell.
        """
        operation = "list the zones"
        if self._control is None:
            cause = f"{_NOT_OURS}, and it does not tell; ask for a zone by its name"
            raise Denied(self._access.name, operation, cause)
        return tuple(sorted(self.serials(self._control.zones())))

    def serials(self, names: Iterable[str]) -> Mapping[str, int]:
        """The serial of each of these zones that it serves, all in one go."""
        with self._saying("ask for serials"):
            return self._looking.serials(tuple(names))

    def zone(self, name: str) -> ZoneState:
        """The whole zone."""
        seen = self._seen(name)
        soa = seen.content.soa
        return ZoneState(name, soa.serial, soa.timers, seen.content.records, seen.rules)

    def create_zone(self, zone: NewZone) -> None:
        """Begin to serve a zone: its file is written, checked, and given to the server."""
        operation = f"create zone {zone.name}"
        reasons = [
            *zone_complaints(zone.name, zone.serial),
            *contradictions(zone.name, zone.records),
            *without_nameserver(zone.name, zone.records),
            *homeless_nameservers(zone.name, zone.records),
        ]
        if reasons:
            raise Conflict(self._access.name, operation, "; ".join(reasons))
        if self._control is None:
            self._refuse_to_create(zone.name, operation)
        else:
            self._control.create(zone)
        self._looking.forget(zone.name)
        seen = self._seen(zone.name).content
        with self._saying(operation):
            _check_made(zone, seen)

    def update_zone(self, update: ZoneUpdate) -> None:
        """Change a zone, and read back whether it has become so."""
        seen = self._seen(update.zone)
        with self._saying(f"update zone {update.zone} as {update.environment}", update.environment):
            self._changing.change(update, seen)

    def set_rules(self, name: str, rules: Rules) -> None:
        """Let a zone be treated like this from now on."""
        if self._control is None:
            cause = f"{_NOT_OURS}: change the zone's update-policy there"
            raise Denied(self._access.name, f"set the rules of zone {name}", cause)
        self._looking.forget(name)
        self._control.set_rules(name, rules)

    def delete_zone(self, name: str) -> None:
        """Serve the zone no more."""
        if self._control is None:
            if self.serials([name]):
                cause = f"{_NOT_OURS}: take the zone away there"
                raise Denied(self._access.name, f"delete zone {name}", cause)
            return
        self._looking.forget(name)
        self._control.delete(name)

    def _refuse_to_create(self, name: str, operation: str) -> None:
        if self.serials([name]):
            raise Conflict(self._access.name, operation, f"zone {name} is served already")
        reader = self._access.key(self._access.reader).name
        cause = (
            f"{_NOT_OURS}: add the zone there, and let key {reader} ask for it, transfer and "
            "update it"
        )
        raise Denied(self._access.name, operation, cause)

    def _seen(self, name: str) -> Seen:
        with self._saying(f"read zone {name}"):
            return self._looking.look(name)

    @contextmanager
    def _saying(self, operation: str, holder: str = "") -> Iterator[None]:
        """What goes wrong in the words of our errors."""
        where = self._access.name
        try:
            yield
        except (Answered, Lost, Flood, Refused) as error:
            key = self._access.key(holder or self._access.reader).name
            raise error_of(where, operation, key, error) from None
        except Missing as error:
            raise NotFound(where, operation, str(error)) from None


def _check_made(zone: NewZone, seen: Content) -> None:
    """Raises `Refused` if the new zone is not what was asked for."""
    update = ZoneUpdate(zone.name, zone.serial, zone.environment, zone.records, timers=zone.timers)
    if wrong := missing(update, seen.records, seen.soa.timers):
        raise Refused(f"the server does not hold {', '.join(wrong[:5])} as it was given")


def _is_a_nameserver(server: DynamicNameserver) -> Nameserver:
    return server
