"""S30: a host's list of marks, its sizes and its words are read as if somebody had forged them."""

from __future__ import annotations

import json
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import translated
from reconciler.drivers.libvirt_.marks import decoded
from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.drivers.refusal import Refused
from reconciler.drivers.ssh.command import Result
from tests.unit.drivers.libvirt_.fakehost import libvirt_error

ODD = "a\x1b[2J\n\x9b31m\u202e::set-env name=PATH::x"


def listed(**owner: Any) -> bytes:
    whole = {"environment": "production", "name": "web-1-root", "digest": "", **owner}
    return json.dumps({"default/x": {"owner": whole}}).encode()


def test_the_usual_list_is_read() -> None:
    """Else the tests below would pass by refusing all."""
    assert decoded(listed(), "virt1")


@pytest.mark.parametrize("owner", [{"name": ""}, {"environment": ""}, {"name": "a" * 10_000}])
def test_an_owner_that_no_journal_can_tell_of_is_refused(owner: dict[str, str]) -> None:
    with pytest.raises(Refused):
        decoded(listed(**owner), "virt1")


def test_a_list_of_a_hundred_thousand_faults_is_refused_in_few_words() -> None:
    faults = json.dumps({f"default/{number}": {"x": 1} for number in range(100_000)}).encode()
    with pytest.raises(Refused) as caught:
        decoded(faults, "virt1")
    assert len(str(caught.value)) < 2000
    assert "99995 more" in str(caught.value)


def test_a_size_that_is_not_there_is_a_refusal() -> None:
    """Else the look at one host would end those at all others."""
    with pytest.raises(Refused):
        size_bytes(parse("<volume><name>x</name></volume>").find("capacity"), "bytes")


@pytest.mark.parametrize("error", [Refused(ODD * 10_000), libvirt_error(libvirt.VIR_ERR_NO_DOMAIN)])
def test_what_a_libvirt_says_is_told_on_one_short_line(error: Exception) -> None:
    if isinstance(error, libvirt.libvirtError):
        error.err = (*error.err[:2], ODD * 10_000, *error.err[3:])
    told = str(translated("virt2", "look", error))
    assert len(told) < 2000
    assert told.isprintable()


def test_what_a_command_complains_of_is_told_on_one_short_line() -> None:
    complaint = Result(1, b"", (ODD * 1000).encode()).complaint
    assert len(complaint) < 5000
    assert complaint.isprintable()
