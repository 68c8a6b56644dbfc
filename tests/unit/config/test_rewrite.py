"""Documents written back: comments and order stay."""

from __future__ import annotations

import pytest

from reconciler.config.parse import parse
from reconciler.config.rewrite import document_text, with_items

HOSTS = """\
# our hosts
kind: Host
name: virt0
---
kind: Host   # the big one
name: virt1
pools:
  # fast
  - {name: default, size: 900 GiB, target: /pool}
memory: 64 GiB # bought 2019
"""
TANK = {"name": "tank", "size": "10 GiB", "type": "zfs", "target": "tank/vms"}


def test_items_are_added_and_all_else_stays() -> None:
    written = with_items(HOSTS, "Host", "virt1", "pools", [TANK])
    line = "  - {name: tank, size: 10 GiB, type: zfs, target: tank/vms}\n"
    assert written == HOSTS.replace("/pool}\n", f"/pool}}\n{line}")


def test_a_list_that_is_not_there_is_made() -> None:
    written = with_items(HOSTS, "Host", "virt0", "pools", [TANK])
    assert parse("x", written.encode())[0].value["pools"] == [TANK]
    assert "# bought 2019" in written


def test_a_document_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="Host virt9"):
        with_items(HOSTS, "Host", "virt9", "pools", [TANK])


def test_a_new_document_reads_back_as_it_was() -> None:
    document = {
        "kind": "VirtualMachine",
        "name": "web",
        "disks": [{"name": "root", "size": "8 GiB"}],
    }
    text = document_text(document, "../schemas/machine.json")
    assert text.splitlines() == [
        "# yaml-language-server: $schema=../schemas/machine.json",
        "kind: VirtualMachine",
        "name: web",
        "disks:",
        "  - {name: root, size: 8 GiB}",
    ]
    assert parse("x", text.encode())[0].value == document


@pytest.mark.parametrize("text", ["yes", "0x10", "1e3", "a: b", "# x", "null", "52:54:00:00:00:01"])
def test_texts_stay_texts(text: str) -> None:
    written = document_text({"kind": "Farm", "list": [{"name": text}]})
    assert parse("x", written.encode())[0].value["list"] == [{"name": text}]
