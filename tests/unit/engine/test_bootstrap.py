"""A bootstrap does what is not done, in order, and goes on wherever it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from reconciler.engine.bootstrap import Bare, Hands, carry_out
from reconciler.errors import Conflict, Stalled
from reconciler.render.bootstrap.step import Command, Door, Step


class Killed(BaseException):
    """The program ends here."""


@dataclass
class Server:
    """A machine on which each command leaves its name behind. It can end us at a command."""

    left: list[str] = field(default_factory=list)
    killed_at: str = ""
    after: bool = False
    broken: str = ""

    def says_yes(self, command: Command) -> bool:
        return command.argv[1] in self.left

    def carry_out(self, command: Command, deadline: timedelta) -> None:
        del deadline
        name = command.argv[1]
        if name == self.broken:
            raise Conflict("virt1", "bootstrap", "it does not go")
        if name == self.killed_at and not self.after:
            raise Killed
        if name != "idle":
            self.left.append(name)
        if name == self.killed_at:
            raise Killed


@dataclass
class Story:
    """What was told, and what was asked."""

    told: list[str] = field(default_factory=list)

    def begins(self, step: Step) -> None:
        self.told.append(f"begins {step.name}")

    def skipped(self, step: Step) -> None:
        self.told.append(f"skipped {step.name}")

    def done(self, step: Step) -> None:
        self.told.append(f"done {step.name}")


def step(name: str, *, destructive: bool = False, door: Door = Door.OURS, runs: str = "") -> Step:
    run = (Command(("leave", runs or name)),)
    return Step(name, name, door, run, Command(("has", name)), destructive=destructive)


STEPS = (
    step("key", door=Door.GIVEN),
    step("wipe", destructive=True),
    step("install", destructive=True),
    step("packages"),
)


def hands(server: Server, confirm: Callable[[Step], None] = lambda _: None) -> Hands:
    def machine(door: Door) -> Bare:
        del door
        return server

    return Hands(machine, {}, {}, confirm)


def test_all_steps_are_done_in_order() -> None:
    server, story = Server(), Story()
    carry_out(STEPS, hands(server), story)
    assert server.left == ["key", "wipe", "install", "packages"]
    assert story.told[:2] == ["begins key", "done key"]


def test_a_second_time_nothing_is_done() -> None:
    server, story = Server(), Story()
    carry_out(STEPS, hands(server), Story())
    carry_out(STEPS, hands(server), story)
    assert len(server.left) == len(STEPS)
    assert story.told == [f"skipped {each.name}" for each in STEPS]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", [each.name for each in STEPS])
def test_killed_at_any_step_it_goes_on_and_does_nothing_twice(name: str, after: bool) -> None:
    server = Server(killed_at=name, after=after)
    with pytest.raises(Killed):
        carry_out(STEPS, hands(server), Story())
    server.killed_at = ""
    carry_out(STEPS, hands(server), Story())
    assert server.left == ["key", "wipe", "install", "packages"]


def test_a_person_is_asked_once_before_the_first_thing_is_destroyed() -> None:
    asked: list[str] = []
    server = Server()
    carry_out(STEPS, hands(server, lambda each: asked.append(each.name)), Story())
    assert asked == ["wipe"]


def test_what_is_done_already_asks_nobody() -> None:
    server = Server(["key", "wipe", "install"])
    carry_out(STEPS, hands(server, lambda _: pytest.fail("asked")), Story())


def test_without_a_yes_nothing_is_destroyed() -> None:
    def no(_: Step) -> None:
        raise Stalled("no", "say yes")

    server = Server()
    with pytest.raises(Stalled):
        carry_out(STEPS, hands(server, no), Story())
    assert server.left == ["key"]


def test_it_stops_at_what_fails() -> None:
    server = Server(broken="wipe")
    with pytest.raises(Conflict):
        carry_out(STEPS, hands(server), Story())
    assert server.left == ["key"]


def test_a_step_that_says_it_is_done_and_is_not_is_found_out() -> None:
    with pytest.raises(Stalled, match="still not so"):
        carry_out((step("packages", runs="idle"),), hands(Server()), Story())


def test_steps_of_ours_are_done_here_and_seen_here() -> None:
    done: list[str] = []
    answers: Iterator[bool] = iter([False, True])
    server = Server()
    steps = (Step("pin", "pin", Door.HERE), step("let-in"))
    carry_out(
        steps,
        Hands(
            lambda _: server,
            {"pin": lambda: done.append("pin")},
            {"let-in": lambda: next(answers)},
            lambda _: None,
        ),
        Story(),
    )
    assert (done, server.left) == (["pin"], ["let-in"])
