"""The real hosts: a driver each, and no name server yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.hosts import Hosts
from reconciler.errors import NotFound


def test_a_host_is_asked_through_one_kept_driver(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)
    assert hosts.hypervisor("virt1") is hosts.hypervisor("virt1")
    assert hosts.hypervisor("virt1") is not hosts.hypervisor("virt2")


def test_there_is_no_driver_for_name_servers_and_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no driver for real name servers yet"):
        Hosts(tmp_path).nameserver("ns")
