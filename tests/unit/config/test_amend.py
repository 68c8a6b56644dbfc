"""Values that are put into documents people wrote: nothing else of the file changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.amend import Amendment, amended, without_document
from reconciler.config.parse import parse

WEB, VIRT = ("VirtualMachine", "web-1"), ("Host", "virt1")
TEXT = """\
# head
kind: VirtualMachine
name: web-1   # the first
cpus: 2 # enough
disks:
  # data
  - {name: data, size: 8 GiB}   # big
networks:
  - network: lan
    address: 192.168.1.129
---
kind: Host
name: virt1
files:
- path: /etc/ntp.conf
  content: |
    a
    b
  mode: '0644'
users:
- name: ada
  groups: [a, b]  # two
"""


def lines_of(document: tuple[str, str], path: tuple[str, ...], value: Any) -> list[str]:
    """What goes and what comes, line by line."""
    after = amended(TEXT, [Amendment(document, path, value)])
    old, new = TEXT.splitlines(), after.splitlines()
    gone = [f"-{line}" for line in old if line not in new]
    return gone + [f"+{line}" for line in new if line not in old]


@pytest.mark.parametrize(
    ("document", "path", "value", "expected"),
    [
        (WEB, ("cpus",), 4, ["-cpus: 2 # enough", "+cpus: 4 # enough"]),
        (
            WEB,
            ("disks", "data", "size"),
            "12 GiB",
            ["-  - {name: data, size: 8 GiB}   # big", "+  - {name: data, size: 12 GiB}   # big"],
        ),
        (WEB, ("memory",), "3 GiB", ["+memory: 3 GiB"]),
        (WEB, ("networks", "lan", "link"), "down", ["+    link: down"]),
        (VIRT, ("files", "/etc/ntp.conf", "content"), "a\nc\n", ["-    b", "+    c"]),
        (VIRT, ("files", "/etc/ntp.conf", "mode"), "0600", ["-  mode: '0644'", "+  mode: '0600'"]),
        (
            VIRT,
            ("users", "ada", "groups"),
            ["a", "c"],
            ["-  groups: [a, b]  # two", "+  groups: [a, c]  # two"],
        ),
        (
            VIRT,
            ("sysctls", "vm.swappiness", "value"),
            "10",
            ["+sysctls:", "+- {name: vm.swappiness, value: '10'}"],
        ),
        (WEB, ("cpus",), None, ["-cpus: 2 # enough"]),
        (VIRT, ("users", "ada", "shell"), "yes", ["+  shell: 'yes'"]),
    ],
)
def test_only_the_lines_that_are_meant_change(
    document: tuple[str, str], path: tuple[str, ...], value: Any, expected: list[str]
) -> None:
    assert lines_of(document, path, value) == expected


def test_a_patch_takes_away_by_null_and_items_by_absent() -> None:
    path = ("memory",)
    assert _value(amended("", [Amendment(WEB, path, None, is_override=True)])) == {
        "kind": "VirtualMachine",
        "name": "web-1",
        "memory": None,
    }
    made = amended("", [Amendment(WEB, ("networks", "lan"), None, is_override=True)])
    assert _value(made)["networks"] == [{"network": "lan", "absent": True}]


def test_a_document_that_is_not_there_is_added_at_the_end() -> None:
    made = amended(TEXT, [Amendment(("VirtualMachine", "x"), ("disks", "root", "size"), "1 GiB")])
    assert (
        made == f"{TEXT}---\nkind: VirtualMachine\nname: x\ndisks:\n"
        "  - {name: root, size: 1 GiB}\n"
    )


def test_what_is_shared_by_an_alias_is_left_to_people() -> None:
    text = "kind: Host\nname: virt1\na: &x {b: one}\nc: *x\n"
    with pytest.raises(ValueError, match=r"Host virt1: a\.b must be written by hand"):
        amended(text, [Amendment(VIRT, ("a", "b"), "two")])


def test_what_only_one_reader_understands_is_left_to_people() -> None:
    tabs = "kind: VirtualMachine\nname: web-1\ncpus:\t2\t# enough\n"
    for value in (3, None):
        with pytest.raises(ValueError, match="cpus must be written by hand"):
            amended(tabs, [Amendment(WEB, ("cpus",), value)])


def test_a_document_is_taken_out_alone() -> None:
    rest = without_document(TEXT, WEB)
    assert rest is not None
    assert _value(rest)["kind"] == "Host"
    assert without_document(rest, VIRT) is None


scalars = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf")), max_size=40)
    | st.integers(-5, 10**6)
    | st.booleans()
    | st.lists(st.text("ab: -#'\"{}[]&*!|>%@,?\\é", max_size=8), max_size=4, unique=True)
)


@given(
    st.sampled_from([(WEB, ("cpus",)), (WEB, ("title",)), (WEB, ("disks", "data", "size"))]),
    scalars,
)
def test_whatever_is_written_reads_as_what_was_meant(
    where: tuple[tuple[str, str], tuple[str, ...]], value: Any
) -> None:
    document, path = where
    try:
        after = amended(TEXT, [Amendment(document, path, value)])
    except ValueError:  # then nothing is written
        return
    assert "# head" in after
    first, second = (each.value for each in parse("f", after.encode()))
    found = first["disks"][0]["size"] if path[0] == "disks" else first[path[0]]
    assert found == value
    assert second == [each.value for each in parse("f", TEXT.encode())][1]


def _value(text: str) -> dict[str, Any]:
    (only,) = parse("f", text.encode())
    value: dict[str, Any] = only.value
    return value
