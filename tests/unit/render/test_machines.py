"""A VirtualMachine document becomes volumes and a domain."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import Disk, ImageSource
from reconciler.render.identity import host_name, machine_mac, machine_uuid
from reconciler.render.render import render
from tests.farms.repository import FARM, documents
from tests.farms.specs import GIB

WEB = FARM["vms/web-1.yaml"]


def rendered(text: str = WEB, environment: str = "production") -> dict[str, Desired[Any]]:
    return {
        str(each.address): each for each in render(documents({"vms/web-1.yaml": text}, environment))
    }


def domain(text: str = WEB, environment: str = "production") -> DomainSpec:
    spec = rendered(text, environment)["domain/web-1"].spec
    assert isinstance(spec, DomainSpec)
    return spec


def volume(name: str, text: str = WEB) -> VolumeSpec:
    spec = rendered(text)[f"volume/{name}"].spec
    assert isinstance(spec, VolumeSpec)
    return spec


def test_everything_follows_from_the_name() -> None:
    spec = domain()
    assert spec.libvirt_name == "production-web-1"
    assert spec.uuid == machine_uuid("production", "web-1")
    assert [each.mac for each in spec.interfaces] == [machine_mac("production", "web-1", "lan")]
    assert spec.disks == (
        Disk("root", "default", "production-web-1-root"),
        Disk("data", "default", "production-web-1-data"),
    )


def test_a_machine_is_not_placed_yet() -> None:
    assert (domain().host, domain().accelerator, volume("web-1-root").host) == (None, None, None)
    assert domain(f"{WEB}host: virt1\n").host == "virt1"
    assert volume("web-1-root", f"{WEB}host: virt1\n").host == "virt1"


def test_only_the_root_disk_is_made_from_the_image() -> None:
    url = "https://images.example/debian-12.qcow2"
    image = ImageSource("debian-12", url, "ab" * 32)
    root = VolumeSpec(None, "default", "production-web-1-root", "qcow2", 16 * GIB, image=image)
    data = VolumeSpec(None, "default", "production-web-1-data", "raw", 8 * GIB)
    assert (volume("web-1-root"), volume("web-1-root").image) == (root, image)
    assert (volume("web-1-data"), volume("web-1-data").image) == (data, None)


def test_without_an_image_the_root_disk_is_empty() -> None:
    assert volume("web-1-root", WEB.replace("image: debian-12\n", "")).image is None


def test_who_restarts_it_is_said_in_the_document() -> None:
    assert domain().pending_restart is False
    assert domain(f"{WEB}restart: manual\n").pending_restart is None


def test_a_machine_may_be_off() -> None:
    spec = domain(f"{WEB}running: false\nautostart: false\n")
    assert (spec.running, spec.autostart) == (False, False)


def test_names_on_the_host_and_hardware_addresses_may_be_given() -> None:
    text = WEB.replace("address: 192", "mac: '52:54:00:00:00:01', address: 192")
    spec = domain(f"{text}libvirt_name: intranet\n")
    assert spec.libvirt_name == "intranet"
    assert [each.mac for each in spec.interfaces] == ["52:54:00:00:00:01"]


def test_a_renamed_machine_keeps_all_that_its_old_name_gave_it() -> None:
    before = rendered()
    renamed = WEB.replace("name: web-1", "name: shop\nrenamed_from: web-1")
    after = rendered(renamed)
    for kind, old, new in [
        ("domain", "web-1", "shop"),
        ("volume", "web-1-root", "shop-root"),
        ("volume", "web-1-data", "shop-data"),
    ]:
        was, now = before[f"{kind}/{old}"], after[f"{kind}/{new}"]
        assert now.spec == was.spec
        assert now.formerly == was.address


def test_a_resource_knows_where_it_is_written() -> None:
    found = rendered()
    assert found["domain/web-1"].position == Position("vms/web-1.yaml", 1, 1)
    assert found["volume/web-1-data"].position == Position("vms/web-1.yaml", 8, 5)
    assert found["domain/web-1"].formerly is None


def test_nothing_of_one_environment_is_the_same_in_another() -> None:
    here, there = domain(), domain(environment="staging")
    assert here.uuid != there.uuid
    assert here.libvirt_name != there.libvirt_name
    assert not {*here.disks} & {*there.disks}
    assert not {*here.interfaces} & {*there.interfaces}


def test_identities_are_the_same_for_ever() -> None:
    assert machine_uuid("production", "web-1") == "1b4337bd-5460-5b0e-890f-6b5a2531b413"
    assert machine_mac("production", "web-1", "lan") == "52:54:00:ca:0e:88"
    assert machine_mac("production", "web-1", "dmz") != machine_mac("production", "web-1", "lan")
    assert host_name("production", "web-1-root") == "production-web-1-root"


def test_the_address_of_a_machine_is_the_name_in_its_document() -> None:
    assert Address("domain", "web-1") in {each.address for each in rendered().values()}


def test_a_field_of_a_machine_knows_where_it_is_written() -> None:
    locate = rendered()["domain/web-1"].locate
    assert locate is not None
    places = {path: locate(path) for path in ("vcpus", "memory_bytes", "disks.data.pool")}
    assert {path: place.line for path, place in places.items()} == {
        "vcpus": 4,
        "memory_bytes": 5,
        "disks.data.pool": 8,
    }
