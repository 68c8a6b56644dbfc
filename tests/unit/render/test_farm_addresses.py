"""Addresses of networks between environments: a document that both read is no clash."""

from __future__ import annotations

import pytest

from reconciler.config.repository import Documents
from reconciler.render.farm import claims_of, farm_problems
from tests.farms.repository import FARM, documents

LAN = FARM["networks.yaml"]
PLACE = "hosts:\n  - {name: virt1, address: 192.168.1.7}\n"
OF_PRODUCTION = "environment: production\n"
MACHINE = (
    "kind: VirtualMachine\nname: {}\nmemory: 1 GiB\nnetworks:\n  - {{network: lan, address: {}}}\n"
)
NONE = {"vms/web-1.yaml": "", "environments/production/zone.yaml": ""}


def both(**files: str) -> dict[str, Documents]:
    """Each environment with the shared network and files of its own."""
    shared = {**NONE, "networks.yaml": files.pop("network", LAN)}
    return {
        name: documents({**shared, f"environments/{name}/more.yaml": files.get(name, "")}, name)
        for name in ("production", "staging")
    }


def problems(environments: dict[str, Documents]) -> list[str]:
    claims = {name: claims_of(each) for name, each in environments.items()}
    return [
        str(problem)
        for name, each in environments.items()
        for problem in farm_problems(
            each, {other: its for other, its in environments.items() if other != name}, claims
        )
        if "address" in problem.what
    ]


@pytest.mark.parametrize("more", ["", PLACE, OF_PRODUCTION + PLACE])
def test_a_network_that_both_have_is_not_in_its_own_way(more: str) -> None:
    assert problems(both(network=LAN + more)) == []


@pytest.mark.parametrize(("more", "address"), [(PLACE, "192.168.1.7"), ("", "192.168.1.1")])
def test_a_machine_has_what_a_host_or_router_has_in_the_network_of_another(
    more: str, address: str
) -> None:
    machine = {"environments/staging/more.yaml": MACHINE.format("x", address)}
    without = LAN.replace("gateway: 192.168.1.1\n", "")
    environments = {
        "production": documents({**NONE, "networks.yaml": LAN + more}),
        "staging": documents({**NONE, "networks.yaml": without, **machine}, "staging"),
    }
    found = problems(environments)
    owner = "host virt1" if more else "the gateway of network lan"
    assert any(
        f"machine x takes address {address}, which {owner} of environment production has "
        "(networks.yaml:" in each
        for each in found
    ), found
    assert len(found) == 2, "in the plan of each"


def test_a_network_that_another_environment_makes_claims_nothing_here() -> None:
    claims = claims_of(both(network=LAN + OF_PRODUCTION + PLACE)["staging"])
    assert "address 192.168.1.7" not in claims
    assert "address 192.168.1.1" not in claims
