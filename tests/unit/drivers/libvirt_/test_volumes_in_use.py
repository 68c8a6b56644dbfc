"""Who uses a volume: nothing that some domain stands on is ever thrown away."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from reconciler.drivers.libvirt_.usage import Place, running_disk, users

PLACE = Place("default", "web-data", "/pools/default/web-data")
DISKS = {
    "volume": "<source pool='default' volume='web-data'/>",
    "file": "<source file='/pools/default/web-data'/>",
    "device": "<source dev='/pools/default/web-data'/>",
    "below an overlay": "<source file='/elsewhere/top'/><backingStore type='file'>"
    "<source file='/pools/default/web-data'/></backingStore>",
}
OTHERS = {
    "another pool": "<source pool='fast' volume='web-data'/>",
    "another file": "<source file='/pools/default/web-data2'/>",
    "nothing": "",
}


@dataclass
class Domain:
    """A domain whose stored and running definitions have one disk each, or none."""

    stored: str
    running: str = ""

    def name(self) -> str:
        return "web"

    def XMLDesc(self, flags: int) -> str:
        source = self.stored if flags else self.running or self.stored
        return (
            "<domain><devices><disk device='cdrom'>"
            f"{source}<target dev='sda'/></disk></devices></domain>"
        )


@dataclass
class Host:
    domains: list[Domain]

    def listAllDomains(self, _flags: int) -> list[Domain]:
        return self.domains


@pytest.mark.parametrize("source", DISKS.values(), ids=DISKS)
def test_a_disk_of_any_sort_is_a_use(source: str) -> None:
    domain = Domain(source)
    assert list(users(Host([domain]), PLACE)) == ["web"]
    assert running_disk(Host([domain]), PLACE) == (domain, "sda")


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
def test_what_is_only_called_alike_is_none(source: str) -> None:
    assert list(users(Host([Domain(source)]), PLACE)) == []
    assert running_disk(Host([Domain(source)]), PLACE) is None


def test_what_only_the_running_guest_has_is_a_use() -> None:
    domain = Domain(OTHERS["nothing"], DISKS["volume"])
    assert list(users(Host([domain]), PLACE)) == ["web"]


def test_names_that_xml_writes_otherwise_are_found_too() -> None:
    place = Place("default", "a&b", "/pools/default/a&b")
    domain = Domain("<source file='/pools/default/a&amp;b'/>")
    assert list(users(Host([domain]), place)) == ["web"]
