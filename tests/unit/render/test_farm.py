"""What no two environments may share, and what one may not have twice."""

from __future__ import annotations

import pytest

from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.model.position import Problem
from reconciler.model.quantity import parse_size
from reconciler.placement.spread import Room
from reconciler.render.farm import Holder, claims_of, farm_problems, foreign_bases
from reconciler.render.identity import machine_mac
from reconciler.render.render import rooms
from tests.farms.repository import FARM, documents

WEB = FARM["vms/web-1.yaml"]
STAGING_ONLY = {
    "vms/web-1.yaml": "",
    "environments/staging/vm.yaml": WEB.replace("129", "140"),
    "networks.yaml": FARM["networks.yaml"],
}
PRODUCTION = documents()


def staging(changes: dict[str, str] | None = None) -> Documents:
    return documents({**STAGING_ONLY, **(changes or {})}, "staging")


def problems(mine: Documents, *others: Documents) -> tuple[Problem, ...]:
    claims = {each.environment: claims_of(each) for each in (mine, *others)}
    return farm_problems(mine, {each.environment: each for each in others}, claims)


def test_an_environment_claims_names_addresses_and_zones_with_their_places() -> None:
    claims = claims_of(PRODUCTION)
    assert claims["address 192.168.1.129"] == Holder(
        "production",
        "machine web-1",
        PRODUCTION.position("VirtualMachine", "web-1", "networks", "lan", "address"),
    )
    assert claims["address 192.168.1.17"].what == "host virt1"
    assert claims["zone farm.internal"].what == "zone/farm.internal"
    assert claims["record farm.internal web-1/A"].environment == "production"
    assert f"mac {machine_mac('production', 'web-1', 'lan')}" in claims


def test_a_machine_without_an_address_claims_none() -> None:
    text = WEB.replace(", address: 192.168.1.129", "")
    claims = claims_of(documents({"vms/web-1.yaml": text}))
    assert not any(claim.startswith("address 192.168.1.129") for claim in claims)


def test_the_address_of_a_host_is_its_own_environments_claim() -> None:
    assert "address 192.168.1.17" not in claims_of(staging())


def test_an_environment_does_not_take_one_thing_twice() -> None:
    """Two derived hardware addresses that meet by chance, or a written one that meets a derived."""
    mac = machine_mac("production", "web-1", "lan")
    other = WEB.replace("name: web-1", "name: web-2").replace(
        "address: 192.168.1.129", f"address: 192.168.1.130, mac: '{mac}'"
    )
    with pytest.raises(ConfigError) as refused:
        claims_of(documents({"vms/web-2.yaml": other}))
    (problem,) = refused.value.problems
    assert problem.position.file == "vms/web-2.yaml"
    assert (
        problem.what == f"domain/web-2 takes mac {mac}, which domain/web-1 has (vms/web-1.yaml:1:1)"
    )


def test_environments_that_keep_apart_have_no_problem() -> None:
    assert problems(PRODUCTION, staging()) == ()
    assert problems(staging(), PRODUCTION) == ()
    assert problems(PRODUCTION) == ()


def test_an_address_that_another_environment_has_is_named_with_both_places() -> None:
    twin = staging({"environments/staging/vm.yaml": WEB})
    (problem,) = problems(twin, PRODUCTION)
    assert problem.what == (
        "machine web-1 takes address 192.168.1.129, which machine web-1 of environment production "
        "has (vms/web-1.yaml:10:20)"
    )
    assert problem.position.file == "environments/staging/vm.yaml"


def test_a_zone_is_one_environments_alone() -> None:
    """An environment cannot take over another's zone, or write a record into it."""
    zone = FARM["environments/production/zone.yaml"].replace("[lan]", "[]")
    clashes = problems(staging({"environments/staging/zone.yaml": zone}), PRODUCTION)
    assert {each.what.partition(",")[0] for each in clashes} >= {
        "zone/farm.internal takes zone farm.internal",
        "zone/farm.internal takes record farm.internal @/NS",
    }


def test_a_host_cannot_be_claimed_from_the_branch_of_a_guest() -> None:
    stolen = FARM["hosts.yaml"].replace("environment: production", "environment: staging")
    stolen = stolen.replace("staging:", "production:")
    found = problems(staging({"hosts.yaml": stolen}), PRODUCTION)
    (problem,) = found  # the address is the host's, and not said again
    assert problem.what == "host virt1 is staging's here, and production has it (hosts.yaml:1:1)"
    assert problem.position.file == "hosts.yaml"


def test_a_host_that_changes_hands_is_merged_to_its_old_owner_first() -> None:
    handed_over = FARM["hosts.yaml"].replace("environment: production", "environment: staging")
    handed_over = handed_over.partition("share:")[0]
    (problem,) = problems(staging({"hosts.yaml": handed_over}), PRODUCTION)
    assert problem.remedy.startswith(
        "if it comes from production, merge the change to production first, and let it sync"
    )
    moved = documents({"hosts.yaml": handed_over, "vms/web-1.yaml": ""})
    assert problems(staging({"hosts.yaml": handed_over}), moved) == ()
    assert problems(moved, staging({"hosts.yaml": handed_over})) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (("name: virt1", "name: virt2"), "host virt2 takes address 192.168.1.17, which host virt1"),
        (("192.168.1.17", "192.168.1.18"), "host virt1 is staging's here, and production has it"),
    ],
    ids=["name", "address"],
)
def test_a_host_that_changes_more_than_hands_clashes_too(other: tuple[str, str], said: str) -> None:
    renamed = FARM["hosts.yaml"].replace("environment: production", "environment: staging")
    renamed = renamed.partition("share:")[0].replace(*other)
    (problem,) = problems(staging({"hosts.yaml": renamed}), PRODUCTION)
    assert problem.what.startswith(said)


def test_a_guest_takes_no_more_than_the_owner_gives_on_its_own_branch() -> None:
    more = FARM["hosts.yaml"].replace("memory: 8 GiB, cpus: 4", "memory: 9 GiB, cpus: 4")
    (problem,) = problems(staging({"hosts.yaml": more}), PRODUCTION)
    assert "host virt1 would share more with staging than production gives on its own branch: " in (
        problem.what
    )
    assert problem.what.endswith("8 GiB and 4 cpus")
    assert (problem.position.file, problem.position.line) == ("hosts.yaml", 10)


def test_a_guest_takes_no_more_cpus_than_the_owner_gives() -> None:
    more = FARM["hosts.yaml"].replace("cpus: 4", "cpus: 5")
    assert len(problems(staging({"hosts.yaml": more}), PRODUCTION)) == 1


def test_a_guest_takes_nothing_that_the_owner_does_not_give() -> None:
    without = FARM["hosts.yaml"].partition("share:")[0]
    (problem,) = problems(staging(), documents({"hosts.yaml": without}))
    assert problem.what.endswith("gives on its own branch: nothing")


def test_less_than_is_given_is_fine() -> None:
    less = FARM["hosts.yaml"].replace("memory: 8 GiB, cpus: 4", "memory: 4 GiB, cpus: 2")
    assert problems(staging({"hosts.yaml": less}), PRODUCTION) == ()


def test_a_host_that_its_owner_does_not_know_is_refused() -> None:
    unknown = documents({"hosts.yaml": ""})
    (problem,) = problems(staging(), unknown)
    assert problem.what == "host virt1 is not production's on the branch of production"


def test_the_owner_itself_and_an_owner_without_a_branch_are_not_asked() -> None:
    assert problems(PRODUCTION, staging()) == ()
    assert problems(staging()) == ()


def test_an_environment_may_use_its_own_hosts_and_its_share_of_others() -> None:
    memory = parse_size("30 GiB")
    pools = frozenset({"default"})
    assert rooms(PRODUCTION) == (Room("virt1", memory, pools),)
    share = Room("virt1", memory, pools, "kvm", parse_size("8 GiB"), 4)
    assert rooms(staging()) == (share,)


def test_a_host_that_is_not_shared_is_no_room() -> None:
    without = FARM["hosts.yaml"].partition("share:")[0]
    assert rooms(staging({"hosts.yaml": without})) == ()


@pytest.mark.parametrize(
    ("networks", "is_lacking"),
    [
        ("hosts: [{name: virt2}]", True),
        ("hosts: [{name: virt2}, {name: virt1}]", False),
        ("", False),
    ],
)
def test_a_host_lacks_the_bridges_that_are_made_on_others_only(
    networks: str, *, is_lacking: bool
) -> None:
    second = FARM["hosts.yaml"].replace("virt1", "virt2").replace("1.17", "1.18")
    lan = "kind: Network\nname: x\nsubnet: 10.7.0.0/24\nbridge: br-x\n" + networks
    found = rooms(documents({"more.yaml": f"{second}---\n{lan}\n"}))
    lacking = {room.host: ("linux", "br-x") in room.lacks for room in found}
    assert lacking == {"virt1": is_lacking, "virt2": False}


def test_a_host_in_maintenance_is_closed() -> None:
    (room,) = rooms(documents({"hosts.yaml": FARM["hosts.yaml"] + "maintenance: true\n"}))
    assert not room.open


def test_another_base_of_a_foreign_host_is_good_to_know() -> None:
    """It comes up to the owner's branch by merges, so it cannot be an error on the way."""
    text = FARM["hosts.yaml"] + "packages: [{name: chrony}]\nhostname: virt1\nmaintenance: true\n"
    mine = staging({"hosts.yaml": text})
    (note,) = foreign_bases(mine, PRODUCTION.hosts)
    assert (note.position.file, note.position.line) == ("hosts.yaml", 11)
    assert note.what == (
        "packages, hostname of host virt1 are not as on the branch of production, whose host it "
        "is, and which alone counts"
    )
    assert problems(mine, PRODUCTION) == ()


def test_the_same_base_an_own_host_and_an_unknown_owner_are_nothing_to_know() -> None:
    text = FARM["hosts.yaml"] + "packages: [{name: chrony}]\n"
    assert foreign_bases(staging(), PRODUCTION.hosts) == ()
    assert foreign_bases(documents({"hosts.yaml": text}), PRODUCTION.hosts) == ()
    assert foreign_bases(staging({"hosts.yaml": text}), {}) == ()
