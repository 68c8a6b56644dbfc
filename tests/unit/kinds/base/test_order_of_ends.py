"""What nobody wants any more ends after what is in it, on it, or part of it."""

from __future__ import annotations

from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.model.address import Address
from tests.farms.bases import HOST, base_farm, base_of, is_settled, plan_of, sync, wanted


def test_directories_that_we_made_go_with_what_is_in_them() -> None:
    farm, names = base_farm(), ("/srv/a", "/srv/a/b", "/srv/a/b/c")
    before = base_of(farm)
    made = [FileSpec(HOST, name, "directory", "0755", "root", "root") for name in names]
    file = FileSpec(HOST, "/srv/a/b/c/d", "file", "0644", "root", "root", "x\n")
    sync(farm, *(wanted("file", each) for each in (*made, file)))
    sync(farm)
    assert base_of(farm).files == before.files
    assert is_settled(plan_of(farm))


def test_a_mount_ends_after_the_files_on_it() -> None:
    farm = base_farm()
    mount = wanted("mount", MountSpec(HOST, "/mnt", "tmpfs", "tmpfs", "defaults"))
    file = wanted("file", FileSpec(HOST, "/mnt/a", "file", "0644", "root", "root", "x\n"))
    sync(farm, mount)
    sync(farm, mount, file)
    assert [change.address for change in plan_of(farm).changes] == [file.address, mount.address]


def test_a_group_ends_after_its_members_have_left_it() -> None:
    farm = base_farm()
    group = wanted("group", GroupSpec(HOST, "ops"))
    sync(farm, group)
    sync(farm, group, wanted("user", UserSpec(HOST, "alice", groups=("ops",))))
    alice = wanted("user", UserSpec(HOST, "alice", groups=()))
    assert [change.address for change in plan_of(farm, alice).changes] == [
        alice.address,
        Address("group", "ops", HOST),
    ]
    sync(farm, alice)
    assert "ops" not in base_of(farm).groups
