"""Files: what is compared, what of one with secrets is seen, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base as by_hand
from reconciler.drivers.simulated.base.state import File
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict
from reconciler.kinds.base.file import FILE, FileSpec, note_of, text_sum
from reconciler.model.change import FieldChange
from reconciler.model.plain import to_plain
from reconciler.model.resource import Desired, Owner
from reconciler.plan.plan import Cause
from reconciler.ports.acts import PutDirectory, PutFile, RemovePath, RestartService
from reconciler.ports.facts import Facts, FileFact, Mark, Question
from tests.farms.bases import (
    HOST,
    base_farm,
    base_of,
    is_settled,
    look,
    only_change,
    plan_of,
    sealed,
    sync,
    wanted,
)

PATH = "/etc/ntp.conf"
TEMPLATE = "password secret://ntp/key\n"
OWNER = Owner("production", "etc-ntp.conf", "d")


def a_file(content: str = "pool a\n", **fields: Any) -> FileSpec:
    return FileSpec(HOST, PATH, "file", "0644", "root", "root", content, **fields)


def with_secret(version: str = "1", content: str = TEMPLATE) -> FileSpec:
    secret = sealed(version)
    return a_file(content, secrets=(secret.label,), sealed=(secret,))


def absent() -> FileSpec:
    return FileSpec(HOST, PATH, "absent")


def want(spec: FileSpec) -> Desired[FileSpec]:
    return wanted("file", spec)


def synced(*specs: FileSpec, farm: SimulatedFarm | None = None) -> SimulatedFarm:
    farm = farm or base_farm()
    for spec in specs:
        sync(farm, want(spec))
    return farm


def content_of(farm: SimulatedFarm) -> str | None:
    file = base_of(farm).files.get(PATH)
    return file.content if file else None


def with_original() -> SimulatedFarm:
    return base_farm(files={PATH: File(content="pool debian\n")})


def test_a_changed_content_is_shown_as_it_was_and_as_it_is_to_be() -> None:
    farm = synced(a_file())
    by_hand.edit_file(farm, HOST, PATH, "pool b\n")
    change = only_change(plan_of(farm, want(a_file())))
    assert change.fields == (FieldChange("content", "pool b\n", "pool a\n"),)
    assert change.cause is Cause.DRIFT


def test_a_changed_mode_is_found() -> None:
    farm = synced(a_file())
    by_hand.set_mode(farm, HOST, PATH, "0666")
    assert only_change(plan_of(farm, want(a_file()))).fields == (
        FieldChange("mode", "0666", "0644"),
    )


def test_what_is_not_said_of_a_file_stays_as_it_is() -> None:
    farm = base_farm(files={PATH: File(mode="0600", group="adm", content="x\n")})
    sync(farm, want(FileSpec(HOST, PATH, "file", content="y\n")))
    file = base_of(farm).files[PATH]
    assert (file.mode, file.group, file.content) == ("0600", "adm", "y\n")


@pytest.mark.parametrize(("kind", "mode"), [("file", "0644"), ("directory", "0755")])
def test_what_is_not_said_of_something_new_is_as_usual(kind: Any, mode: str) -> None:
    spec = FileSpec(HOST, PATH, kind, content="x\n" if kind == "file" else None)
    (act,) = FILE.make(spec, None, frozenset())
    assert isinstance(act, PutFile | PutDirectory)
    assert (act.mode, act.owner, act.group) == (mode, "root", "root")


def test_a_file_without_a_wished_content_is_never_emptied() -> None:
    assert FILE.make(FileSpec(HOST, PATH, "file", mode="0600"), None, frozenset()) == ()


def test_a_long_text_is_compared_by_its_fingerprint() -> None:
    long = "x" * 70_000
    farm = synced(a_file(long))
    assert is_settled(plan_of(farm, want(a_file(long))))
    change = only_change(plan_of(farm, want(a_file("y"))))
    assert change.fields == (FieldChange("content", text_sum(long), "y"),)


def test_a_text_that_is_a_fingerprint_passes_for_no_other() -> None:
    farm = synced(a_file("true\n"))
    by_hand.edit_file(farm, HOST, PATH, text_sum("true\n"))
    assert only_change(plan_of(farm, want(a_file("true\n")))).fields
    wish = a_file(text_sum("true\n"))
    assert is_settled(plan_of(synced(wish), want(wish)))


def test_what_was_there_before_us_comes_back() -> None:
    farm = with_original()
    synced(a_file(), a_file("pool c\n"), farm=farm)
    sync(farm)
    assert content_of(farm) == "pool debian\n"
    assert is_settled(plan_of(farm))


def test_where_nothing_was_before_us_nothing_is_left() -> None:
    farm = synced(a_file(), a_file("pool c\n"))
    sync(farm)
    assert content_of(farm) is None


def test_what_was_right_before_us_stays() -> None:
    farm = base_farm(files={PATH: File(content="pool a\n")})
    synced(a_file(), farm=farm)
    sync(farm)
    assert content_of(farm) == "pool a\n"


def test_what_was_right_before_us_and_then_changed_comes_back() -> None:
    farm = base_farm(files={PATH: File(content="pool a\n")})
    synced(a_file(), a_file("pool b\n"), farm=farm)
    sync(farm)
    assert content_of(farm) == "pool a\n"


@pytest.mark.parametrize(("farm", "left"), [(base_farm, None), (with_original, "pool debian\n")])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_what_was_there_comes_back_though_we_died_in_the_middle(
    farm: Callable[[], SimulatedFarm], left: str | None, steps: int
) -> None:
    farm_ = farm()
    (operation,) = only_change(plan_of(farm_, want(a_file()))).operations
    farm_.machine(HOST).do(operation.acts[:steps])  # type: ignore[attr-defined]
    synced(a_file(), farm=farm_)
    sync(farm_)
    assert content_of(farm_) == left


def test_a_file_whose_check_fails_stays_and_may_be_given_up() -> None:
    farm, broken = with_original(), replace(a_file("SYNTAX ERROR"), check=("check", "{}"))
    with pytest.raises(Conflict):
        sync(farm, want(broken))
    assert only_change(plan_of(farm, want(broken))).cause is Cause.PENDING
    sync(farm)
    assert content_of(farm) == "pool debian\n"
    assert is_settled(plan_of(farm))


def test_what_we_took_away_comes_back() -> None:
    farm = synced(absent(), farm=with_original())
    assert content_of(farm) is None
    sync(farm)
    assert content_of(farm) == "pool debian\n"


def test_what_somebody_puts_where_nothing_may_be_is_taken_away_or_left_to_him() -> None:
    farm = synced(absent())
    by_hand.edit_file(farm, HOST, PATH, "mine\n")
    change = only_change(plan_of(farm, want(absent())))
    assert change.cause is Cause.DRIFT
    assert change.fields == (FieldChange("type", "file", "absent"),)
    sync(farm)
    assert content_of(farm) == "mine\n"
    assert is_settled(plan_of(farm))


def test_what_is_absent_as_it_should_be_is_nothing_foreign() -> None:
    farm = base_farm()
    assert plan_of(farm, want(absent())).changes == ()
    sync(farm, want(absent()))
    assert is_settled(plan_of(farm, want(absent())))


def test_a_directory_with_something_in_it_stays() -> None:
    farm, spec = base_farm(), FileSpec(HOST, "/srv/data", "directory")
    sync(farm, want(spec))
    by_hand.edit_file(farm, HOST, "/srv/data/work", "x\n")
    sync(farm)
    assert "/srv/data/work" in base_of(farm).files
    assert is_settled(plan_of(farm))


def test_a_wish_may_turn_into_its_opposite_and_back() -> None:
    farm = synced(a_file(), absent())
    assert content_of(farm) is None
    synced(a_file(), farm=farm)
    assert content_of(farm) == "pool a\n"
    sync(farm)
    assert content_of(farm) is None


class TestSecrets:
    def test_a_file_with_secrets_is_seen_with_its_references(self) -> None:
        farm = synced(with_secret())
        assert is_settled(plan_of(farm, want(with_secret())))
        (seen,) = look(farm).observed
        assert seen.spec.content == TEMPLATE
        assert seen.spec.secrets == with_secret().secrets

    def test_another_version_of_a_secret_is_a_change_of_that_alone(self) -> None:
        farm = synced(with_secret("1"))
        change = only_change(plan_of(farm, want(with_secret("2"))))
        assert [field.path for field in change.fields] == ["secrets"]
        assert change.cause is Cause.PENDING
        synced(with_secret("2"), farm=farm)
        assert is_settled(plan_of(farm, want(with_secret("2"))))

    def test_a_hand_in_it_is_told_by_a_fingerprint_only(self) -> None:
        farm = synced(with_secret())
        by_hand.edit_file(farm, HOST, PATH, "password hunter2\n")
        change = only_change(plan_of(farm, want(with_secret())))
        assert change.cause is Cause.DRIFT
        (field,) = change.fields
        assert field.after == TEMPLATE
        assert str(field.before).startswith("changed by hand (fingerprint ")
        assert "hunter2" not in repr(to_plain(change.observed))

    def test_a_file_that_becomes_secret_is_written_anew(self) -> None:
        farm = synced(a_file())
        change = only_change(sync(farm, want(with_secret())))
        assert {field.path for field in change.fields} == {"content", "secrets"}
        assert is_settled(plan_of(farm, want(with_secret())))

    def test_a_file_that_is_secret_no_more_is_written_anew(self) -> None:
        farm = synced(with_secret(), a_file())
        assert content_of(farm) == "pool a\n"
        assert is_settled(plan_of(farm, want(a_file())))

    def test_a_file_that_was_there_before_us_is_not_read(self) -> None:
        farm = base_farm(files={PATH: File(content="password hunter2\n")})
        change = only_change(plan_of(farm, want(with_secret())))
        assert "hunter2" not in repr(change)
        assert "not written by us" in str(change.fields[0].before)

    def test_marking_it_anew_keeps_what_is_known_of_it(self) -> None:
        farm = synced(with_secret())
        again = replace(want(with_secret()), digest="another")
        assert plan_of(farm, again).changes == ()
        sync(farm, again)
        assert is_settled(plan_of(farm, again))


@pytest.mark.parametrize("note", ["", "no JSON", "[]", '{"secrets": 3}', "null"])
def test_a_strange_note_says_nothing(note: str) -> None:
    read = note_of(Mark("file", OWNER, Question("file", PATH), note))
    assert (read.content, read.secrets) == (None, ())


def test_the_fingerprint_of_a_text_is_that_of_its_bytes() -> None:
    assert text_sum("ä\n") == "sha256:" + sha256("ä\n".encode()).hexdigest()


def test_something_that_is_neither_file_nor_link_is_seen() -> None:
    fact = FileFact("other", "0600", "root", "root", 0)
    spec = FILE.read(HOST, Question("file", PATH), Facts({Question("file", PATH): fact}), None)
    assert spec is not None
    assert [change.path for change in FILE.diff(a_file(), spec)][:1] == ["type"]


def test_dropping_undoes_only_what_was_done() -> None:
    assert FILE.drop(replace(a_file(), before="same")) == ()
    assert FILE.drop(a_file()) == ()
    assert FILE.drop(replace(absent(), before="nothing")) == ()
    assert FILE.drop(replace(a_file(), before="other")) == (RemovePath(PATH, restores=True),)


def test_a_service_is_told_when_a_file_that_it_reads_goes() -> None:
    farm = synced(a_file(reloads="cron"), farm=base_farm())
    read = base_of(farm).services["cron"].read
    sync(farm)
    assert content_of(farm) is None
    assert base_of(farm).services["cron"].read > read
    gone = synced(replace(absent(), reloads="cron"), farm=with_original())
    read = base_of(gone).services["cron"].read
    sync(gone)
    assert content_of(gone) == "pool debian\n"
    assert base_of(gone).services["cron"].read > read
    told = RestartService("cron", "reload")
    assert FILE.drop(a_file(before="other", reloads="cron"))[1:] == (told,)
    assert FILE.drop(a_file(before="same", reloads="cron")) == ()


def test_the_note_of_a_plain_file_repeats_nothing_of_it() -> None:
    assert json.loads(FILE.note(a_file(), None)) == {"before": "nothing"}


@pytest.mark.parametrize(
    ("path", "is_guarded"), [("/etc/ssh/sshd_config", True), ("/etc/motd", False)]
)
def test_a_file_on_the_management_path_has_a_way_back(path: str, *, is_guarded: bool) -> None:
    spec = replace(a_file(), path=path, before="nothing")
    (made,) = FILE.create(spec, OWNER)
    (gone,) = FILE.delete(spec, OWNER)
    for step in (made, gone):
        assert (getattr(step, "safety", None) is not None) is is_guarded
        assert ("way back" in str(step)) is is_guarded
