"""What is only of the interfaces of a simulated host: boots, and what only has files left."""

from __future__ import annotations

import pytest

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated import by_hand_base
from reconciler.drivers.simulated.base.boot import rebooted
from reconciler.drivers.simulated.base.links import link_fact, put_interface, remove_interface
from reconciler.drivers.simulated.base.state import Base, Link
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.errors import NotFound
from reconciler.ports.facts import Question
from reconciler.ports.network_acts import PutInterface, RemoveInterface
from reconciler.ports.network_facts import LinkFact, TextFile

FILE = TextFile("/etc/systemd/network/50-reconciler-br0.network", "x\n")
PUT = PutInterface("br0", "bridge", (FILE,), ("eth1",), addresses=("10.0.0.1/24",))


def test_a_boot_brings_back_what_files_set_up_and_nothing_else() -> None:
    base = put_interface(Base(), PUT)
    assert rebooted(base).links == base.links
    unwritten = put_interface(Base(), PutInterface("br0", "bridge", (), ("eth1",)))
    after = rebooted(unwritten).links
    assert "br0" not in after
    assert after["eth1"].master is None


def test_an_act_that_changes_nothing_leaves_the_very_base() -> None:
    base = put_interface(Base(), PUT)
    assert put_interface(base, PUT) is base
    gone = RemoveInterface("br0", "bridge", (FILE.path,))
    removed = remove_interface(base, gone)
    assert remove_interface(removed, gone) is removed


def test_only_files_are_left_of_what_was_deleted_by_hand() -> None:
    farm = SimulatedFarm(FarmState({"virt1": Host(2**30, base=put_interface(Base(), PUT))}))
    by_hand_base.remove_link(farm, "virt1", "br0")
    base = farm.state.hosts["virt1"].base
    question = Question("bridge", "br0", (FILE.path,))
    assert link_fact(base, question) == LinkFact("", is_up=False, files=(FILE,))
    assert link_fact(base, Question("bridge", "br0")) is None
    with pytest.raises(NotFound):
        by_hand_base.remove_link(farm, "virt1", "br0")


def test_an_address_moves_from_a_port_to_its_bridge() -> None:
    there = Base(links={"eth1": Link(addresses=("10.0.0.1/24", "10.0.9.1/24"))})
    links = put_interface(there, PUT).links
    assert (links["br0"].addresses, links["eth1"].addresses) == (
        ("10.0.0.1/24",),
        ("10.0.9.1/24",),
    )


def test_nothing_is_removed_that_a_vlan_lies_on() -> None:
    vlan = PutInterface("eth1.7", "vlan", (), parent="br0", vlan=7)
    base = put_interface(put_interface(Base(), PUT), vlan)
    gone = RemoveInterface("br0", "bridge", (FILE.path,))
    with pytest.raises(Refused, match=r"eth1\.7 would go with br0"):
        remove_interface(base, gone)
    removed = remove_interface(base, RemoveInterface("eth1.7", "vlan", ()))
    assert "br0" not in remove_interface(removed, gone).links
