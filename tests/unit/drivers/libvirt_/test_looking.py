"""What is seen of domains that are on their way: paused, arriving, gone."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.errors import Denied, Unreachable
from reconciler.ports.hypervisor import DomainState
from tests.unit.drivers.libvirt_.stores import storage_of

XML = """<domain type="kvm"><name>web</name><uuid>6af613b6-569c-5c22-9c37-2ed93f31d3af</uuid>
  <memory>1024</memory><devices/></domain>"""
INCOMING = {"operation": libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN}
OUTGOING = {"operation": libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT}


class Domain:
    """A domain that is paused, as libvirt-python gives it. Also the connection that lists it."""

    def __init__(self, reason: int, job: dict[str, int] | None = None) -> None:
        self.reason = reason
        self.job = job or {}
        self.xml_error: Exception | None = None
        self.job_error: Exception | None = None
        self.others: list[Domain] = []

    def listAllDomains(self, flags: int) -> list[Domain]:
        snapshots = libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT
        return [] if flags & snapshots else [self, *self.others]

    def UUIDString(self) -> str:
        return "6af613b6-569c-5c22-9c37-2ed93f31d3af"

    def XMLDesc(self, _flags: int) -> str:
        if self.xml_error is not None:
            raise self.xml_error
        return XML

    def state(self, _flags: int) -> tuple[int, int]:
        return libvirt.VIR_DOMAIN_PAUSED, self.reason

    def jobStats(self, _flags: int) -> dict[str, Any]:
        if self.job_error is not None:
            raise self.job_error
        return self.job

    def close(self) -> None:
        return None


def look(domain: Domain) -> tuple[DomainState, ...]:
    connection = LibvirtConnection("virt1", "test:///default", opener=lambda _uri: domain)
    patience = Patience(sleep=lambda _seconds: None, monotonic=lambda: 0.0)
    port = LibvirtHypervisor(connection, storage_of(), patience, domain_types={"kvm": "kvm"})
    try:
        return port.domains()
    finally:
        port.close()


@pytest.mark.parametrize(
    "reason", [libvirt.VIR_DOMAIN_PAUSED_USER, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
)
def test_a_guest_that_stands_still_does_not_run(reason: int) -> None:
    (seen,) = look(Domain(reason))
    assert (seen.running, seen.arriving) == (False, False)


@pytest.mark.parametrize(
    "reason", [libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT, libvirt.VIR_DOMAIN_PAUSED_SAVE]
)
def test_a_guest_that_goes_on_by_itself_runs(reason: int) -> None:
    (seen,) = look(Domain(reason))
    assert seen.running


@pytest.mark.parametrize(("job", "arriving"), [(INCOMING, True), (OUTGOING, False), ({}, False)])
def test_a_guest_that_waits_for_its_memory_is_arriving(job: dict[str, int], arriving: bool) -> None:
    (seen,) = look(Domain(libvirt.VIR_DOMAIN_PAUSED_MIGRATION, job))
    assert (seen.running, seen.arriving) == (False, arriving)


def test_a_job_that_is_only_told_of_on_the_other_host_is_an_arrival() -> None:
    """As libvirt 9.0 has it, the message being that statistics are available only there."""
    domain = Domain(libvirt.VIR_DOMAIN_PAUSED_MIGRATION)
    domain.job_error = error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, libvirt.VIR_FROM_QEMU)
    (seen,) = look(domain)
    assert (seen.running, seen.arriving) == (False, True)


def test_a_job_that_cannot_be_asked_for_fails_the_look() -> None:
    domain = Domain(libvirt.VIR_DOMAIN_PAUSED_MIGRATION)
    domain.job_error = error(libvirt.VIR_ERR_ACCESS_DENIED, libvirt.VIR_FROM_QEMU)
    with pytest.raises(Denied):
        look(domain)


def test_a_domain_that_went_away_since_the_list_was_made_is_left_out() -> None:
    domain = Domain(libvirt.VIR_DOMAIN_PAUSED_USER)
    domain.xml_error = error(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU)
    domain.others = [Domain(libvirt.VIR_DOMAIN_PAUSED_USER)]
    assert [each.definition.name for each in look(domain)] == ["web"]


def test_a_connection_that_was_lost_in_the_middle_fails_the_look() -> None:
    domain = Domain(libvirt.VIR_DOMAIN_PAUSED_USER)
    domain.xml_error = error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
    with pytest.raises(Unreachable):
        look(domain)


def error(code: int, origin: int) -> libvirt.libvirtError:
    made = libvirt.libvirtError("it failed")
    made.err = (code, origin, "it failed", 2, None, None, None, -1, -1)
    return made
