"""Whatever of a drift is accepted is no difference any more; the rest has its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.config.load import load
from reconciler.config.places import EditedTree, places_of, text_of
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.gitops.directory import DirectoryTree
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.render.acceptance.files import files_of
from reconciler.render.acceptance.judge import FOLLOWS, judge
from reconciler.render.render import render
from tests.scenes.scene import EXAMPLE

MIB = 1 << 20
ENVIRONMENT = "production"
HOST = "environments/production/host.yaml"
EXTRA = """\
kind: Host
name: virt1
files:
  - {path: /etc/motd, content: "Hello\\n"}  # for all
sysctls:
  - {name: vm.swappiness, value: '10'}
packages:
  - {name: htop, held: false}
groups:
  - {name: crew, gid: 2000}
users:
  - {name: ada, groups: [crew], shell: /bin/bash, description: Ada, sudo: false}
modules:
  - {name: dummy, options: numdummies=1}
mounts:
  - {path: /srv/share, source: "nas:/share", type: nfs}
services:
  - {name: cron, enabled: true, running: true}
"""
line = st.text("abcxyz ä:#'-", min_size=1, max_size=20).filter(lambda text: text == text.strip())
text = st.lists(st.text("ab: #-'", max_size=12), max_size=5).map("\n".join)
VALUES: Mapping[tuple[str, str], st.SearchStrategy[Any]] = {
    ("domain", "vcpus"): st.integers(1, 16),
    ("domain", "memory_bytes"): st.integers(64, 8192).map(lambda size: size * MIB),
    ("domain", "running"): st.booleans(),
    ("domain", "autostart"): st.booleans(),
    ("volume", "capacity_bytes"): st.integers(64, 65536).map(lambda size: size * MIB),
    ("volume", "pool"): st.sampled_from(["default", "fast"]),
    ("file", "content"): text,
    ("file", "mode"): st.sampled_from(["0600", "0644", "0755"]),
    ("file", "owner"): st.sampled_from(["root", "ada"]),
    ("file", "group"): st.sampled_from(["root", "crew"]),
    ("sysctl", "value"): st.integers(0, 100).map(str),
    ("sysctl", "persisted"): st.integers(0, 100).map(str),
    ("package", "held"): st.booleans(),
    ("group", "gid"): st.integers(1000, 3000),
    ("user", "description"): line,
    ("user", "shell"): st.sampled_from(["/bin/sh", "/bin/bash"]),
    ("user", "groups"): st.sampled_from([(), ("crew",)]),
    ("user", "sudo"): st.booleans(),
    ("module", "options"): st.sampled_from(["numdummies=2", "a=b c=d"]),
    ("mount", "source"): st.sampled_from(["nas:/other", "nas:/share"]),
    ("mount", "options"): st.sampled_from(["ro,noatime", "defaults"]),
    ("service", "enabled"): st.booleans(),
    ("service", "running"): st.booleans(),
    ("service", "masked"): st.booleans(),
}


@cache
def tree() -> EditedTree:
    return EditedTree(DirectoryTree(EXAMPLE), {HOST: EXTRA})


@cache
def documents() -> Documents:
    return load(tree(), ENVIRONMENT)


@cache
def wanted() -> Mapping[Address, Desired[Any]]:
    return {each.address: each for each in render(documents())}


def addresses(kind: str) -> list[Address]:
    return [each for each in wanted() if each.kind == kind and _is_written(each)]


def _is_written(address: Address) -> bool:
    return address.host in {None, "virt1"} and "seed" not in address.name


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in VALUES}))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_accepted_differs_no_more(kind: str, data: st.DataObject) -> None:
    address = data.draw(st.sampled_from(addresses(kind)))
    want = wanted()[address]
    fields = {field: values for (each, field), values in VALUES.items() if each == kind}
    chosen = data.draw(st.sets(st.sampled_from(sorted(fields)), min_size=1))
    seen = replace(want.spec, **{field: data.draw(fields[field]) for field in sorted(chosen)})
    changed = KIND_BY_NAME[kind].diff(want.spec, seen)
    judged = judge(documents(), places_of(tree()), want, seen, changed)
    assert {each.field.path for each in judged.accepted} <= {each.path for each in changed}
    assert changed == () or judged.accepted or judged.refused
    files = files_of(judged.accepted, lambda path: text_of(tree(), path))
    try:
        after = load(EditedTree(tree(), {**tree().files, **files}), ENVIRONMENT)
    except ConfigError:
        return  # then nothing is written
    new = next(each for each in render(after) if each.address == address)
    left = {each.path for each in KIND_BY_NAME[kind].diff(new.spec, seen)}
    assert left <= judged.refused.keys() | FOLLOWS.get(kind, frozenset())
    others = {each.address: each.spec for each in render(after) if each.address.kind == kind}
    same = {each for each in others if others[each] == wanted()[each].spec}
    assert others.keys() - same <= {address}


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (Address("domain", "web-1"), {"vcpus": 7, "running": False}),
        (Address("sysctl", "vm.swappiness", "virt1"), {"value": "99"}),
        (Address("file", "etc-motd", "virt1"), {"content": "Bye\n", "mode": "0600"}),
        (Address("user", "ada", "virt1"), {"shell": "/bin/sh", "groups": ()}),
        (Address("mount", "srv-share", "virt1"), {"options": "ro"}),
        (Address("service", "cron", "virt1"), {"running": False}),
    ],
    ids=str,
)
def test_each_of_these_can_be_accepted(address: Address, fields: Mapping[str, Any]) -> None:
    want = wanted()[address]
    seen = replace(want.spec, **fields)
    changed = KIND_BY_NAME[address.kind].diff(want.spec, seen)
    judged = judge(documents(), places_of(tree()), want, seen, changed)
    assert {each.field.path for each in judged.accepted} == fields.keys()
    files = files_of(judged.accepted, lambda path: text_of(tree(), path))
    after = load(EditedTree(tree(), {**tree().files, **files}), ENVIRONMENT)
    new = next(each for each in render(after) if each.address == address)
    left = {each.path for each in KIND_BY_NAME[address.kind].diff(new.spec, seen)}
    assert left <= FOLLOWS.get(address.kind, frozenset())


@pytest.mark.parametrize("environment", ["staging", "development"])
def test_a_shared_machine_changes_in_its_environment_alone(environment: str) -> None:
    want = wanted()[Address("domain", "web-1")]
    seen = replace(want.spec, vcpus=7)
    changed = KIND_BY_NAME["domain"].diff(want.spec, seen)
    judged = judge(documents(), places_of(tree()), want, seen, changed)
    files = files_of(judged.accepted, lambda path: text_of(tree(), path))
    assert list(files) == ["environments/production/vms/web-1.yaml"]
    base = DirectoryTree(EXAMPLE)
    before = load(base, environment).machines["web-1"]
    assert load(EditedTree(base, files), environment).machines["web-1"] == before
