"""Services: restarted once when what they read has changed, and otherwise left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base as by_hand
from reconciler.drivers.simulated.base.state import File, Service
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.kinds.base.file import FileSpec, text_sum
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.service import SERVICE, Read, ServiceSpec, read_of
from reconciler.model.address import Address
from reconciler.model.change import FieldChange
from reconciler.model.resource import Desired, Owner
from reconciler.ports.acts import RestartService, SetService
from tests.farms.bases import (
    HOST,
    base_farm,
    base_of,
    is_settled,
    only_change,
    plan_of,
    sealed,
    sync,
    wanted,
)

PATHS = ("/etc/ntp/a.conf", "/etc/ntp/b.conf", "/etc/ntp/c.conf")
OWNER = Owner("production", "ntp", "d")
TEMPLATE = "password secret://ntp/key\n"


def a_file(path: str, content: str = "one\n") -> FileSpec:
    return FileSpec(HOST, path, "file", "0644", "root", "root", content)


def a_secret_file(path: str, version: str) -> FileSpec:
    secret = sealed(version)
    return replace(a_file(path, TEMPLATE), secrets=(secret.label,), sealed=(secret,))


def ntp(*files: FileSpec, unread: tuple[str, ...] = (), **fields: Any) -> list[Desired[Any]]:
    """A package, its files, and its service that reads them and others besides."""
    reads = (*(read_of(file.path, file) for file in files), *(read_of(p, None) for p in unread))
    told = [wanted("file", file) for file in files]
    after = (Address("package", "ntp", HOST), *(each.address for each in told))
    spec = ServiceSpec(HOST, "ntp", **{"running": True, "reads": reads, "after": after, **fields})
    return [wanted("package", PackageSpec(HOST, "ntp")), *told, wanted("service", spec)]


def starts(farm: SimulatedFarm, unit: str = "ntp") -> int:
    return base_of(farm).services[unit].starts


def files_of(content: str) -> list[FileSpec]:
    return [a_file(path, content) for path in PATHS]


def test_on_a_fresh_host_it_is_started_by_its_package_and_restarted_once() -> None:
    farm = base_farm()
    sync(farm, *ntp(*files_of("one\n")))
    assert starts(farm) == 2
    assert is_settled(plan_of(farm, *ntp(*files_of("one\n"))))


def test_three_changed_files_are_one_restart() -> None:
    farm = base_farm()
    sync(farm, *ntp(*files_of("one\n")))
    before = starts(farm)
    plan = sync(farm, *ntp(*files_of("two\n")))
    assert [str(change.address) for change in plan.changes] == [
        "file@virt1/etc-ntp-a.conf",
        "file@virt1/etc-ntp-b.conf",
        "file@virt1/etc-ntp-c.conf",
        "service@virt1/ntp",
    ]
    assert {each.path for each in plan.changes[-1].fields} == {f"reads.{p}.content" for p in PATHS}
    assert starts(farm) == before + 1
    assert is_settled(plan_of(farm, *ntp(*files_of("two\n"))))


def test_a_file_that_was_changed_past_us_and_healed_restarts_it_once() -> None:
    farm, wish = base_farm(), ntp(*files_of("one\n"))
    sync(farm, *wish)
    before = starts(farm)
    by_hand.edit_file(farm, HOST, PATHS[0], "evil\n")
    by_hand.restart_service(farm, HOST, "ntp")
    plan = sync(farm, *wish)
    assert plan.changes[-1].fields == (
        FieldChange(f"reads.{PATHS[0]}.content", text_sum("evil\n"), text_sum("one\n")),
    )
    assert starts(farm) == before + 2
    assert is_settled(plan_of(farm, *wish))


def test_what_runs_on_older_files_is_found_though_the_files_are_right() -> None:
    farm, wish = base_farm(), ntp(*files_of("one\n"))
    sync(farm, *wish)
    by_hand.edit_file(farm, HOST, PATHS[0], "evil\n")
    by_hand.edit_file(farm, HOST, PATHS[0], "one\n")
    change = only_change(plan_of(farm, *wish))
    assert change.fields[0].before == "not read yet"


def test_files_that_were_right_before_us_restart_nothing() -> None:
    farm = base_farm(
        files={path: File(content="one\n") for path in PATHS},
        services={"ntp": Service()},
    )
    sync(farm, *ntp(*files_of("one\n"))[1:])
    assert starts(farm) == 0


def test_a_service_that_does_not_run_has_nothing_to_read_again() -> None:
    farm = base_farm()
    stopped: dict[str, Any] = {"running": False, "enabled": False}
    sync(farm, *ntp(*files_of("one\n"), **stopped))
    plan = sync(farm, *ntp(*files_of("two\n"), **stopped))
    assert {change.address.kind for change in plan.changes} == {"file"}


def test_a_service_that_is_to_run_again_is_started_once() -> None:
    farm = base_farm()
    sync(farm, *ntp(*files_of("one\n")))
    by_hand.set_service(farm, HOST, "ntp", running=False)
    before = starts(farm)
    sync(farm, *ntp(*files_of("two\n")))
    assert starts(farm) == before + 1
    assert is_settled(plan_of(farm, *ntp(*files_of("two\n"))))


def test_of_a_file_that_nobody_declares_only_its_change_counts() -> None:
    path = "/etc/default/ntp"
    wish = ntp(a_file(PATHS[0]), unread=(path,))
    farm = base_farm(files={path: File(content="x\n")})
    sync(farm, *wish)
    assert is_settled(plan_of(farm, *wish))
    by_hand.edit_file(farm, HOST, path, "y\n")
    assert only_change(plan_of(farm, *wish)).fields[0].path == f"reads.{path}.content"
    sync(farm, *wish)
    assert is_settled(plan_of(farm, *wish))


def test_of_a_file_that_is_not_there_and_nobody_declares_nothing_is_said() -> None:
    farm, wish = base_farm(), ntp(unread=("/etc/default/ntp",))
    sync(farm, *wish)
    assert is_settled(plan_of(farm, *wish))


def test_a_new_version_of_a_secret_restarts_it_once() -> None:
    farm = base_farm()
    sync(farm, *ntp(a_secret_file(PATHS[0], "1")))
    before = starts(farm)
    assert is_settled(plan_of(farm, *ntp(a_secret_file(PATHS[0], "1"))))
    plan = sync(farm, *ntp(a_secret_file(PATHS[0], "2")))
    assert len(plan.changes) == 2
    assert starts(farm) == before + 1
    assert is_settled(plan_of(farm, *ntp(a_secret_file(PATHS[0], "2"))))


def test_a_hand_in_a_file_with_secrets_restarts_it_when_it_is_healed() -> None:
    farm, wish = base_farm(), ntp(a_secret_file(PATHS[0], "1"))
    sync(farm, *wish)
    by_hand.edit_file(farm, HOST, PATHS[0], "password hunter2\n")
    by_hand.restart_service(farm, HOST, "ntp")
    before = starts(farm)
    plan = sync(farm, *wish)
    assert plan.changes[-1].fields[0].before == "changed by hand"
    assert starts(farm) == before + 1
    assert is_settled(plan_of(farm, *wish))


def test_it_may_be_reloaded_instead() -> None:
    wish = ServiceSpec(HOST, "ntp", running=True, reads=(Read("/a", "x"),), on_change="reload")
    seen = replace(wish, reads=(Read("/a", "y"),))
    assert SERVICE.make(wish, seen, frozenset({"reads"})) == (RestartService("ntp", "reload"),)


def test_what_is_so_already_is_not_done_again() -> None:
    wish = ServiceSpec(HOST, "ntp", enabled=True, running=True)
    seen = replace(wish, enabled=False)
    assert SERVICE.make(wish, seen, frozenset({"enabled"})) == (SetService("ntp", enabled=True),)


def test_what_is_to_be_off_is_not_restarted_first() -> None:
    wish = ServiceSpec(HOST, "ntp", running=False, masked=True, reads=(Read("/a", "x"),))
    changed = frozenset({"running", "masked", "reads"})
    seen = replace(wish, running=True, masked=False, reads=())
    assert SERVICE.make(wish, seen, changed) == (SetService("ntp", None, False, True),)


def test_it_is_unmasked_before_and_started_after_the_restart() -> None:
    wish = ServiceSpec(HOST, "ntp", True, True, False, (Read("/a", "x"),))
    assert SERVICE.make(wish, None, frozenset()) == (
        SetService("ntp", enabled=True, masked=False),
        RestartService("ntp"),
        SetService("ntp", running=True),
    )


def test_a_unit_that_is_not_there_is_as_off_as_can_be() -> None:
    farm, wish = base_farm(), wanted("service", ServiceSpec(HOST, "rpcbind", running=False))
    sync(farm, wish)
    assert is_settled(plan_of(farm, wish))


@pytest.mark.parametrize("field", ["enabled", "running", "masked"])
def test_what_somebody_switched_is_found(field: str) -> None:
    spec = ServiceSpec(HOST, "cron", enabled=True, running=True, masked=False)
    farm, wish = base_farm(), wanted("service", spec)
    sync(farm, wish)
    is_on: dict[str, Any] = {field: field == "masked"}
    by_hand.set_service(farm, HOST, "cron", **is_on)
    assert field in {each.path for each in only_change(plan_of(farm, wish)).fields}
    sync(farm, wish)
    assert is_settled(plan_of(farm, wish))


def test_what_is_read_is_named_by_what_is_declared() -> None:
    path = PATHS[0]
    assert read_of(path, None) == Read(path, "read")
    assert read_of(path, FileSpec(HOST, path, "directory")) == Read(path, "read")
    assert read_of(path, a_file(path)) == Read(path, text_sum("one\n"))
    first, second = (read_of(path, a_secret_file(path, v)).content for v in "12")
    assert first.startswith("secret:")
    assert first != second


def test_the_key_to_secrets_may_change_without_a_restart() -> None:
    """The data key of the file is encrypted anew: what it protects is the same."""
    spec = a_secret_file(PATHS[0], "1")
    again = replace(spec, sealed=(replace(spec.sealed[0], data_keys=("other",)),))
    assert read_of(PATHS[0], spec) == read_of(PATHS[0], again)


@pytest.mark.parametrize(("unit", "is_guarded"), [("nftables", True), ("cron", False)])
def test_a_service_on_the_management_path_has_a_way_back(unit: str, *, is_guarded: bool) -> None:
    (step,) = SERVICE.create(ServiceSpec(HOST, unit, running=True), OWNER)
    assert (getattr(step, "safety", None) is not None) is is_guarded
