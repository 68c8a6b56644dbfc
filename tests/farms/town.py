"""Environments that live together on one simulated farm, and what befalls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import CrashAfter, CrashBefore, Fault, SimulatedCrash
from reconciler.drivers.simulated.state import FarmState, Volume
from reconciler.errors import DriverError, NotFound
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone_registry import is_mark
from reconciler.model.change import Action, Disruption
from reconciler.placement.spread import place
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy
from reconciler.ports.hypervisor import DomainDefinition
from reconciler.ports.nameserver import RecordSet
from tests.farms import truth, virthost
from tests.farms.base_wishes import BASE_HANDS
from tests.farms.rounds import Environment
from tests.farms.specs import GIB, rooms_of, uuid_of
from tests.farms.wishes import HOSTS, Wish, empty_farm

ANYTHING_GOES = Policy(
    max_disruption=Disruption.DATA_LOSS,
    machines_percent=100,
    records_percent=100,
    allowed=frozenset({"empty-desire", "base-removal"}),
)
ROUNDS = 6


@dataclass(frozen=True)
class Edit:
    """Somebody merges another wish."""

    wish: Wish


@dataclass(frozen=True)
class Rename:
    """Somebody renames one of an environment's machines."""

    environment: int
    machine: int
    name: str


@dataclass(frozen=True)
class Hand:
    """Somebody does something at a host; `which` chooses the thing."""

    what: str
    which: int


@dataclass(frozen=True)
class Trouble:
    """Something goes wrong from now on."""

    fault: Fault


@dataclass(frozen=True)
class Turn:
    """An environment takes its turn, and may die at a call."""

    environment: int
    crash: CrashBefore | CrashAfter | None = None


Step = Edit | Rename | Hand | Trouble | Turn


class Town:
    """A farm, its environments, and the promises that hold at every step.

    One thing is too much for anybody who keeps no record of what he begins: to die while he makes
    a machine, then to be told another host for it while the first host cannot be seen. So whoever
    is in `unrecorded` gets no new wish while there is trouble.
    """

    def __init__(self, wishes: Iterable[Wish], policy: Policy = ANYTHING_GOES) -> None:
        self.farm = SimulatedFarm(empty_farm())
        self.unrecorded: set[str] = set()
        self.wanted_of_bases: set[truth.Place] = set()
        self.wishes = {wish.environment: wish for wish in wishes}
        self.environments = {
            name: Environment(self.farm, wish.resources(), name, policy)
            for name, wish in self.wishes.items()
        }

    def live(self, step: Step) -> None:
        """Let one thing happen."""
        match step:
            case Edit(wish):
                if not (self.unrecorded and self.farm.state.faults):
                    self._wish(wish)
            case Rename(environment, machine, name):
                self._wish(self.wishes[self._name(environment)].renamed(machine, name))
            case Hand(what, which):
                with suppress(DriverError):
                    HANDS[what](self.farm, which)
            case Trouble(fault):
                self.farm.add_fault(fault)
            case Turn(environment, crash):
                self.turn(self._name(environment), crash)

    def turn(self, name: str, crash: CrashBefore | CrashAfter | None = None) -> Plan:
        """One turn, after which nothing of anybody else has changed."""
        environment = self.environments[name]
        before, state = truth.not_of(name, self.farm.state), self.farm.state
        self.wanted_of_bases |= virthost.places_of(environment.desired)
        plan = environment.look().plan if not self.farm.state.faults else None
        self.farm.revive(crash)
        try:
            environment.turn()
            self.unrecorded.discard(name)
        except SimulatedCrash:
            self.unrecorded.add(name)
        self.farm.revive()
        assert truth.not_of(name, self.farm.state) == before
        places = self.wanted_of_bases
        assert virthost.bystanders(self.farm.state, places) == virthost.bystanders(state, places)
        after = serials(self.farm.state)
        assert all(after[zone] >= serial for zone, serial in serials(state).items())
        if plan is not None:
            assert deleted(name, state, self.farm.state) <= may_delete(plan)
        return plan or environment.look().plan

    def calm_down(self) -> int:
        """After all trouble is over: turns until nothing is left to do. Gives their number."""
        self.farm.remove_faults()
        for number in range(ROUNDS):
            if not self.left():
                return number
            for name in self.environments:
                restart_waiting_guests(self.farm)
                self.turn(name)
        assert self.left() == []
        return ROUNDS

    def left(self) -> list[str]:
        """What is still to be done."""
        plans = [environment.look().plan for environment in self.environments.values()]
        changes = [f"{plan.environment}: {change}" for plan in plans for change in plan.changes]
        return changes + [f"{p.environment}: mark {m.address}" for p in plans for m in p.remarks]

    def misfits(self) -> list[str]:
        """In what the farm is not what the environments want."""
        found = []
        for name, environment in self.environments.items():
            rooms = rooms_of(self.farm.state)
            world = environment.look().world
            placed = place(name, environment.desired, rooms, world, environment.memory)
            assert placed.unplaced == ()
            found += truth.misfits(name, placed.desired, self.farm.state)
            found += virthost.misfits(name, placed.desired, self.farm.state)
        return found

    def _wish(self, wish: Wish) -> None:
        if wish.environment in self.wishes:
            self.wishes[wish.environment] = wish
            self.environments[wish.environment].desired = wish.resources()

    def _name(self, index: int) -> str:
        return sorted(self.environments)[index % len(self.environments)]


def serials(state: FarmState) -> dict[str, int]:
    """How often each zone was changed."""
    servers = state.nameservers.values()
    return {name: zone.serial for server in servers for name, zone in server.zones.items()}


def deleted(name: str, before: FarmState, after: FarmState) -> set[str]:
    """The identities of machines and volumes of an environment that are nowhere any more."""

    def there(state: FarmState) -> set[str]:
        machines = truth.domains(state).values()
        found = {d.definition.uuid for d in machines if d.owner and d.owner.environment == name}
        volumes = truth.volumes(state).items()
        return found | {p[2] for p, v in volumes if v.owner and v.owner.environment == name}

    return there(before) - there(after)


def may_delete(plan: Plan) -> set[str]:
    """The identities that a plan says it takes away, for ever or to make them anew."""
    taken = [
        change.observed
        for change in plan.active
        if change.action is Action.DELETE or change.disruption >= Disruption.REPLACE
    ]
    machines = {spec.uuid for spec in taken if isinstance(spec, DomainSpec)}
    return machines | {spec.name for spec in taken if isinstance(spec, VolumeSpec)}


def restart_waiting_guests(farm: SimulatedFarm) -> None:
    """What a person does who was told that machines wait for a restart."""
    for (host, name), domain in truth.domains(farm.state).items():
        if domain.running and domain.runs_on is not None:
            by_hand.stop_domain(farm, host, name)
            by_hand.start_domain(farm, host, name)


def _domain(farm: SimulatedFarm, which: int) -> tuple[str, str]:
    places = sorted(truth.domains(farm.state))
    if not places:
        raise NotFound("the farm", "choose a domain", "there is none")
    host, name = places[which % len(places)]
    return host, name


def _stop(farm: SimulatedFarm, which: int) -> None:
    by_hand.stop_domain(farm, *_domain(farm, which))


def _start(farm: SimulatedFarm, which: int) -> None:
    by_hand.start_domain(farm, *_domain(farm, which))


def _remove(farm: SimulatedFarm, which: int) -> None:
    by_hand.remove_domain(farm, *_domain(farm, which))


def _shrink_memory(farm: SimulatedFarm, which: int) -> None:
    by_hand.set_memory(farm, *_domain(farm, which), GIB)


def _redefine(farm: SimulatedFarm, which: int) -> None:
    host, name = _domain(farm, which)
    known = farm.state.hosts[host].domains[name].definition
    by_hand.redefine(farm, host, replace(known, vcpus=known.vcpus + 1, interfaces=()))


def _delete_volume(farm: SimulatedFarm, which: int) -> None:
    places = sorted(truth.volumes(farm.state))
    if places:
        host, pool, name = places[which % len(places)]
        by_hand.delete_volume(farm, host, pool, name)


def _reboot(farm: SimulatedFarm, which: int) -> None:
    by_hand.reboot_host(farm, HOSTS[which % len(HOSTS)])


def _records(farm: SimulatedFarm) -> list[tuple[str, RecordSet]]:
    zones = farm.state.nameservers["ns1"].zones
    return [
        (zone, record)
        for zone, served in sorted(zones.items())
        for record in served.records
        if not is_mark(record) and record.type != "NS"
    ]


def _remove_record(farm: SimulatedFarm, which: int) -> None:
    if found := _records(farm):
        zone, record = found[which % len(found)]
        by_hand.remove_record(farm, "ns1", zone, record.key)


def _change_record(farm: SimulatedFarm, which: int) -> None:
    if found := _records(farm):
        zone, record = found[which % len(found)]
        by_hand.put_record(farm, "ns1", zone, replace(record, values=("10.9.9.9",)))


def _add_record(farm: SimulatedFarm, which: int) -> None:
    zones = sorted(farm.state.nameservers["ns1"].zones)
    if zones:
        record = RecordSet(f"hand-{which}", "TXT", 60, ('"mine"',))
        by_hand.put_record(farm, "ns1", zones[which % len(zones)], record)


def _add_domain(farm: SimulatedFarm, which: int) -> None:
    name = f"stray-{which}"
    host = HOSTS[which % len(HOSTS)]
    by_hand.add_domain(farm, host, DomainDefinition(name, uuid_of("", name), "qemu", 1, GIB))


def _add_volume(farm: SimulatedFarm, which: int) -> None:
    host = HOSTS[which % len(HOSTS)]
    by_hand.add_volume(farm, host, "fast", f"stray-{which}", Volume("raw", GIB))


def _at_base(do: Callable[[SimulatedFarm, str], None]) -> Callable[[SimulatedFarm, int], None]:
    return lambda farm, which: do(farm, HOSTS[which % len(HOSTS)])


HANDS: dict[str, Callable[[SimulatedFarm, int], None]] = {
    "stop": _stop,
    "start": _start,
    "remove": _remove,
    "shrink memory": _shrink_memory,
    "redefine": _redefine,
    "delete volume": _delete_volume,
    "reboot": _reboot,
    "remove record": _remove_record,
    "change record": _change_record,
    "add record": _add_record,
    "add domain": _add_domain,
    "add volume": _add_volume,
    **{name: _at_base(do) for name, do in BASE_HANDS.items()},
}
