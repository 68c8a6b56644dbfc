"""What a host cannot tell makes only that unknown: all else of its base is seen and set right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from reconciler.drivers.simulated.by_hand_base import set_sysctl
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.engine.observe import observe, questions_of
from reconciler.engine.sweep import moved
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.kind import questions_about
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired, World, owner_of
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Question, ServiceFact
from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.machine import Machine, Safety
from reconciler.ports.nameserver import Nameserver
from tests.farms.specs import simulated_farm

BASE = Scope("base", "virt1")
SYSCTL = Address("sysctl", "vm.swappiness", "virt1")
PACKAGE = Address("package", "chrony", "virt1")
WISHES = (
    Desired(SYSCTL, SysctlSpec("virt1", "vm.swappiness", "10", "10"), adopts=True),
    Desired(PACKAGE, PackageSpec("virt1", "chrony"), adopts=True),
)
QUESTIONS = questions_of(WISHES)
WHY = "dpkg does not answer"


@dataclass
class Deaf:
    """A machine that knows nothing of some things."""

    machine: Machine
    about: frozenset[str]

    def look(self, questions: frozenset[Question]) -> Facts:
        facts = self.machine.look(questions)
        known = {each: fact for each, fact in facts.answers.items() if each.about not in self.about}
        failed = dict.fromkeys(facts.answers.keys() - known.keys(), WHY)
        return replace(facts, answers=known, failed=failed)

    def do(self, acts: list[Act], *, safety: Safety | None = None) -> None:
        self.machine.do(acts, safety=safety)


@dataclass
class DeafFarm:
    """Ports to a farm whose machines know nothing of some things."""

    farm: SimulatedFarm
    about: frozenset[str]

    def hypervisor(self, host: str) -> Hypervisor:
        return self.farm.hypervisor(host)

    def nameserver(self, server: str) -> Nameserver:
        return self.farm.nameserver(server)

    def machine(self, host: str) -> Machine:
        return Deaf(self.farm.machine(host), self.about)  # type: ignore[return-value] # it is one


def deaf(farm: SimulatedFarm, *about: str) -> DeafFarm:
    return DeafFarm(farm, frozenset(about))


def seen(ports: DeafFarm) -> World:
    return observe([BASE], ports, QUESTIONS)


def plan(world: World) -> Plan:
    return make_plan("production", WISHES, world)


@pytest.fixture
def farm() -> SimulatedFarm:
    """A farm on which all is as it is wished."""
    farm = simulated_farm()
    for wish in WISHES:
        kind = KIND_BY_NAME[wish.address.kind]
        for step in kind.create(wish.spec, owner_of("production", wish)):
            step.run(farm)
    return farm


def test_one_question_without_an_answer_hides_one_resource(farm: SimulatedFarm) -> None:
    world = seen(deaf(farm, "package"))
    assert [each.address for each in world.observed] == [SYSCTL]
    assert world.unseen == {BASE: {("package", "chrony")}}
    assert world.unknown == {BASE: f"it cannot be found out there: package chrony: {WHY}"}


def test_what_nobody_can_tell_of_is_unknown_and_never_absent(farm: SimulatedFarm) -> None:
    made = plan(seen(deaf(farm, "package")))
    assert [str(each.address) for each in made.unknown] == [str(PACKAGE)]
    assert WHY in made.unknown[0].reason
    assert made.changes == ()
    assert made.unchanged == 1


def test_what_is_seen_is_set_right_all_the_same(farm: SimulatedFarm) -> None:
    set_sysctl(farm, "virt1", "vm.swappiness", "99")
    made = plan(seen(deaf(farm, "package")))
    assert [each.address for each in made.changes] == [SYSCTL]


def test_what_is_absent_is_made_while_something_else_cannot_be_told() -> None:
    made = plan(seen(deaf(simulated_farm(), "package")))
    assert [each.address for each in made.changes] == [SYSCTL]
    assert [each.address for each in made.unknown] == [PACKAGE]


def test_what_is_ours_and_wanted_no_more_stays_while_nobody_can_tell(farm: SimulatedFarm) -> None:
    world = seen(deaf(farm, "package", "sysctl"))
    assert make_plan("production", (), world).changes == ()


def test_what_only_an_older_question_tells_of_is_not_told() -> None:
    """The mark asks as the document did once: its answer says too little for that of today."""
    old, new = Question("service", "ssh"), Question("service", "ssh", ("/etc/ssh/sshd_config",))
    fact = ServiceFact(is_enabled=True, is_running=True, is_masked=False)
    assert questions_about("service", Facts({old: fact})) == [old]
    assert questions_about("service", Facts({old: fact}, failed={new: WHY})) == []


def test_a_host_that_is_not_seen_at_all_hides_everything(farm: SimulatedFarm) -> None:
    world = World((), {BASE: "no answer"})
    assert [each.address for each in plan(world).unknown] == [PACKAGE, SYSCTL]


def test_the_sweep_goes_on_with_what_can_be_told(farm: SimulatedFarm) -> None:
    whole, half = seen(deaf(farm)), seen(deaf(farm, "package"))
    asked = QUESTIONS[BASE]
    for before in (whole, half):
        assert moved(before, BASE, asked, deaf(farm, "package")) == frozenset()
    assert moved(half, BASE, asked, deaf(farm)) == frozenset()
    set_sysctl(farm, "virt1", "vm.swappiness", "99")
    assert moved(half, BASE, asked, deaf(farm, "package")) == {SYSCTL}
