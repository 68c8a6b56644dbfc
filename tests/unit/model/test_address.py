from __future__ import annotations

import pytest

from reconciler.model.address import Address, Scope


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("domain", "web-1"), "domain/web-1"),
        (Address("file", "etc-ntp.conf", "virt1"), "file@virt1/etc-ntp.conf"),
        (Address("volume", "default/old", "virt1"), "volume@virt1/default/old"),
    ],
)
def test_an_address_reads_back_as_it_is_written(address: Address, text: str) -> None:
    assert str(address) == text
    assert Address.parse(text) == address


@pytest.mark.parametrize("text", ["", "domain", "domain/", "/web-1", "domain@/web-1", "@virt1/x"])
def test_what_is_no_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address; write kind/name"):
        Address.parse(text)


def test_a_scope_locks_the_machine_that_answers_for_it() -> None:
    assert Scope("host", "virt1").lock == "virt1"
    assert Scope("zone", "farm.internal", "ns1").lock == "ns1"


def test_a_scope_is_written_with_its_server() -> None:
    assert str(Scope("host", "virt1")) == "host/virt1"
    assert str(Scope("zone", "farm.internal", "ns1")) == "zone/farm.internal@ns1"


def test_addresses_are_sorted_with_and_without_a_host() -> None:
    free, fixed, other = Address("zone", "a"), Address("zone", "a", "ns1"), Address("domain", "z")
    assert sorted([fixed, free, other]) == [other, free, fixed]
