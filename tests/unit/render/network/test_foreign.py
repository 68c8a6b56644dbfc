"""What an environment may not take of networks that another one makes."""

from __future__ import annotations

import pytest

from reconciler.config.repository import Documents
from reconciler.render.network.foreign import foreign_problems
from tests.farms.repository import FARM, documents

NONE = {"vms/web-1.yaml": "", "environments/production/zone.yaml": ""}
LAN = FARM["networks.yaml"]
SERVED = (
    "hosts: [{name: virt1, address: 192.168.1.2}]\ndhcp: {servers: [virt1]}\n"
    "partitions:\n  - {name: people, range: 192.168.1.64/26, purpose: dynamic}\n"
)
MACHINE = (
    "kind: VirtualMachine\nname: x\nmemory: 1 GiB\n"
    "networks:\n  - {network: NETWORK, address: ADDRESS}\n"
)
OURS = "kind: Network\nname: ours\nsubnet: 192.168.1.0/24\nbridge: br-lan\n"


def told(network: str, name: str, address: str) -> list[str]:
    machine = MACHINE.replace("NETWORK", name).replace("ADDRESS", address)
    files = {**NONE, "networks.yaml": network, "environments/staging/vm.yaml": machine}
    problems = foreign_problems(documents(files, "staging"), {"production": production()})
    return [problem.what for problem in problems]


def production() -> Documents:
    return documents({**NONE, "networks.yaml": LAN + SERVED})


@pytest.mark.parametrize("more", ["", "environment: production\n"])
def test_no_machine_has_an_address_that_the_servers_of_others_give_out(more: str) -> None:
    (what,) = told(LAN + more, "lan", "192.168.1.70")
    assert what == (
        "192.168.1.70 of machine x is in dynamic partition people of network lan of production "
        "(networks.yaml:9:5), which DHCP gives out"
    )
    assert told(LAN + more, "lan", "192.168.1.128") == []


def test_it_does_not_help_to_call_the_network_otherwise() -> None:
    assert len(told(OURS, "ours", "192.168.1.70")) == 1
    assert told(OURS, "ours", "192.168.1.128") == []


def test_what_is_said_to_be_anothers_has_the_name_that_it_has_there() -> None:
    (what,) = told(f"{OURS}environment: production\n", "ours", "192.168.1.128")
    assert what == (
        "network ours is production's here, where its subnet is that of network lan "
        "(networks.yaml:1:1)"
    )


def test_what_is_on_its_way_to_its_owner_is_no_problem() -> None:
    new = f"{OURS}environment: production\n".replace("192.168.1.0", "192.168.2.0")
    assert told(new, "ours", "192.168.2.70") == []


def test_an_environment_is_not_in_its_own_way() -> None:
    mine = production()
    assert list(foreign_problems(mine, {"staging": documents(NONE, "staging")})) == []
