"""What the contract of name servers is tried on: a server, and what people do to it by hand.

At the beginning it serves none of the zones of the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from reconciler.ports.nameserver import (
    Grant,
    Nameserver,
    NewZone,
    RecordSet,
    Rules,
    Timers,
    ZoneState,
    ZoneUpdate,
)

ZONE = "farm.internal"
TIMERS = Timers("ns.farm.internal.", "hostmaster.farm.internal.", 10800, 1800, 1209600, 1800)
SERIAL = 2011031200
HOUR = 3600
MAKER = "production"
GUEST = "staging"

NS = RecordSet("@", "NS", HOUR, ("ns.farm.internal.",))
NS_HOME = RecordSet("ns", "A", HOUR, ("192.168.1.17",))
WWW = RecordSet("www", "A", HOUR, ("192.168.1.129", "192.168.1.130"))
MAIL = RecordSet("mail", "CNAME", HOUR, ("www.farm.internal.",))
BASE = (NS, NS_HOME)
OURS = Rules((Grant(MAKER),))


@dataclass(frozen=True)
class NameBench:
    """A server under test.

    `put_by_hand` and `remove_by_hand` change a zone past the port, for anybody. `today` is the date
    at the server.
    """

    server: Nameserver
    put_by_hand: Callable[[str, RecordSet], None]
    remove_by_hand: Callable[[str, str], None]
    today: Callable[[], date]

    @property
    def zone(self) -> ZoneState:
        """The zone of the contract as it is now."""
        return self.server.zone(ZONE)

    def make(
        self, *records: RecordSet, name: str = ZONE, serial: int = SERIAL, rules: Rules = OURS
    ) -> None:
        """Begin to serve a zone; it is the maker's."""
        self.server.create_zone(NewZone(name, TIMERS, serial, records, MAKER, rules))

    def update(
        self,
        *put: RecordSet,
        remove: tuple[str, ...] = (),
        absent: tuple[str, ...] = (),
        timers: Timers | None = None,
        environment: str = MAKER,
        serial: int | None = None,
    ) -> None:
        """Change the zone, as it is now if no serial is given."""
        known = self.zone.serial if serial is None else serial
        self.server.update_zone(ZoneUpdate(ZONE, known, environment, put, remove, absent, timers))
