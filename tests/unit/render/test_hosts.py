"""A host's document becomes the resources of its base, in the order that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.config.repository import Documents
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.account import UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.pool import PoolSpec
from reconciler.kinds.base.service import ANYTHING, Read, ServiceSpec, read_of
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.resource import Desired
from reconciler.plan.order import Ties, in_order
from reconciler.plan.plan import Cause, Change
from reconciler.render.hosts import host_resources
from reconciler.render.render import render
from tests.farms.repository import documents
from tests.sealed.sealing import Reader, seal

HEAD = "kind: Host\nname: box\nenvironment: production\naddress: 192.168.1.20\nmemory: 8 GiB\n"
EVERYTHING = """\
hostname: box
timezone: UTC
package_sources:
  - {name: backports, url: "https://packages.example/debian", suites: [x], components: [main]}
packages: [{name: chrony}, {name: ntp, state: absent}, {name: nfs-common}]
files:
  - {path: /etc/apt/preferences.d/x, content: x}
  - {path: /etc/chrony/chrony.conf, content: x}
  - {path: /srv, type: directory}
  - {path: /srv/data/motd, content: x, owner: "alice:ops"}
  - {path: /srv/old, type: absent}
  - {path: /srv/old/x, type: absent}
  - {path: /etc/systemd/system/chrony.service.d/x.conf, content: x}
services: [{name: chrony, running: true, reads: [/etc/chrony/chrony.conf], needs: [nfs-common]}]
groups: [{name: ops}]
users: [{name: alice, groups: [ops, adm]}]
mounts:
  - {path: /srv/data, source: "nas:/export", type: nfs}
  - {path: /srv/disc, source: /dev/vms/data, type: ext4}
  - {path: /srv/data/sets, source: z0/sets, type: zfs}
volume_groups: [{name: vms, devices: [/dev/sdb]}]
zpools: [{name: z0, layout: [/dev/sdc]}]
pools:
  - {name: default, size: 1 GiB, target: /srv/data/images}
  - {name: fast, size: 1 GiB, type: lvm, target: vms}
  - {name: large, size: 1 GiB, type: zfs, target: z0/vms}
"""


def farm(
    text: str, environment: str = "production", more: dict[str, str] | None = None
) -> Documents:
    return documents({"box.yaml": HEAD + text, **(more or {})}, environment)


def base(text: str, more: dict[str, str] | None = None) -> dict[str, Desired[Any]]:
    """What is wanted on the host, by address without the host."""
    tree = farm(text, more=more)
    found = host_resources(tree, tree.hosts["box"])
    return {f"{each.address.kind}/{each.address.name}": each for each in found}


def spec(text: str, address: str, more: dict[str, str] | None = None) -> Any:
    return base(text, more)[address].spec


def before(address: str) -> set[str]:
    return {f"{each.kind}/{each.name}" for each in spec(EVERYTHING, address).after}


def test_everything_is_adopted_and_part_of_what_the_environment_wants() -> None:
    wanted = {each.address: each for each in render(farm(EVERYTHING))}
    for each in base(EVERYTHING).values():
        assert each.adopts
        assert each.address.host == "box"
        assert wanted[each.address] == each


def test_another_environment_wants_nothing_of_a_host() -> None:
    tree = farm(EVERYTHING, "staging")
    assert list(host_resources(tree, tree.hosts["box"])) == []


def test_addresses_are_those_that_a_look_finds() -> None:
    for each in base(EVERYTHING).values():
        (question,) = KIND_BY_NAME[each.address.kind].questions(each.spec)
        assert question.about == each.address.kind


@pytest.mark.parametrize(
    ("address", "first"),
    [
        (
            "package/chrony",
            {"file/etc-apt-preferences.d-x", "file/etc-apt-sources.list.d-backports.sources"},
        ),
        ("package/ntp", set()),
        (
            "service/chrony",
            {
                "file/etc-chrony-chrony.conf",
                "file/etc-systemd-system-chrony.service.d-x.conf",
                "package/chrony",
                "package/nfs-common",
            },
        ),
        ("file/srv-data-motd", {"file/srv", "mount/srv-data", "user/alice", "group/ops"}),
        ("file/srv-old", {"file/srv-old-x"}),
        ("file/srv-old-x", set()),
        ("user/alice", {"group/ops"}),
        ("mount/srv-data", {"file/srv"}),
        ("mount/srv-disc", {"file/srv", "volume_group/vms"}),
        ("mount/srv-data-sets", {"file/srv", "mount/srv-data", "zpool/z0"}),
        ("pool/default", {"file/srv", "mount/srv-data"}),
        ("pool/fast", {"volume_group/vms"}),
        ("pool/large", {"zpool/z0"}),
        ("setting/hostname", set()),
    ],
)
def test_what_comes_first(address: str, first: set[str]) -> None:
    assert before(address) == first


def test_the_order_of_a_whole_host_has_no_circle() -> None:
    wanted = list(base(EVERYTHING).values())
    ordered = [change.address for change in in_order(*as_changes(wanted))]
    assert len(ordered) == len(wanted)
    for each in wanted:
        assert all(ordered.index(need) < ordered.index(each.address) for need in each.spec.after)


def as_changes(
    wanted: Sequence[Desired[Any]],
) -> tuple[list[Change], dict[Address, Ties], dict[Address, Ties]]:
    changes = [Change(each.address, Action.CREATE, Cause.PENDING, (), ()) for each in wanted]
    return changes, {each.address: Ties(frozenset(each.spec.after)) for each in wanted}, {}


def test_a_file_has_usual_permissions_where_none_are_written() -> None:
    text = (
        "files: [{path: /a, content: x}, {path: /b, type: directory}, {path: /c, type: absent}]\n"
    )
    assert spec(text, "file/a") == FileSpec("box", "/a", "file", "0644", "root", "root", "x")
    assert spec(text, "file/b") == FileSpec("box", "/b", "directory", "0755", "root", "root")
    assert spec(text, "file/c") == FileSpec("box", "/c", "absent")


def test_a_link_has_a_target_only() -> None:
    text = "files: [{path: /a, type: link, target: /b}]\n"
    assert spec(text, "file/a") == FileSpec("box", "/a", "link", target="/b")


def test_a_service_knows_the_content_of_declared_files_only() -> None:
    text = (
        "files: [{path: /etc/a, content: x}]\n"
        "services: [{name: a, enabled: true, reads: [/etc/a, /etc/b, /etc/a], on_change: reload}]\n"
    )
    file = spec(text, "file/etc-a")
    reads = (read_of("/etc/a", file), Read("/etc/b", ANYTHING))
    assert spec(text, "service/a") == ServiceSpec("box", "a", enabled=True, reads=reads)
    assert spec(text, "service/a").on_change == "reload"


def test_what_an_account_does_not_say_is_not_managed() -> None:
    text = (
        "users: [{name: a}, {name: b, groups: [z, y, z], ssh_keys: []}, {name: c, state: absent}]\n"
    )
    assert spec(text, "user/a") == UserSpec("box", "a")
    assert spec(text, "user/b") == UserSpec("box", "b", groups=("y", "z"), keys=())
    assert spec(text, "user/c") == UserSpec("box", "c", state="absent")


def test_a_kernel_setting_is_for_the_next_boot_too() -> None:
    text = 'sysctls: [{name: vm.swappiness, value: "10"}]\n'
    assert spec(text, "sysctl/vm.swappiness") == SysctlSpec("box", "vm.swappiness", "10", "10")


def test_a_command_has_its_deadline_in_seconds() -> None:
    text = "commands: [{name: agent, run: [a, -x], check: [b], deadline: 2m}]\n"
    made = spec(text, "command/agent")
    assert isinstance(made, CommandSpec)
    assert (made.run, made.check, made.seconds) == (("a", "-x"), ("b",), 120)


def test_every_pool_of_a_host_is_made() -> None:
    text = "pools: [{name: fast-one, size: 1 GiB, type: lvm, target: vms}]\n"
    assert spec(text, "pool/fast-one") == PoolSpec("box", "fast-one", "lvm", "vms")


STACK = {
    "stacks/box.yaml": """\
kind: Stack
name: box
timezone: UTC
files: [{path: /etc/motd, content: x}, {path: /etc/issue, content: x}]
"""
}


def test_a_field_is_found_where_it_was_written() -> None:
    text = (
        "stack: box\nfiles:\n  - path: /etc/motd\n    owner: root:adm\n"
        "  - {path: /etc/issue, absent: true}\n"
    )
    wanted = base(text, STACK)
    assert "file/etc-issue" not in wanted
    motd, timezone = wanted["file/etc-motd"], wanted["setting/timezone"]
    assert str(motd.position_of("content")) == "stacks/box.yaml:4:27"
    assert str(motd.position_of("group")) == "box.yaml:9:5"
    assert str(timezone.position_of("value")) == "stacks/box.yaml:3:1"


def test_the_farm_gives_what_stack_and_host_do_not_say() -> None:
    given = (
        "host_defaults: {timezone: Europe/Berlin, locale: C.UTF-8, packages: [{name: chrony}]}\n"
    )
    more = {**STACK, "farm.yaml": FARM_HEAD + given}
    wanted = base("stack: box\nlocale: de_DE.UTF-8\n", more)
    assert wanted["setting/timezone"].spec.value == "UTC"
    assert wanted["setting/locale"].spec.value == "de_DE.UTF-8"
    assert str(wanted["package/chrony"].position) == "farm.yaml:5:70"


FARM_HEAD = "kind: Farm\nname: farm\ndomain: farm.internal\ncontact: hostmaster@farm.internal\n"


def test_a_file_carries_its_secrets_sealed_and_compares_their_versions() -> None:
    def file(value: str) -> FileSpec:
        sealed = seal({"key": value, "other": "x"}, [Reader().recipient])
        text = "files: [{path: /k, content: 'a secret://web/key b secret://web/key'}]\n"
        found = spec(text, "file/k", {"secrets/web.sops.yaml": sealed})
        assert isinstance(found, FileSpec)
        return found

    one, other = file("1"), file("2")
    assert [str(secret.reference) for secret in one.sealed] == ["secret://web/key"]
    assert one.secrets == tuple(secret.label for secret in one.sealed)
    assert one.content == "a secret://web/key b secret://web/key"
    assert one != other, "a changed secret is a change"
