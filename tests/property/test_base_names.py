"""Names in addresses of what is on a host: one for each thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.base.kind import name_of
from reconciler.model.address import Address

PARTS = st.text(alphabet="a-%2d5.", min_size=1, max_size=4)
PATHS = st.lists(PARTS, max_size=3).map(lambda parts: "/" + "/".join(parts))

NAMES = st.text(alphabet="a-%2df5./", min_size=1, max_size=5).filter(lambda n: n[0] != "/")


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        ("/etc/ntp.conf", "etc-ntp.conf"),
        ("/etc/apt/my-list", "etc-apt-my--list"),
        ("openssh-server", "openssh-server"),
        ("net/ipv4", "net%2fipv4"),
        ("/a-/b", "a---b"),
        ("/a/-b", "a-%2db"),
        ("/", "-"),
        ("/root", "root"),
    ],
)
def test_names_can_be_read(thing: str, name: str) -> None:
    assert name_of(thing) == name


@given(NAMES, NAMES)
def test_no_two_names_that_are_no_paths_have_one_name(one: str, other: str) -> None:
    assert (name_of(one) == name_of(other)) is (one == other)


@given(PATHS, PATHS)
def test_no_two_paths_have_one_name(one: str, other: str) -> None:
    assert (name_of(one) == name_of(other)) is (one == other)


@given(PATHS)
def test_a_name_stands_in_an_address(path: str) -> None:
    address = Address("file", name_of(path), "virt1")
    assert Address.parse(str(address)) == address
