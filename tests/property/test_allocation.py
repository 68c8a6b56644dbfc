"""Address plans: an address has one owner, whatever comes in which order, and each keeps theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from random import Random

from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.config.address_plan import taken
from reconciler.config.load import load
from reconciler.config.owners import owners
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.render.allocation import Allocation, allocate, written
from reconciler.render.farm import claims_of, farm_problems
from tests.farms.repository import Tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENVIRONMENTS = ("staging", "production")
Files = dict[str, str]

LAN = """\
kind: Network
name: lan
subnet: 10.0.0.0/24
bridge: br-lan
gateway: 10.0.0.35
quarantine: 10d
partitions:
  - {name: services, range: 10.0.0.0/27, purpose: services}
  - {name: machines, range: 10.0.0.32-10.0.0.80, purpose: machines}
  - {name: people, range: 10.0.0.128/25, purpose: dynamic}
"""


@dataclass(frozen=True)
class Machine:
    """A machine, where it is described, and what it has."""

    name: str
    home: str
    address: int | None
    partition: str | None
    in_stack: bool

    def text(self) -> str:
        lines = [f"kind: VirtualMachine\nname: {self.name}\nstack: base"]
        more = f", address: 10.0.0.{self.address}" if self.address else ""
        more += f", partition: {self.partition}" if self.partition else ""
        if more or not self.in_stack:
            lines.append(f"networks:\n  - {{network: lan{more}}}  # {self.name}")
        return "\n".join(lines) + "\n"


@st.composite
def machines(draw: st.DrawFn, first: int = 0) -> tuple[Machine, ...]:
    """Machines with names from `first` on; those that have addresses have different ones."""
    count = draw(st.integers(1, 4))
    fixed: list[int] = draw(st.lists(st.integers(36, 49), unique=True, max_size=3))
    return tuple(
        Machine(
            f"m{first + n}",
            draw(st.sampled_from(["vms.yaml", "more/vms.yaml", *_homes(f"m{first + n}")])),
            address := fixed.pop() if bool(fixed) and draw(st.booleans()) else None,
            None if address else draw(st.sampled_from([None, None, "services", "people"])),
            draw(st.booleans()),
        )
        for n in range(count)
    )


def _homes(name: str) -> list[str]:
    return [f"environments/{each}/vms/{name}.yaml" for each in ENVIRONMENTS]


def tree(wanted: Sequence[Machine]) -> Files:
    """One network that both environments have, and the machines in this order."""
    files = {
        "farm.yaml": "{kind: Farm, name: farm, domain: farm.internal, contact: j@farm.internal}",
        "lan.yaml": LAN,
        "stack.yaml": "kind: Stack\nname: base\nmemory: 1 GiB\nnetworks:\n  - {network: lan}\n",
    }
    for name in ENVIRONMENTS:
        document = f"{{kind: Environment, name: {name}, domain: {name}.farm.internal}}"
        files[f"environments/{name}/environment.yaml"] = document
    for machine in wanted:
        before = f"{files[machine.home]}---\n" if machine.home in files else ""
        files[machine.home] = before + machine.text()
    return files


def loaded(files: Mapping[str, str], *, complete: bool = True) -> tuple[Documents, ...]:
    given_tree = Tree(files)
    return tuple(load(given_tree, name, may_lack_addresses=not complete) for name in ENVIRONMENTS)


def allocations(files: Files) -> tuple[Allocation, ...]:
    every = loaded(files, complete=False)
    return allocate(every, taken(every, {}, NOW))


def complete(files: Files) -> Files:
    return {**files, **written(allocations(files), lambda path: files.get(path, ""))}


def have(files: Files) -> dict[tuple[str, str], str]:
    """Who of which environment has which address."""
    return {
        (each.environment, owner.called): str(owner.address)
        for each in loaded(files)
        for owner in owners(each)
    }


def machine_addresses(files: Files) -> list[str]:
    """The addresses of all machines."""
    return [address for (_, who), address in have(files).items() if who.startswith("machine")]


def problems(files: Files) -> list[str]:
    """What is wrong in each environment, and between them."""
    every: dict[str, Documents] = {}
    found: list[str] = []
    for name in ENVIRONMENTS:
        try:
            every[name] = load(Tree(files), name)
        except ConfigError as error:
            found += map(str, error.problems)
    claims = {name: claims_of(each) for name, each in every.items()}
    for name, each in every.items():
        others = {other: others for other, others in every.items() if other != name}
        found += map(str, farm_problems(each, others, claims))
    return found


def apart(wanted: Sequence[Machine]) -> bool:
    """Whether what is written is right: a shared machine has its address in both environments."""
    shared = [each for each in wanted if not each.home.startswith("environments/")]
    return all(each.address is None for each in shared)


some = machines().filter(apart)


@given(some)
def test_nobody_gets_what_another_has(wanted: tuple[Machine, ...]) -> None:
    files = complete(tree(wanted))
    assert problems(files) == []
    given_out = machine_addresses(files)
    assert len(given_out) == len(set(given_out))
    assert "10.0.0.35" not in given_out
    event(f"{len(given_out)} machines have addresses")


@given(some, st.randoms(use_true_random=False))
def test_the_order_of_documents_changes_nothing(
    wanted: tuple[Machine, ...], random: Random
) -> None:
    other = list(wanted)
    random.shuffle(other)
    assert have(complete(tree(wanted))) == have(complete(tree(other)))


@given(some, machines(first=50).filter(apart))
def test_whoever_has_an_address_keeps_it(
    wanted: tuple[Machine, ...], more: tuple[Machine, ...]
) -> None:
    unaddressed = [each for each in more if each.address is None]
    first = complete(tree(wanted))
    grown = dict(first)
    for machine in unaddressed:
        before = f"{grown[machine.home]}---\n" if machine.home in grown else ""
        grown[machine.home] = before + machine.text()
    kept, after = have(first), have(complete(grown))
    assert {who: after[who] for who in kept} == kept


@given(some, machines(first=50).filter(apart))
def test_two_branches_merged_are_right_or_refused(
    one: tuple[Machine, ...], other: tuple[Machine, ...]
) -> None:
    """Each was complete by itself; the result of the merge tells of every address twice given."""
    first, second = complete(tree(one)), complete(tree(other))
    merged = first | {
        path: f"{first[path]}---\n{text}" if "vms.yaml" in path and path in first else text
        for path, text in second.items()
    }
    twice = set(machine_addresses(first)) & set(machine_addresses(second))
    found = problems(merged)
    event("clash" if twice else "no clash")
    assert bool(found) == bool(twice)
    assert all(any(ip in each for ip in twice) and each.count(".yaml:") > 1 for each in found)


@given(some, st.sets(st.integers(32, 50)), st.integers(0, 20))
def test_nobody_gets_what_is_in_quarantine(
    wanted: tuple[Machine, ...], gone: set[int], days: int
) -> None:
    past = {IPv4Address(f"10.0.0.{n}"): NOW - timedelta(days=days) for n in gone}
    every = loaded(tree(wanted), complete=False)
    try:
        given_out = {each.address for each in allocate(every, taken(every, past, NOW))}
    except ConfigError:
        event("full")
        given_out = set()
    if days < 10:
        assert not given_out & past.keys()
    else:
        assert given_out == {each.address for each in allocate(every, taken(every, {}, NOW))}
