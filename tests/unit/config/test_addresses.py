"""Ranges, and what is free in them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from reconciler.config.addresses import (
    Range,
    lowest_free,
    partition_at,
    pools,
    range_of,
    source_of,
    usable,
)
from reconciler.config.documents import AttachmentField
from reconciler.config.networks import Network, PartitionField

MACHINES = PartitionField(name="machines", range="10.0.0.128/25", purpose="machines")
SERVICES = PartitionField(name="services", range="10.0.0.16/28", purpose="services")
PEOPLE = PartitionField(name="people", range="10.0.0.64-10.0.0.99", purpose="dynamic")
HOSTS = PartitionField(name="hosts", range="10.0.0.0/28", purpose="hosts")


def network(*partitions: PartitionField, **more: Any) -> Network:
    written = {"kind": "Network", "name": "lan", "subnet": "10.0.0.0/24", "bridge": "br-lan"}
    return Network.model_validate({**written, "partitions": partitions, **more})


def ends(range_: Range) -> str:
    return f"{range_.first}-{range_.last}"


@pytest.mark.parametrize(
    ("written", "may_have", "size"),
    [
        ("10.0.0.0/28", "10.0.0.1-10.0.0.14", 14),
        ("10.0.0.16/28", "10.0.0.17-10.0.0.30", 14),
        ("10.0.0.128/25", "10.0.0.129-10.0.0.254", 126),
        ("10.0.0.30-10.0.0.250", "10.0.0.30-10.0.0.250", 221),
        ("10.0.0.0-10.0.0.9", "10.0.0.1-10.0.0.9", 9),
        ("10.0.0.9-10.0.0.255", "10.0.0.9-10.0.0.254", 246),
        ("10.0.0.7/32", "10.0.0.7-10.0.0.7", 1),
        ("10.0.0.8/31", "10.0.0.8-10.0.0.9", 2),
        ("10.0.0.8/30", "10.0.0.9-10.0.0.10", 2),
    ],
)
def test_the_edges_of_a_network_are_nobodys(written: str, may_have: str, size: int) -> None:
    partition = PartitionField(name="a", range=written, purpose="machines")
    found = usable(network(partition), partition)
    assert (ends(found), found.size) == (may_have, size)


def test_a_network_that_is_one_partition_has_its_edges_once() -> None:
    whole = PartitionField(name="a", range="10.0.0.0/24", purpose="machines")
    assert ends(usable(network(whole), whole)) == "10.0.0.1-10.0.0.254"


def test_a_range_holds_its_ends_and_no_address_of_ipv6() -> None:
    people = range_of(PEOPLE)
    assert people.first in people
    assert people.last in people
    assert people.last + 1 not in people
    assert IPv6Address("::ffff:10.0.0.70") not in people


def test_the_lowest_address_that_is_not_taken() -> None:
    among = Range(IPv4Address("10.0.0.5"), IPv4Address("10.0.0.7"))
    taken = {IPv4Address("10.0.0.5"), IPv4Address("10.0.0.7")}
    assert lowest_free(among, set()) == IPv4Address("10.0.0.5")
    assert lowest_free(among, taken) == IPv4Address("10.0.0.6")
    assert lowest_free(among, {*taken, IPv4Address("10.0.0.6")}) is None


def test_the_last_address_of_all_has_none_after_it() -> None:
    last = IPv4Address("255.255.255.255")
    assert lowest_free(Range(last, last), {last}) is None


def test_the_partition_of_an_address() -> None:
    lan = network(HOSTS, MACHINES)
    assert partition_at(lan, IPv4Address("10.0.0.14")) == HOSTS
    assert partition_at(lan, IPv4Address("10.0.0.128")) == MACHINES
    assert partition_at(lan, IPv4Address("10.0.0.127")) is None


@pytest.mark.parametrize(
    ("partitions", "named", "source"),
    [
        ((HOSTS, SERVICES, PEOPLE, MACHINES), None, "machines"),
        ((HOSTS, SERVICES, PEOPLE, MACHINES), "services", "services"),
        ((HOSTS, SERVICES, PEOPLE, MACHINES), "people", None),
        ((HOSTS, SERVICES, PEOPLE), None, None),
        ((HOSTS, SERVICES), None, "services"),
        ((HOSTS,), None, None),
        ((), None, None),
    ],
)
def test_where_the_address_of_a_machine_comes_from(
    partitions: tuple[PartitionField, ...], named: str | None, source: str | None
) -> None:
    found = source_of(network(*partitions), AttachmentField(network="lan", partition=named))
    assert (found.name if found else None) == source


def test_dhcp_gives_out_the_dynamic_partitions() -> None:
    assert [ends(each) for each in pools(network(MACHINES, PEOPLE))] == ["10.0.0.64-10.0.0.99"]
