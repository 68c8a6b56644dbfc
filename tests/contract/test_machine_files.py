"""What every machine promises about files, directories and links."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from reconciler.errors import Conflict
from reconciler.ports.acts import Act, Forget, PutDirectory, PutLink, RemovePath
from reconciler.ports.facts import Question
from tests.contract.machine_bench import FILE, ROOM, MachineBench, file, mark

LARGE = "0123456789abcdef" * 4096 + "\n"


def test_a_file_is_seen_as_it_was_put(machine_bench: MachineBench) -> None:
    machine_bench.do(file("server ntp\n", mode="0640", group="adm"))
    seen = machine_bench.file()
    assert (seen.type, seen.mode, seen.owner, seen.group) == ("file", "0640", "root", "adm")
    assert (seen.content, seen.size_bytes, seen.target) == ("server ntp\n", 11, None)
    assert seen.sum == sha256(b"server ntp\n").hexdigest()
    assert not seen.is_sealed


def test_what_is_not_there_is_told_as_such(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("file", f"{ROOM}/nothing") is None
    assert machine_bench.ask("file", f"{ROOM}/no/such/place", "absent") is None


def test_a_long_file_has_a_sum_and_no_content(machine_bench: MachineBench) -> None:
    machine_bench.do(file(LARGE))
    seen = machine_bench.file()
    assert seen.content is None
    assert seen.sum == sha256(LARGE.encode()).hexdigest()


@pytest.mark.parametrize("path", [FILE, f"{ROOM}/other"])
def test_a_secret_content_is_told_to_nobody(machine_bench: MachineBench, path: str) -> None:
    """Not even as a sum that could be guessed at, and not by asking for it twice."""
    machine_bench.do(file("server ntp\n", path))
    plain, secret = Question("file", path), Question("file", path, ("secret",))
    for answer in machine_bench.machine.look([plain, secret]).answers.values():
        assert answer is not None
        assert "server" not in str(answer)
        assert sha256(b"server ntp\n").hexdigest() not in str(answer)


def test_a_directory_and_a_link_are_seen(machine_bench: MachineBench) -> None:
    machine_bench.do(
        PutDirectory(f"{ROOM}/data", "2775", "root", "adm"), PutLink(f"{ROOM}/link", "data/x")
    )
    data, link = machine_bench.file(f"{ROOM}/data"), machine_bench.file(f"{ROOM}/link")
    assert (data.type, data.mode, data.group, data.content) == ("directory", "2775", "adm", None)
    assert (link.type, link.target, link.content) == ("link", "data/x", None)


@pytest.mark.parametrize(
    "act",
    [
        file(),
        PutDirectory(f"{ROOM}/data", "0700", "root", "root"),
        PutLink(f"{ROOM}/link", "/etc/hostname"),
        RemovePath(f"{ROOM}/nothing"),
        RemovePath(f"{ROOM}/nothing", restores=True),
    ],
    ids=str,
)
def test_doing_it_again_changes_nothing(machine_bench: MachineBench, act: Act) -> None:
    questions = [Question("file", f"{ROOM}/{name}") for name in ("ntp.conf", "data", "link")]
    machine_bench.do(act)
    before = machine_bench.machine.look(questions).answers
    machine_bench.do(act)
    assert machine_bench.machine.look(questions).answers == before


@pytest.mark.parametrize(
    ("first", "then", "type_"),
    [
        (file("a\n"), file("b\n"), "file"),
        (file("a\n"), PutLink(FILE, "x"), "link"),
        (PutLink(FILE, "/etc/hostname"), file("b\n"), "file"),
        (PutLink(FILE, "a"), PutLink(FILE, "b"), "link"),
    ],
    ids=["file over file", "link over file", "file over link", "link over link"],
)
def test_files_and_links_are_replaced(
    machine_bench: MachineBench, first: Act, then: Act, type_: str
) -> None:
    machine_bench.do(first)
    machine_bench.do(then)
    assert machine_bench.file().type == type_


def test_a_link_is_never_written_through(machine_bench: MachineBench) -> None:
    machine_bench.do(file("kept\n", f"{ROOM}/kept"), PutLink(FILE, f"{ROOM}/kept"))
    machine_bench.do(file("new\n"))
    assert machine_bench.file(f"{ROOM}/kept").content == "kept\n"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (file(path=f"{ROOM}/missing/ntp.conf"), "missing"),
        (file(path="/etc/hostname/ntp.conf"), "hostname"),
        (file(path=ROOM), "directory"),
        (PutLink(ROOM, "x"), "directory"),
        (file(owner="no-such-user"), "no-such-user"),
        (file(group="no-such-group"), "no-such-group"),
        (file("SYNTAX ERROR\n", check=("false",)), "ntp.conf"),
        (PutDirectory(f"{ROOM}/there", "0755", "root", "root"), "there"),
        (RemovePath(ROOM), "directory|empty"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(
    machine_bench: MachineBench, wrong: Act, reason: str
) -> None:
    machine_bench.do(file("before\n"), file("x", f"{ROOM}/there"))
    with pytest.raises(Conflict, match=reason):
        machine_bench.do(wrong)
    assert machine_bench.file().content == "before\n"
    assert machine_bench.file(f"{ROOM}/there").type == "file"


def test_a_check_that_is_content_lets_it_pass(machine_bench: MachineBench) -> None:
    machine_bench.do(file("good\n", check=("grep", "-q", "good", "{}")))
    assert machine_bench.file().content == "good\n"


def test_the_first_failure_ends_the_batch(machine_bench: MachineBench) -> None:
    first, last = file("a\n"), file("b\n", f"{ROOM}/last")
    with pytest.raises(Conflict, match="no-such-user"):
        machine_bench.do(first, file(path=f"{ROOM}/x", owner="no-such-user"), last)
    assert machine_bench.file().content == "a\n"
    assert machine_bench.ask("file", f"{ROOM}/last") is None


# ------------------------------------------------------------------------- what was there before


def test_what_was_there_before_us_comes_back(machine_bench: MachineBench) -> None:
    machine_bench.write(FILE, "by hand\n")
    machine_bench.do(file("ours\n"), mark())
    machine_bench.do(file("ours, newer\n"), mark())
    machine_bench.do(RemovePath(FILE, restores=True), Forget("file", Question("file", FILE)))
    assert machine_bench.file().content == "by hand\n"


def test_where_nothing_was_nothing_is_left(machine_bench: MachineBench) -> None:
    machine_bench.do(file("ours\n"), mark())
    machine_bench.do(RemovePath(FILE, restores=True), Forget("file", Question("file", FILE)))
    assert machine_bench.ask("file", FILE) is None


def test_what_was_ours_as_it_was_comes_back_when_it_was_changed(
    machine_bench: MachineBench,
) -> None:
    machine_bench.write(FILE, "by hand\n")
    machine_bench.do(mark())
    machine_bench.do(file("ours\n"), mark())
    machine_bench.do(RemovePath(FILE, restores=True), Forget("file", Question("file", FILE)))
    assert machine_bench.file().content == "by hand\n"


def test_what_was_removed_comes_back_too(machine_bench: MachineBench) -> None:
    machine_bench.write(FILE, "by hand\n")
    machine_bench.do(RemovePath(FILE), mark(FILE, "absent"))
    assert machine_bench.ask("file", FILE) is None
    machine_bench.do(RemovePath(FILE, restores=True), Forget("file", Question("file", FILE)))
    assert machine_bench.file().content == "by hand\n"


def test_each_time_it_is_the_latest_of_others_that_comes_back(machine_bench: MachineBench) -> None:
    forget = (RemovePath(FILE, restores=True), Forget("file", Question("file", FILE)))
    for content in ("first\n", "second\n"):
        machine_bench.write(FILE, content)
        machine_bench.do(file("ours\n"), mark())
        machine_bench.do(*forget)
        assert machine_bench.file().content == content


def test_a_directory_with_something_in_it_stays(machine_bench: MachineBench) -> None:
    data = f"{ROOM}/data"
    machine_bench.do(PutDirectory(data, "0755", "root", "root"), mark(data))
    machine_bench.write(f"{data}/of-somebody", "x")
    machine_bench.do(RemovePath(data, restores=True), Forget("file", Question("file", data)))
    assert machine_bench.file(f"{data}/of-somebody").content == "x"


@pytest.mark.needs("a full disk")
@pytest.mark.parametrize("disk", ["full", "read-only"])
@pytest.mark.parametrize("act", [file("new\n"), mark(), RemovePath(FILE)], ids=str)
def test_a_disk_that_takes_nothing_leaves_all_as_it_is(
    machine_bench: MachineBench, disk: Any, act: Act
) -> None:
    machine_bench.do(file("before\n"))
    machine_bench.set_disk(disk)
    with pytest.raises(Conflict, match=r"No space left|Read-only"):
        machine_bench.do(act)
    assert machine_bench.file().content == "before\n"
    assert machine_bench.marks() == {}
