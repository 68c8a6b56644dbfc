"""A value is put between what people wrote, and every other letter stays."""

from __future__ import annotations

import pytest

from reconciler.config.insertion import Insertion, documents_in, inserted

HEAD = "kind: VirtualMachine\nname: x\n"
LAN = Insertion(("VirtualMachine", "x"), "networks", ("network", "lan"), ("address", "10.0.0.5"))
DMZ = Insertion(("VirtualMachine", "x"), "networks", ("network", "dmz"), ("address", "10.1.0.5"))
NEW = "networks:\n  - {network: lan, address: 10.0.0.5}\n"
CASES = {
    "no-list": (HEAD, HEAD + NEW),
    "after-the-stack": (
        HEAD + "stack: linux # c\ndisks: []\n",
        HEAD + f"stack: linux # c\n{NEW}disks: []\n",
    ),
    "in-braces": (
        HEAD + "networks:\n  - {network: lan, vlan: 7}  # keep\n",
        HEAD + "networks:\n  - {network: lan, address: 10.0.0.5, vlan: 7}  # keep\n",
    ),
    "in-lines": (
        HEAD + "networks:\n- network: lan  # hi\n  # more\n  vlan: 7\n- network: dmz\n",
        HEAD
        + "networks:\n- network: lan  # hi\n  address: 10.0.0.5\n  # more\n  vlan: 7\n"
        + "- network: dmz\n",
    ),
    "another-item": (
        HEAD + "networks:\n  # pre\n  - {network: dmz}\n",
        HEAD + "networks:\n  # pre\n  - {network: lan, address: 10.0.0.5}\n  - {network: dmz}\n",
    ),
    "another-item-in-brackets": (
        HEAD + "networks: [{network: dmz}]",
        HEAD + "networks: [{network: lan, address: 10.0.0.5}, {network: dmz}]",
    ),
    "without-an-end-of-line": (HEAD.rstrip("\n"), HEAD + NEW),
    "all-in-braces": (
        "{kind: VirtualMachine, name: x}",
        "{kind: VirtualMachine, name: x, networks: [{network: lan, address: 10.0.0.5}]}",
    ),
    "null": (
        HEAD + "networks:\n  - {network: lan, address: null}\n",
        HEAD + "networks:\n  - {network: lan, address: 10.0.0.5}\n",
    ),
    "nothing": (
        HEAD + "networks:\n  - network: lan\n    address:\n",
        HEAD + "networks:\n  - network: lan\n    address: 10.0.0.5\n",
    ),
    "an-empty-list": (
        HEAD + "networks: []\n",
        HEAD + "networks: [{network: lan, address: 10.0.0.5}]\n",
    ),
    "a-list-of-nothing": (
        HEAD + "networks:\nmemory: 1 GiB\n",
        HEAD + "networks: [{network: lan, address: 10.0.0.5}]\nmemory: 1 GiB\n",
    ),
    "one-of-several": (
        f"# c\n---\nkind: Farm\nname: x\n---\n# d\n{HEAD}...\n",
        f"# c\n---\nkind: Farm\nname: x\n---\n# d\n{HEAD}{NEW}...\n",
    ),
    "ends-of-lines-of-windows": (
        (HEAD + "stack: a\n").replace("\n", "\r\n"),
        (HEAD + "stack: a\n" + NEW).replace("\n", "\r\n"),
    ),
    "an-anchor": (
        HEAD + "networks:\n  - &lan {network: lan}\n",
        HEAD + "networks:\n  - &lan {network: lan, address: 10.0.0.5}\n",
    ),
    "text-over-lines": (
        HEAD + "description: >\n  a\n  b\nstack:\n  linux\nmemory: 1 GiB\n",
        HEAD + f"description: >\n  a\n  b\nstack:\n  linux\n{NEW}memory: 1 GiB\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_value_and_nothing_else(case: str) -> None:
    before, after = CASES[case]
    assert inserted(before, [LAN]) == after


def test_several_values_of_several_documents() -> None:
    other = "kind: VirtualMachine\nname: y\nnetworks:\n  - {network: lan}\n"
    second = Insertion(("VirtualMachine", "y"), "networks", LAN.item, ("address", "10.0.0.6"))
    written = inserted(f"{HEAD}---\n{other}", [LAN, second, DMZ])
    assert written == (
        HEAD
        + "networks:\n  - {network: dmz, address: 10.1.0.5}\n"
        + "  - {network: lan, address: 10.0.0.5}\n"
        + "---\n"
        + other.replace("lan}", "lan, address: 10.0.0.6}")
    )


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "networks:\n  - &lan {network: lan}\n  - *lan\n",
        "x: &lan {network: lan}\n" + HEAD + "networks: [*lan]\n",
        "%YAML 1.1\n---\n" + HEAD + "networks: !!seq [{network: lan}]\n",
    ],
)
def test_what_would_change_more_is_left_to_people(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        inserted(text, [LAN])


def test_a_document_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        inserted("kind: Farm\nname: x\n", [LAN])


def test_the_documents_of_a_file() -> None:
    assert documents_in(f"{HEAD}---\nkind: Farm\nname: f\n") == {
        ("VirtualMachine", "x"),
        ("Farm", "f"),
    }
    assert documents_in("") == frozenset()
