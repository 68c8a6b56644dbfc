"""Real guests on networks of libvirt's own, and guests that are kept to their own addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.ports.hypervisor import GIVEN, Hypervisor, Interface, NewVolume, Seed
from reconciler.ports.libvirt_networks import NetworkDefinition
from reconciler.ports.network_facts import Reservation
from tests.system.driven import MIB, OWNER, POOL, driven, make_tiny
from tests.system.lab import Lab, LabHost, ask_guest, await_guest, eventually

OWN, OTHER = "10.213.8.77", "10.213.8.78"
OWN_MAC, OTHER_MAC = "52:54:00:00:00:4d", "52:54:00:00:00:4e"
NAT = NetworkDefinition(
    "natguests",
    str(uuid5(NAMESPACE_DNS, "natguests")),
    address="10.213.99.1/24",
    ranges=("10.213.99.100-10.213.99.120",),
    lease_seconds=3600,
    nameservers=("10.213.99.53",),  # the hosts' own name server has the port
)
KEPT = Reservation(OWN_MAC, "10.213.99.11", "production-web")
ASKS_FOR_ALL = Seed(
    "local-hostname: web\n", "#cloud-config\n", "{version: 2, ethernets: {eth0: {dhcp4: true}}}\n"
)
# What is written to a console reaches the guest only while somebody has it open.
TYPE = 'exec 3<>"$1"; sleep 1.5; printf "%s\\n" "$2" >&3; sleep 1.5'


@pytest.fixture
def farm(
    lab: Lab, virthost: LabHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealFarm]:
    del virthost
    state = tmp_path_factory.mktemp("state")
    with driven(lab, state, shutdown_deadline=timedelta(seconds=1)) as farm:
        yield farm


@pytest.fixture
def hypervisor(farm: RealFarm, virthost: LabHost) -> Iterator[Hypervisor]:
    hypervisor = farm.hypervisor(virthost.name)
    yield hypervisor
    virthost.clean()  # nobody is plugged in any more
    hypervisor.remove_network(NAT.name)


def type_at(host: LabHost, name: str, command: str) -> None:
    """Type a command at the console of a guest."""
    console = host.run("virsh", "ttyconsole", name).strip()
    host.run("bash", "-c", TYPE, "type", console, command)


def is_reached(address: str, *, tries: int = 4) -> bool:
    return any(ask_guest(address) is not None for _ in range(tries))


def test_a_guarded_guest_is_heard_from_its_own_addresses_only(
    lab: Lab, virthost: LabHost, hypervisor: Hypervisor
) -> None:
    guarded = Interface(OWN_MAC, "br-lan", guarded=OWN)
    web = make_tiny(lab, hypervisor, "web", OWN, interfaces=(guarded,))
    await_guest(OWN)
    type_at(virthost, "web", f"ip address add {OTHER}/24 dev eth0")
    assert not is_reached(OTHER)
    assert is_reached(OWN)
    for mac, is_heard in ((OTHER_MAC, False), (OWN_MAC, True)):
        type_at(
            virthost,
            "web",
            f"ip link set eth0 down; ip link set eth0 address {mac}; ip link set eth0 up",
        )
        assert is_reached(OWN) is is_heard, mac
    for guard, heard in ((OTHER, OTHER), (OWN, OWN)):
        plugs = (replace(guarded, guarded=guard),)
        hypervisor.define_domain(replace(web, interfaces=plugs), OWNER)
        hypervisor.adjust_guest("web")
        assert {each for each in (OWN, OTHER) if is_reached(each)} == {heard}
    open_ = (replace(guarded, guarded=None),)
    hypervisor.define_domain(replace(web, interfaces=open_), OWNER)
    hypervisor.adjust_guest("web")
    assert is_reached(OWN)
    assert is_reached(OTHER)
    (state,) = hypervisor.domains()
    assert state.guest is None
    assert "clean-traffic" not in virthost.run("virsh", "dumpxml", "web")


@pytest.mark.parametrize("guard", [None, GIVEN])
def test_a_guest_gets_exactly_the_address_that_is_kept_for_it(
    lab: Lab, virthost: LabHost, hypervisor: Hypervisor, guard: str | None
) -> None:
    hypervisor.define_network(NAT)
    hypervisor.reserve(NAT.name, "production", (KEPT,))
    plug = Interface(OWN_MAC, NAT.name, "libvirt", guarded=guard)
    make_guest_that_asks(lab, hypervisor, plug)
    told = eventually(lambda: ask_from(virthost, KEPT.address), within=timedelta(seconds=60))
    assert f"link.eth0={OWN_MAC} 1" in told
    leases = virthost.run("virsh", "net-dhcp-leases", NAT.name)
    assert f"{KEPT.address}/24" in leases
    assert "production-web" in leases
    assert hypervisor.networks()[-1].users == 1


def make_guest_that_asks(lab: Lab, hypervisor: Hypervisor, plug: Interface) -> None:
    """A tiny guest whose seed names no address."""
    definition = make_tiny(lab, hypervisor, "web", OWN, interfaces=(plug,))
    hypervisor.stop_domain("web")
    seed = NewVolume(POOL, "web-seed", "iso", MIB, seed=ASKS_FOR_ALL)
    hypervisor.write_seed(seed, OWNER)
    hypervisor.start_domain(definition.name)


def ask_from(host: LabHost, address: str) -> str | None:
    """What a guest tells its own host."""
    script = f"exec 3<>/dev/tcp/{address}/7 && timeout 5 cat <&3"
    done = host.attempt("timeout", "8", "bash", "-c", script)
    return done.stdout if done.code == 0 and "memory_kib" in done.stdout else None
