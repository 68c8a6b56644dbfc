"""What a domain needs and claims, and which operations make, change and remove it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.kinds.domain import DomainKind, DomainSpec
from reconciler.kinds.domain_operations import DefineDomain, MarkDomain
from reconciler.kinds.protocol import Operation
from reconciler.kinds.volume import VolumeKind
from reconciler.model.address import Address, Scope
from reconciler.model.change import FieldChange
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, Interface
from tests.farms.specs import GIB, domain_spec, simulated_farm, volume_spec

KIND = DomainKind()
OWNER = Owner("production", "web-1", "d" * 16)
SEEN = domain_spec()
DATA = Disk("data", "default", "production-web-1-data")
DMZ = Interface("52:54:00:00:00:01", "br-dmz")


def in_words(operations: tuple[Operation, ...]) -> list[str]:
    return [str(operation) for operation in operations]


def update(desired: DomainSpec, observed: DomainSpec = SEEN) -> list[str]:
    return in_words(KIND.update(desired, observed, KIND.diff(desired, observed), OWNER))


WEB = Address("domain", "web-1")


def test_a_domain_needs_the_volumes_of_its_disks() -> None:
    spec = domain_spec(disks=(*SEEN.disks, DATA), interfaces=())
    assert KIND.needs(WEB, spec) == {
        Address("volume", "web-1-root"),
        Address("volume", "web-1-data"),
    }


@pytest.mark.parametrize(
    ("switch", "kinds"),
    [
        ("linux", {"bridge"}),
        ("openvswitch", {"switch", "tunnel"}),
        ("libvirt", {"libvirt_network"}),
    ],
)
def test_a_domain_needs_what_it_is_plugged_into_on_its_host(switch: Any, kinds: set[str]) -> None:
    spec = domain_spec(disks=(), interfaces=(Interface("52:54:00:00:00:01", "br-lan", switch),))
    assert KIND.needs(WEB, spec) == {Address(kind, "br-lan", spec.host) for kind in kinds}
    assert KIND.needs(WEB, replace(spec, host=None)) == set()


def test_a_domain_needs_its_reservations_on_the_servers_and_on_its_own_host() -> None:
    kept = (Address("reservations", "lan.production", "dhcp1"), Address("libvirt_x", "nat0.p"))
    spec = domain_spec(host="virt7", disks=(), interfaces=(), networks=kept)
    assert KIND.needs(WEB, spec) == {kept[0], replace(kept[1], host="virt7")}


def test_a_guard_that_is_not_wanted_any_more_is_a_difference() -> None:
    plain = Interface("52:54:00:00:00:01", "br-lan")
    guarded = replace(plain, guarded="10.0.0.9")
    open_, closed = domain_spec(interfaces=(plain,)), domain_spec(interfaces=(guarded,))
    key = "interfaces.52:54:00:00:00:01.guarded"
    assert [change.path for change in KIND.diff(closed, open_)] == [key]
    assert [change.path for change in KIND.diff(open_, closed)] == [key]
    assert KIND.diff(closed, closed) == ()


def test_a_guard_comes_and_goes_while_the_guest_runs() -> None:
    plain = Interface("52:54:00:00:00:01", "br-lan")
    guarded = replace(plain, guarded="10.0.0.9")
    for before, after in ((plain, guarded), (guarded, plain)):
        observed = domain_spec(interfaces=(before,))
        told = update(domain_spec(interfaces=(after,)), observed)
        name = observed.libvirt_name
        key = "interfaces.52:54:00:00:00:01.guarded"
        assert f"change {key} of the running {name} on virt1" in told


def test_a_domain_claims_its_name_its_uuid_and_its_hardware_addresses() -> None:
    mac = SEEN.interfaces[0].mac
    claims = {"domain virt1/production-web-1", f"uuid {SEEN.uuid}", f"mac {mac}"}
    assert KIND.claims(SEEN) == claims


def test_a_domain_is_the_same_as_long_as_its_uuid_is() -> None:
    assert KIND.identity(replace(SEEN, host="virt2", libvirt_name="x")) == KIND.identity(SEEN)
    assert KIND.identity(domain_spec("web-2")) != KIND.identity(SEEN)


def test_domains_may_be_on_every_host() -> None:
    scopes = {Scope("host", "virt1"), Scope("host", "virt2")}
    assert KIND.scopes([SEEN], ["virt1", "virt2"]) == scopes


def test_a_zone_holds_no_domains() -> None:
    assert not list(KIND.observe(Scope("zone", "farm", "ns1"), simulated_farm()))


def test_a_new_domain_is_marked_as_finished_last() -> None:
    assert in_words(KIND.create(SEEN, OWNER)) == [
        "define domain production-web-1 on virt1",
        "enable autostart of production-web-1 on virt1",
        "start domain production-web-1 on virt1",
        "mark domain production-web-1 on virt1",
    ]
    define = KIND.create(SEEN, OWNER)[0]
    assert isinstance(define, DefineDomain)
    assert define.owner == OWNER.unfinished


def test_a_new_domain_that_is_off_is_only_defined() -> None:
    spec = domain_spec(running=False, autostart=False)
    assert in_words(KIND.create(spec, OWNER)) == [
        "define domain production-web-1 on virt1",
        "mark domain production-web-1 on virt1",
    ]


UPDATES: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "less memory is taken live",
        {"memory_bytes": GIB},
        ["define domain {} on virt1", "change memory_bytes of the running {} on virt1"],
    ),
    (
        "a disk and an interface are plugged in",
        {"disks": (*SEEN.disks, DATA), "interfaces": (*SEEN.interfaces, DMZ)},
        [
            "define domain {} on virt1",
            "change disks.data, interfaces.52:54:00:00:00:01 of the running {} on virt1",
        ],
    ),
    (
        "what can be live is, and the rest waits for a person",
        {"memory_bytes": GIB, "vcpus": 4, "pending_restart": None},
        ["define domain {} on virt1", "change memory_bytes of the running {} on virt1"],
    ),
    (
        "more memory waits for a restart",
        {"memory_bytes": 4 * GIB},
        ["define domain {} on virt1", "shut down domain {} on virt1", "start domain {} on virt1"],
    ),
    (
        "less memory and more processors are one restart",
        {"memory_bytes": GIB, "vcpus": 4},
        ["define domain {} on virt1", "shut down domain {} on virt1", "start domain {} on virt1"],
    ),
    ("it is switched off", {"running": False}, ["shut down domain {} on virt1"]),
    (
        "it is changed and switched off",
        {"running": False, "vcpus": 4},
        ["define domain {} on virt1", "shut down domain {} on virt1"],
    ),
    ("autostart goes", {"autostart": False}, ["disable autostart of {} on virt1"]),
    ("it moves", {"host": "virt2"}, ["migrate domain {} from virt1 to virt2"]),
    (
        "it moves and changes there",
        {"host": "virt2", "vcpus": 4},
        [
            "migrate domain {} from virt1 to virt2",
            "define domain {} on virt2",
            "shut down domain {} on virt2",
            "start domain {} on virt2",
        ],
    ),
    (
        "it moves to where there is no acceleration",
        {"host": "virt2", "accelerator": "qemu"},
        [
            "shut down domain {} on virt1",
            "define domain {} on virt1",
            "migrate domain {} from virt1 to virt2",
            "define domain {} on virt2",
            "start domain {} on virt2",
        ],
    ),
    (
        "a change that a person restarts it for",
        {"vcpus": 4, "pending_restart": None},
        ["define domain {} on virt1"],
    ),
]


@pytest.mark.parametrize(
    ("fields", "steps"), [each[1:] for each in UPDATES], ids=[each[0] for each in UPDATES]
)
def test_update(fields: dict[str, Any], steps: list[str]) -> None:
    name = "production-web-1"
    expected = [step.format(name) for step in steps]
    host = fields.get("host", "virt1")
    assert update(replace(SEEN, **fields)) == [*expected, f"mark domain {name} on {host}"]


@pytest.mark.parametrize(
    "fields", [{"vcpus": 4}, {"host": "virt2", "accelerator": "qemu"}, {"uuid": "0" * 36}]
)
def test_a_domain_that_is_being_changed_is_marked_as_unfinished(fields: dict[str, Any]) -> None:
    """Who finds it half changed must not take it for drift."""
    desired = replace(SEEN, **fields)
    steps = KIND.update(desired, SEEN, KIND.diff(desired, SEEN), OWNER)
    owners = [step.owner for step in steps if isinstance(step, DefineDomain)]
    assert owners == [OWNER.unfinished] * len(owners) != []
    assert steps[-1] == MarkDomain(str(desired.host), desired.libvirt_name, OWNER)


def test_a_domain_that_is_off_is_changed_without_a_restart() -> None:
    off = replace(SEEN, running=False)
    assert update(replace(off, vcpus=4), off) == [
        "define domain production-web-1 on virt1",
        "mark domain production-web-1 on virt1",
    ]


def test_a_domain_that_is_off_and_should_run_is_only_started() -> None:
    steps = update(replace(SEEN, vcpus=4), replace(SEEN, running=False))
    assert "shut down domain production-web-1 on virt1" not in steps
    assert "start domain production-web-1 on virt1" in steps


def test_a_guest_that_waits_for_a_restart_gets_it() -> None:
    waiting = replace(SEEN, pending_restart=True)
    assert [each.path for each in KIND.diff(SEEN, waiting)] == ["pending_restart"]
    assert update(SEEN, waiting) == [
        "shut down domain production-web-1 on virt1",
        "start domain production-web-1 on virt1",
        "mark domain production-web-1 on virt1",
    ]


@pytest.mark.parametrize("fields", [{"pending_restart": None}, {"running": False}])
def test_a_guest_that_a_person_restarts_or_that_is_off_waits_unnoticed(
    fields: dict[str, Any],
) -> None:
    desired = replace(SEEN, **fields)
    waiting = replace(SEEN, pending_restart=True, running=desired.running)
    assert KIND.diff(desired, waiting) == ()


@pytest.mark.parametrize("identity", [{"libvirt_name": "old-web"}, {"uuid": "0" * 36}])
def test_a_domain_with_another_identity_is_defined_anew(identity: dict[str, Any]) -> None:
    steps = update(SEEN, replace(SEEN, **identity))
    name = identity.get("libvirt_name", "production-web-1")
    assert steps[:3] == [
        f"shut down domain {name} on virt1",
        f"undefine domain {name} on virt1",
        "define domain production-web-1 on virt1",
    ]


def test_a_domain_is_stopped_before_it_is_forgotten() -> None:
    assert in_words(KIND.delete(SEEN, OWNER)) == [
        "shut down domain production-web-1 on virt1",
        "undefine domain production-web-1 on virt1",
    ]
    assert in_words(KIND.delete(replace(SEEN, running=False), OWNER)) == [
        "undefine domain production-web-1 on virt1"
    ]


def test_a_mark_is_replaced_where_the_domain_is() -> None:
    assert in_words(KIND.mark(SEEN, OWNER)) == ["mark domain production-web-1 on virt1"]


def test_the_order_of_disks_and_interfaces_counts() -> None:
    lan = SEEN.interfaces[0]
    one = replace(SEEN, disks=(*SEEN.disks, DATA), interfaces=(lan, DMZ))
    other = replace(SEEN, disks=(DATA, *SEEN.disks), interfaces=(DMZ, lan))
    assert KIND.diff(other, one) == (
        FieldChange("disks", ["root", "data"], ["data", "root"]),
        FieldChange("interfaces", [lan.mac, DMZ.mac], [DMZ.mac, lan.mac]),
    )
    assert update(other, one)[0] == "define domain production-web-1 on virt1"


def test_a_disk_more_is_no_other_order() -> None:
    more = replace(SEEN, disks=(DATA, *SEEN.disks))
    assert [each.path for each in KIND.diff(more, SEEN)] == ["disks.data"]


def test_a_domain_without_a_disk_that_was_taken_is_off() -> None:
    spec = replace(SEEN, disks=(*SEEN.disks, DATA), pending_restart=True)
    lost = frozenset({Address("volume", "web-1-data")})
    assert KIND.without(Address("domain", "web-1"), spec, lost) == replace(SEEN, running=False)


def test_a_disk_that_is_gone_is_taken_out_of_the_definition() -> None:
    spec = replace(SEEN, disks=(*SEEN.disks, DATA))
    lost = frozenset({Address("volume", "web-1-data")})
    assert in_words(KIND.release(Address("domain", "web-1"), spec, lost, OWNER)) == [
        "take volume production-web-1-data on virt1 from the domain that uses it"
    ]


@pytest.mark.parametrize("fields", [{"host": None}, {"accelerator": None}])
def test_what_was_never_placed_cannot_be_made(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="production-web-1 was never placed on a host"):
        KIND.create(replace(SEEN, **fields), OWNER)


def test_a_domain_is_seen_as_it_was_made() -> None:
    (found,) = KIND.observe(Scope("host", "virt1"), farm_with_machine())
    assert KIND.diff(SEEN, found.spec) == ()
    assert found.spec.vcpus_maximum == SEEN.vcpus
    assert found.owner == OWNER
    assert found.address == Address("domain", "web-1")


def test_a_domain_of_nobody_is_addressed_by_where_it_is() -> None:
    farm = farm_with_machine()
    by_hand.strip_mark(farm, "virt1", "production-web-1")
    (found,) = KIND.observe(Scope("host", "virt1"), farm)
    assert found.owner is None
    assert found.address == Address("domain", "production-web-1", "virt1")


def farm_with_machine() -> SimulatedFarm:
    farm = simulated_farm()
    for step in (*VolumeKind().create(volume_spec(), OWNER), *KIND.create(SEEN, OWNER)):
        step.run(farm)
    return farm
