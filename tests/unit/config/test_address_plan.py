"""The plan of a network: who has what, what is free, and what is nobody's to have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from reconciler.config.address_plan import AddressPlan, address_plans, taken
from reconciler.config.repository import Documents
from tests.farms.repository import FARM, documents

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = (
    "partitions:\n  - {name: hosts, range: 192.168.1.16/28, purpose: hosts}\n"
    "  - {name: machines, range: 192.168.1.128/28, purpose: machines}\n"
)
LAN = {"networks.yaml": FARM["networks.yaml"] + PLAN}


def plans(*every: Documents, past: dict[str, datetime] | None = None) -> tuple[AddressPlan, ...]:
    given_up = {IPv4Address(ip): when for ip, when in (past or {}).items()}
    return address_plans(every, taken(every, given_up, NOW))


def test_owners_are_in_their_partitions_or_in_none() -> None:
    (plan,) = plans(documents(LAN))
    hosts, machines = plan.partitions
    assert [each.owner.called for each in hosts.claimed] == ["host virt1"]
    assert [each.owner.called for each in machines.claimed] == ["machine web-1"]
    assert [each.owner.called for each in plan.elsewhere] == ["gateway lan"]
    assert (machines.usable.size, machines.free) == (14, 13)
    assert str(machines.next_free) == "192.168.1.130"
    assert machines.kept == ()


def test_what_is_used_is_not_in_quarantine_and_what_is_old_is_free() -> None:
    past = {"192.168.1.129": NOW, "192.168.1.130": NOW, "192.168.1.131": NOW - timedelta(days=30)}
    (plan,) = plans(documents(LAN), past=past)
    machines = plan.partitions[1]
    assert list(map(str, machines.quarantined)) == ["192.168.1.130"]
    assert (machines.free, str(machines.next_free)) == (12, "192.168.1.131")


def test_a_network_of_several_environments_is_there_once_with_the_machines_of_all() -> None:
    other = "kind: VirtualMachine\nname: x\nmemory: 1 GiB\nnetworks:\n"
    other += "  - {network: lan, address: 192.168.1.140}\n"
    staging = {"vms/web-1.yaml": "", "environments/staging/x.yaml": other}
    (plan,) = plans(documents(LAN), documents({**LAN, **staging}, "staging"))
    assert plan.environments == ("production", "staging")
    assert [(each.owner.name, each.environments) for each in plan.partitions[1].claimed] == [
        ("web-1", ("production",)),
        ("x", ("staging",)),
    ]
    assert plan.partitions[0].claimed[0].environments == ("production", "staging")
