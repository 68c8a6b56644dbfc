"""What every machine promises about its DHCP server: what it serves, reserves, and refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import Conflict
from reconciler.ports.acts import InstallPackage, SetService
from reconciler.ports.network_acts import PutReservations, PutSubnet, RemoveSubnet
from reconciler.ports.network_facts import (
    DhcpOption,
    Reservation,
    ReservationsFact,
    SubnetFact,
)
from tests.contract.machine_bench import MachineBench

LINK, PACKAGE = "ctr-dhcp", "kea-dhcp4-server"
NET, OTHER = "10.213.98.0/24", "10.213.97.0/24"
OPTIONS = (
    DhcpOption("classless-static-route", "10.9.0.0/16 via 10.213.98.2, 0.0.0.0/0 via 10.213.98.1"),
    DhcpOption("domain-name", "lab.internal"),
    DhcpOption("domain-name-servers", "10.213.98.2, 10.213.98.3"),
    DhcpOption("domain-search", "lab.internal"),
    DhcpOption("interface-mtu", "1442"),
    DhcpOption("routers", "10.213.98.1"),
)
POOLS = ("10.213.98.64-10.213.98.127", "10.213.98.200-10.213.98.210")
SERVE = PutSubnet(
    "contract", "production", NET, LINK, POOLS, OPTIONS, 600, "10.213.98.4", "pxe/boot.0"
)
PLAIN = PutSubnet("contract", "production", NET, LINK, (), (), 3600)
NO_MORE = RemoveSubnet("contract", NET)
ONE = Reservation("52:54:00:98:00:01", "10.213.98.11", "one")
TWO = Reservation("52:54:00:98:00:02", "10.213.98.12", "two")
ANY = Reservation("52:54:00:98:00:03", "", "any")


def reserve(*entries: Reservation, by: str = "production", net: str = NET) -> PutReservations:
    return PutReservations("contract", net, by, entries)


def subnet(bench: MachineBench, net: str = NET) -> Any:
    return bench.ask("subnet", "contract", net, "production")


def reserved(bench: MachineBench, by: str = "production") -> Any:
    return bench.ask("reservations", f"contract.{by}", "contract", NET, by)


@pytest.fixture
def served(machine_bench: MachineBench) -> MachineBench:
    """A machine whose server runs, and which has an interface for it."""
    machine_bench.do(InstallPackage(PACKAGE), SetService(PACKAGE, running=True))
    machine_bench.add_port(LINK)
    return machine_bench


def test_a_subnet_is_told_as_it_was_put_and_goes_again(served: MachineBench) -> None:
    assert subnet(served) is None
    served.do(SERVE, SERVE)
    wanted = SubnetFact(NET, LINK, POOLS, OPTIONS, 600, "10.213.98.4", "pxe/boot.0")
    assert subnet(served) == wanted
    served.do(PLAIN)
    assert subnet(served) == SubnetFact(NET, LINK, (), (), 3600)
    served.do(NO_MORE, NO_MORE)
    assert subnet(served) is None


def test_clients_get_names_in_the_zone_of_their_subnet_until_it_has_none(
    served: MachineBench,
) -> None:
    named = replace(SERVE, names="dyn.lab.internal")
    served.do(named, named)
    assert subnet(served).names == "dyn.lab.internal"
    assert (subnet(served).is_served, subnet(served).is_persisted) == (True, True)
    served.do(SERVE)
    assert subnet(served).names == ""
    with pytest.raises(Conflict, match="is no zone"):
        served.do(replace(SERVE, names='dyn."farm'))


def test_reservations_are_an_environments_own(served: MachineBench) -> None:
    served.do(SERVE, reserve(ONE, ANY), reserve(TWO, by="staging"))
    assert reserved(served) == ReservationsFact((ONE, ANY))
    assert reserved(served, "staging") == ReservationsFact((TWO,))
    served.do(reserve(), reserve())
    assert reserved(served) is None
    assert reserved(served, "staging") == ReservationsFact((TWO,))
    served.do(PLAIN)
    assert reserved(served, "staging") == ReservationsFact((TWO,))


def test_nothing_is_reserved_where_nothing_is_served(served: MachineBench) -> None:
    with pytest.raises(Conflict, match="yet"):
        served.do(reserve(ONE))
    served.do(reserve())
    assert reserved(served) is None


@pytest.mark.parametrize(
    "theirs", [replace(TWO, mac=ONE.mac), replace(TWO, address=ONE.address)], ids=["mac", "address"]
)
def test_what_one_environment_reserved_no_other_can(
    served: MachineBench, theirs: Reservation
) -> None:
    served.do(SERVE, reserve(ONE))
    with pytest.raises(Conflict, match="production"):
        served.do(reserve(theirs, by="staging"))
    assert reserved(served) == ReservationsFact((ONE,))
    assert reserved(served, "staging") is None


@pytest.mark.parametrize("second", [replace(TWO, mac=ONE.mac), replace(TWO, address=ONE.address)])
def test_nobody_reserves_the_same_twice(served: MachineBench, second: Reservation) -> None:
    served.do(SERVE, reserve(ONE))
    with pytest.raises(Conflict):
        served.do(reserve(ONE, second))
    assert reserved(served) == ReservationsFact((ONE,))


@pytest.mark.parametrize(
    "bad",
    [
        replace(ONE, hostname="one\ntwo"),
        replace(ONE, hostname="ONE.x"),
        replace(ONE, mac="52:54:00:98:00"),
        replace(ONE, address="10.213.98"),
        replace(ONE, address="10.213.98.256"),
    ],
)
def test_nothing_is_reserved_for_what_is_no_machine(served: MachineBench, bad: Reservation) -> None:
    served.do(SERVE)
    with pytest.raises(Conflict):
        served.do(reserve(bad))
    assert reserved(served) is None


@pytest.mark.parametrize(
    "bad",
    [
        {"boot_file": 'x"} , {'},
        {"pools": ("10.213.98.64",)},
        {"options": (DhcpOption("domain-name", "a\\,b"),)},
        {"next_server": "example.org"},
        {"lease_seconds": 1},
    ],
)
def test_nothing_odd_is_sent_to_clients(served: MachineBench, bad: dict[str, Any]) -> None:
    with pytest.raises(Conflict):
        served.do(replace(SERVE, **bad))
    assert subnet(served) is None


def test_a_subnet_in_which_something_is_reserved_stays(served: MachineBench) -> None:
    served.do(SERVE, reserve(ONE))
    with pytest.raises(Conflict, match="reservation"):
        served.do(NO_MORE)
    assert subnet(served).is_served
    assert reserved(served) == ReservationsFact((ONE,))


def test_without_its_interface_nothing_is_served(served: MachineBench) -> None:
    served.do(PLAIN)
    with pytest.raises(Conflict, match="ctr-none"):
        served.do(replace(SERVE, interface="ctr-none"))
    assert subnet(served) == SubnetFact(NET, LINK, (), (), 3600)


def test_another_subnet_of_the_network_takes_the_place_of_the_one_it_had(
    served: MachineBench,
) -> None:
    served.do(PLAIN, reserve(ONE))
    assert subnet(served, OTHER).subnet == NET
    served.do(replace(PLAIN, subnet=OTHER))
    assert subnet(served, OTHER).subnet == OTHER
    assert reserved(served) is None


def test_a_server_that_does_not_run_has_it_when_it_starts(served: MachineBench) -> None:
    served.do(SetService(PACKAGE, running=False))
    served.do(SERVE, reserve(ONE))
    assert (subnet(served).is_served, subnet(served).is_persisted) == (False, True)
    assert reserved(served) == ReservationsFact((ONE,), is_served=False)
    served.do(SetService(PACKAGE, running=True))
    await_it(served)
    assert subnet(served).is_persisted
    assert reserved(served) == ReservationsFact((ONE,))


def await_it(bench: MachineBench) -> None:
    """A service that was started does not answer yet."""
    for _ in range(200):
        if subnet(bench).is_served:
            return
    pytest.fail("it is not served")
