"""What every machine promises about what it remembers, and about who may change it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Conflict
from reconciler.model.resource import Owner
from reconciler.ports.acts import Forget
from reconciler.ports.facts import FileFact, Question
from tests.contract.machine_bench import FILE, OWNER, ROOM, MachineBench, file, mark

QUESTION = Question("file", FILE)


def test_a_mark_is_told_unasked_with_what_it_is_about(machine_bench: MachineBench) -> None:
    machine_bench.do(file(), mark(note="a note"))
    facts = machine_bench.machine.look([])
    (found,) = [each for each in facts.marks if each.question == QUESTION]
    assert (found.kind, found.owner, found.note) == ("file", OWNER, "a note")
    assert isinstance(facts.answers[QUESTION], FileFact)


def test_the_answer_for_a_marked_thing_that_is_gone_is_that(machine_bench: MachineBench) -> None:
    machine_bench.do(file(), mark())
    machine_bench.remove(FILE)
    assert machine_bench.machine.look([]).answers[QUESTION] is None


def test_there_is_one_mark_for_a_thing(machine_bench: MachineBench) -> None:
    newer = Owner("production", "srv-contract-ntp.conf", "fedcba9876543210")
    machine_bench.do(file(), mark())
    machine_bench.do(mark(FILE, "secret", owner=newer))
    found = [each for each in machine_bench.machine.look([]).marks if each.question.name == FILE]
    assert [each.owner for each in found] == [newer]
    assert found[0].question.details == ("secret",)


def test_a_thing_that_is_forgotten_stays(machine_bench: MachineBench) -> None:
    machine_bench.do(file(), mark(), mark(f"{ROOM}/other"))
    machine_bench.do(Forget("file", QUESTION))
    assert FILE not in machine_bench.marks()
    assert f"{ROOM}/other" in machine_bench.marks()
    assert machine_bench.file().content == "server ntp\n"


def test_forgetting_what_is_not_known_is_done(machine_bench: MachineBench) -> None:
    machine_bench.do(Forget("file", QUESTION))
    machine_bench.do(Forget("sysctl", QUESTION))
    assert machine_bench.marks() == {}


def test_the_mark_of_a_file_seals_its_content(machine_bench: MachineBench) -> None:
    machine_bench.do(file(), mark())
    assert machine_bench.file().is_sealed
    machine_bench.write(FILE, "by hand\n")
    assert not machine_bench.file().is_sealed
    machine_bench.write(FILE, "server ntp\n")
    assert machine_bench.file().is_sealed


def test_a_mark_alone_does_not_seal_what_somebody_wrote_into_a_secret_file(
    machine_bench: MachineBench,
) -> None:
    """What must not be read cannot be compared: only what was written by us is known."""
    machine_bench.write(FILE, "by hand\n")
    machine_bench.do(mark(FILE, "secret"))
    assert not machine_bench.ask("file", FILE, "secret").is_sealed


def test_whoever_looked_before_another_wrote_is_refused(machine_bench: MachineBench) -> None:
    rival = machine_bench.rival()
    machine_bench.machine.look([])
    rival.look([])
    rival.do([file("of the rival\n")])
    with pytest.raises(Conflict, match="another reconciler"):
        machine_bench.do(file("of ours\n"))
    assert machine_bench.file().content == "of the rival\n"


def test_whoever_looks_again_may_write_again(machine_bench: MachineBench) -> None:
    rival = machine_bench.rival()
    rival.look([])
    rival.do([file("of the rival\n")])
    machine_bench.machine.look([])
    machine_bench.do(file("of ours\n"))
    assert machine_bench.file().content == "of ours\n"
    with pytest.raises(Conflict, match="another reconciler"):
        rival.do([file("of the rival\n")])


def test_who_writes_alone_need_not_look_in_between(machine_bench: MachineBench) -> None:
    machine_bench.machine.look([])
    for content in ("a\n", "b\n", "c\n"):
        machine_bench.do(file(content))
    assert machine_bench.file().content == "c\n"


def test_doing_nothing_is_nothing(machine_bench: MachineBench) -> None:
    before = machine_bench.machine.look([QUESTION])
    machine_bench.do()
    assert machine_bench.machine.look([QUESTION]) == replace(before)
