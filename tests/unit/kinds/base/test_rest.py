"""What is peculiar to packages, accounts, mounts, storage, modules and settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base as by_hand
from reconciler.drivers.simulated.base.state import Module, Mounted, Package, Sysctl, User
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.account import GROUP, USER, GroupSpec, UserSpec
from reconciler.kinds.base.command import COMMAND, CommandSpec
from reconciler.kinds.base.module import MODULE, ModuleSpec
from reconciler.kinds.base.mount import MOUNT, MountSpec
from reconciler.kinds.base.package import PACKAGE, PackageSpec
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.storage import VOLUME_GROUP, VolumeGroupSpec, ZpoolSpec
from reconciler.kinds.base.sysctl import SYSCTL, SysctlSpec
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.resource import Owner
from reconciler.ports.acts import (
    HoldPackage,
    InstallPackage,
    LoadModule,
    LockUser,
    RemoveGroup,
    RemovePackage,
)
from reconciler.ports.facts import (
    Fact,
    Facts,
    Mark,
    MountFact,
    Question,
    SysctlFact,
    ZpoolFact,
)
from tests.farms.bases import (
    HOST,
    base_farm,
    base_of,
    is_settled,
    only_change,
    plan_of,
    sync,
    wanted,
)

OWNER = Owner("production", "x", "d")
NOTHING: frozenset[str] = frozenset()


def read(kind: str, spec: Any, fact: Fact | None, note: str = "") -> Any:
    """The spec of an answer to the question of a spec."""
    (question,) = KIND_BY_NAME[kind].questions(spec)
    mark = Mark(kind, OWNER, question, note)
    return KIND_BY_NAME[kind].read(HOST, question, Facts({question: fact}), mark)  # type: ignore[attr-defined]


class TestPackage:
    SEEN = PackageSpec(HOST, "ntp", version="1", held=True)

    def test_a_held_one_is_let_go_to_be_changed_and_held_again(self) -> None:
        acts = PACKAGE.make(
            PackageSpec(HOST, "ntp", version="2"), self.SEEN, frozenset({"version"})
        )
        assert acts == (
            HoldPackage("ntp", held=False),
            InstallPackage("ntp", "2"),
            HoldPackage("ntp", held=True),
        )

    def test_a_held_one_is_let_go_to_be_removed(self) -> None:
        acts = PACKAGE.make(PackageSpec(HOST, "ntp", "absent"), self.SEEN, frozenset({"state"}))
        assert acts == (HoldPackage("ntp", held=False), RemovePackage("ntp"))

    def test_only_the_hold_is_changed_if_only_that_differs(self) -> None:
        wish = replace(self.SEEN, held=False)
        assert PACKAGE.make(wish, self.SEEN, frozenset({"held"})) == (
            HoldPackage("ntp", held=False),
        )

    def test_a_version_that_is_not_said_is_whichever_it_is(self) -> None:
        farm = base_farm(packages={"ntp": Package("9")})
        assert plan_of(farm, wanted("package", PackageSpec(HOST, "ntp"))).changes == ()

    def test_removing_one_may_stop_what_it_ran(self) -> None:
        assert PACKAGE.cost(PackageSpec(HOST, "ntp", "absent"), None) is Disruption.RESTART
        assert PACKAGE.cost(PackageSpec(HOST, "ntp"), None) is Disruption.LIVE

    def test_one_that_somebody_removed_is_drift(self) -> None:
        farm, want = base_farm(), wanted("package", PackageSpec(HOST, "tree"))
        sync(farm, want)
        by_hand.remove_package(farm, HOST, "tree")
        assert only_change(plan_of(farm, want)).fields == (
            FieldChange("state", "absent", "present"),
        )


class TestAccounts:
    ALICE = UserSpec(HOST, "alice", groups=("sudo", "adm"), keys=("ssh-ed25519 B", "ssh-ed25519 A"))

    def test_the_order_of_groups_and_keys_says_nothing(self) -> None:
        farm = base_farm()
        sync(farm, wanted("user", self.ALICE))
        swapped = replace(self.ALICE, groups=("adm", "sudo"), keys=self.ALICE.keys[::-1])  # type: ignore[index]
        assert plan_of(farm, wanted("user", swapped)).changes == ()

    def test_a_key_that_somebody_added_is_found(self) -> None:
        farm, want = base_farm(), wanted("user", self.ALICE)
        sync(farm, want)
        by_hand.add_key(farm, HOST, "alice", "ssh-ed25519 MALLORY")
        (field,) = only_change(plan_of(farm, want)).fields
        assert "MALLORY" in str(field.before)
        sync(farm, want)
        assert is_settled(plan_of(farm, want))

    def test_one_that_we_made_is_locked_when_nobody_wants_it_and_opened_again(self) -> None:
        farm, want = base_farm(), wanted("user", self.ALICE)
        sync(farm, want)
        sync(farm)
        assert base_of(farm).users["alice"].locked
        sync(farm, want)
        assert not base_of(farm).users["alice"].locked
        assert is_settled(plan_of(farm, want))

    def test_one_that_we_died_over_is_still_known_for_ours(self) -> None:
        farm, want = base_farm(), wanted("user", self.ALICE)
        (operation,) = only_change(plan_of(farm, want)).operations
        farm.machine(HOST).do(operation.acts[:2])  # type: ignore[attr-defined]
        sync(farm, want)
        sync(farm)
        assert base_of(farm).users["alice"].locked

    def test_one_that_was_there_before_us_stays_open(self) -> None:
        farm = base_farm()
        by_hand.change_user(farm, HOST, "root")
        sync(farm, wanted("user", UserSpec(HOST, "root", keys=("a",))))
        sync(farm)
        assert not base_of(farm).users["root"].locked

    def test_a_locked_one_is_as_absent_as_can_be(self) -> None:
        farm = base_farm(users={"bob": User(1001, locked=True)})
        assert plan_of(farm, wanted("user", UserSpec(HOST, "bob", state="absent"))).changes == ()

    def test_nothing_is_done_to_one_that_is_locked_already(self) -> None:
        gone = UserSpec(HOST, "bob", state="absent", is_made=True)
        assert USER.drop(gone) == ()
        assert USER.drop(replace(gone, state="present")) == (LockUser("bob"),)

    def test_a_group_with_somebody_in_it_stays(self) -> None:
        farm = base_farm()
        sync(farm, wanted("group", GroupSpec(HOST, "ops")))
        by_hand.change_user(farm, HOST, "root", groups=("ops",))
        sync(farm)
        assert "ops" in base_of(farm).groups
        assert is_settled(plan_of(farm))

    def test_a_group_that_must_not_be_is_removed_whoever_is_in_it(self) -> None:
        assert GROUP.make(GroupSpec(HOST, "ops", state="absent"), None, NOTHING) == (
            RemoveGroup("ops"),
        )

    def test_the_account_by_which_we_come_in_has_a_way_back(self) -> None:
        root, other = (USER.create(UserSpec(HOST, name), OWNER)[0] for name in ("root", "bob"))
        assert getattr(root, "safety", None)
        assert not getattr(other, "safety", None)


class TestMount:
    WISH = MountSpec(HOST, "/mnt", "nas:/export", "nfs", "ro,nofail")

    def test_the_words_of_the_kernel_are_no_difference(self) -> None:
        fact = MountFact(
            True, "nas:/export", "nfs4", "ro,relatime,vers=4.2", "nas:/export nfs ro,nofail"
        )
        assert MOUNT.diff(self.WISH, read("mount", self.WISH, fact)) == ()

    def test_another_server_in_its_place_is_found(self) -> None:
        fact = MountFact(True, "evil:/export", "nfs", "ro", "nas:/export nfs ro,nofail")
        assert MOUNT.diff(self.WISH, read("mount", self.WISH, fact)) == (
            FieldChange("source", "evil:/export", "nas:/export"),
        )

    @pytest.mark.parametrize(
        ("now", "wish", "is_told"),
        [
            ("rw,relatime", "ro,nofail", True),
            ("ro,relatime", "rw", True),
            ("ro,relatime", "defaults", False),  # a medium that cannot be written to
            ("ro,relatime", "ro", False),
        ],
    )
    def test_whether_it_can_be_written_to_is_seen(
        self, now: str, wish: str, *, is_told: bool
    ) -> None:
        spec = replace(self.WISH, options=wish)
        fact = MountFact(True, "nas:/export", "nfs", now, f"nas:/export nfs {wish}")
        assert bool(MOUNT.diff(spec, read("mount", spec, fact))) is is_told

    @pytest.mark.parametrize("source", ["UUID=1234", "/dev/all/data"])
    def test_a_device_by_another_of_its_names_is_no_difference(self, source: str) -> None:
        wish = replace(self.WISH, source=source, type="ext4")
        fact = MountFact(True, "/dev/mapper/x", "ext4", "ro", f"{source} ext4 ro,nofail")
        assert MOUNT.diff(wish, read("mount", wish, fact)) == ()

    def test_what_is_mounted_and_not_written_down_is_a_difference(self) -> None:
        fact = MountFact(True, "nas:/export", "nfs", "ro")
        changed = {each.path for each in MOUNT.diff(self.WISH, read("mount", self.WISH, fact))}
        assert "persisted" in changed

    @pytest.mark.parametrize(
        ("seen", "cost"),
        [
            (None, Disruption.LIVE),
            ({"mounted": False}, Disruption.LIVE),
            ({"persisted": False}, Disruption.LIVE),
            ({"options": "rw"}, Disruption.LIVE),
            ({"source": "old:/export"}, Disruption.RESTART),
            ({"type": "cifs"}, Disruption.RESTART),
        ],
    )
    def test_what_is_unmounted_for_it_costs_a_restart(
        self, seen: dict[str, Any] | None, cost: Disruption
    ) -> None:
        there = None if seen is None else replace(self.WISH, **seen)
        assert MOUNT.cost(self.WISH, there) is cost

    def test_unmounting_costs_a_restart_and_leaving_it_nothing(self) -> None:
        for is_made, cost in ((True, Disruption.RESTART), (False, Disruption.LIVE)):
            (step,) = MOUNT.delete(replace(self.WISH, is_made=is_made), OWNER)
            assert step.disruption is cost

    def test_one_that_somebody_unmounted_is_mounted_again(self) -> None:
        farm, want = base_farm(), wanted("mount", self.WISH)
        sync(farm, want)
        by_hand.unmount(farm, HOST, "/mnt")
        assert only_change(sync(farm, want)).fields == (FieldChange("mounted", False, True),)
        assert is_settled(plan_of(farm, want))

    def test_one_that_we_wrote_down_only_was_there_before_us(self) -> None:
        farm = base_farm(mounts={"/mnt": Mounted("nas:/export", "nfs", "ro")})
        sync(farm, wanted("mount", self.WISH))
        sync(farm)
        assert base_of(farm).mounts["/mnt"].source == "nas:/export"


class TestStorage:
    def test_a_device_that_is_missing_is_added_and_one_too_many_stays(self) -> None:
        farm = base_farm(volume_groups={"all": ("/dev/sda", "/dev/sdz")})
        want = wanted("volume_group", VolumeGroupSpec(HOST, "all", ("/dev/sdb", "/dev/sda")))
        assert only_change(sync(farm, want)).fields == (
            FieldChange("devices", ["/dev/sda", "/dev/sdz"], ["/dev/sda", "/dev/sdb", "/dev/sdz"]),
        )
        assert is_settled(plan_of(farm, want))

    def test_devices_are_asked_for_by_the_names_people_gave_them(self) -> None:
        name = "/dev/disk/by-id/x"
        assert VOLUME_GROUP.question(VolumeGroupSpec(HOST, "all", (name,))).details == (name,)
        (question,) = KIND_BY_NAME["zpool"].questions(ZpoolSpec(HOST, "z", ("mirror", name)))
        assert question.details == (name,)

    def test_another_layout_is_told(self) -> None:
        wish = ZpoolSpec(HOST, "z0", ("mirror", "/dev/sda", "/dev/sdb"))
        seen = read("zpool", wish, ZpoolFact(("/dev/sda",), "ONLINE", 1))
        assert [each.path for each in KIND_BY_NAME["zpool"].diff(wish, seen)] == ["layout"]


class TestKernel:
    def test_the_tabs_of_the_kernel_are_no_difference(self) -> None:
        wish = SysctlSpec(HOST, "net.ipv4.tcp_rmem", "4096 131072", "4096 131072")
        seen = read("sysctl", wish, SysctlFact("4096\t131072", "4096 131072"))
        assert SYSCTL.diff(wish, seen) == ()

    def test_what_holds_until_the_next_boot_only_is_a_difference(self) -> None:
        farm = base_farm(sysctls={"vm.swappiness": Sysctl("1")})
        want = wanted("sysctl", SysctlSpec(HOST, "vm.swappiness", "1", "1"))
        assert only_change(sync(farm, want)).fields == (FieldChange("persisted", None, "1"),)
        assert is_settled(plan_of(farm, want))

    def test_a_setting_on_the_management_path_has_a_way_back(self) -> None:
        (step,) = SYSCTL.create(SysctlSpec(HOST, "net.ipv4.conf.all.rp_filter", "1"), OWNER)
        assert getattr(step, "safety", None)

    def test_the_options_of_a_module_stay_where_nothing_is_said_of_them(self) -> None:
        farm = base_farm(modules={"nbd": Module(persisted=False, options="max_part=8")})
        want = wanted("module", ModuleSpec(HOST, "nbd"))
        sync(farm, want)
        assert base_of(farm).modules["nbd"].options == "max_part=8"
        seen = ModuleSpec(HOST, "nbd", "max_part=8")
        assert MODULE.make(want.spec, seen, NOTHING) == (LoadModule("nbd", "max_part=8"),)


class TestCommand:
    def test_it_runs_when_its_check_says_so(self) -> None:
        spec = CommandSpec(HOST, "puppet", ("touch", "/srv/x"), ("test", "-e", "/srv/x"))
        farm, want = base_farm(), wanted("command", spec)
        sync(farm, want)
        by_hand.remove_file(farm, HOST, "/srv/x")
        assert only_change(sync(farm, want)).fields == (FieldChange("done", False, True),)
        assert is_settled(plan_of(farm, want))

    def test_another_way_to_do_what_is_done_changes_nothing(self) -> None:
        spec = CommandSpec(HOST, "puppet", ("touch", "/srv/x"), ("true",))
        farm = base_farm()
        sync(farm, wanted("command", spec))
        other = wanted(
            "command", replace(spec, run=("false",), check=("test", "-e", "/srv"), seconds=1)
        )
        assert plan_of(farm, other).changes == ()
        sync(farm, other)
        assert is_settled(plan_of(farm, other))
        assert COMMAND.question(other.spec) in {
            kept.question for kept in base_of(farm).marks.values()
        }


def test_an_answer_that_is_none_of_the_kinds_is_passed_over() -> None:
    for kind, spec in (
        ("file", None),
        ("package", None),
        ("setting", None),
        ("group", None),
        ("user", None),
        ("module", None),
        ("mount", None),
        ("service", None),
        ("command", None),
        ("volume_group", None),
        ("zpool", None),
    ):
        question = Question(kind, "hostname")  # type: ignore[arg-type]
        facts = Facts({question: SysctlFact("1", None)})
        assert KIND_BY_NAME[kind].read(HOST, question, facts, spec) is None  # type: ignore[attr-defined]


def test_a_setting_nobody_knows_is_passed_over() -> None:
    question = Question("setting", "colour")
    read_setting = KIND_BY_NAME["setting"].read  # type: ignore[attr-defined]
    assert read_setting(HOST, question, Facts({question: None}), None) is None


def test_a_host_that_was_named_otherwise_is_renamed() -> None:
    farm, want = base_farm(), wanted("setting", SettingSpec(HOST, "hostname", HOST))
    by_hand.put_setting(farm, HOST, "hostname", "debian")
    assert only_change(sync(farm, want)).fields == (FieldChange("value", "debian", HOST),)
