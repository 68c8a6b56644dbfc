"""What the contract of machines is tried on: a base of known shape, and a person at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.model.resource import Owner
from reconciler.ports.acts import Act, PutDirectory, PutFile, PutMark, SetService
from reconciler.ports.facts import About, FileFact, Mark, Question, ServiceFact
from reconciler.ports.machine import Machine

ROOM = "/srv/contract"  # where tests may do as they like
FILE = f"{ROOM}/ntp.conf"
UNIT = "contract"
UNIT_PATH = f"/etc/systemd/system/{UNIT}.service"
PACKAGED_UNIT_PATH = f"/usr/lib/systemd/system/{UNIT}.service"
UNIT_TEXT = """[Unit]
Description=Tries a contract

[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/true

[Install]
WantedBy=multi-user.target
"""
PACKAGE = "acts-tool"
USER = "contractor"
GROUP = "contractors"
OWNER = Owner("production", "srv-contract-ntp.conf", "0123456789abcdef")

# What a lab host does not have, or what would not stay inside of it.
NOT_IN_THE_LAB = {
    "kernel modules": "all lab hosts share one kernel",
    "disks": "a lab host has no disks of its own",
    "a full disk": "a lab host shares the disk of the machine it is on",
    "another name": "the lab finds its hosts by their names",
}


@dataclass(frozen=True)
class MachineBench:
    """A machine under test, another reconciler that comes to it, and a person at its console."""

    machine: Machine
    rival: Callable[[], Machine]
    write: Callable[[str, str], None]
    remove: Callable[[str], None]
    set_disk: Callable[[str], None]
    add_port: Callable[[str], None]
    """Make a plain network interface."""
    load_rules: Callable[[str, str], None]
    """Have the kernel take a text as its table of the packet filter, whatever the file says."""

    def do(self, *acts: Act) -> None:
        self.machine.do(acts)

    def ask(self, about: About, name: str, *details: str) -> Any:
        """The one answer to one question."""
        question = Question(about, name, details)
        return self.machine.look([question]).answers[question]

    def file(self, path: str = FILE) -> FileFact:
        """The file that is there."""
        fact = self.ask("file", path)
        assert isinstance(fact, FileFact)
        return fact

    def service(self, *reads: str) -> ServiceFact:
        """The test's own service, which is there."""
        fact = self.ask("service", UNIT, *reads)
        assert isinstance(fact, ServiceFact)
        return fact

    def marks(self) -> dict[str, Mark]:
        """The marks of the test by the name of the thing."""
        return {mark.question.name: mark for mark in self.machine.look([]).marks}


def file(content: str = "server ntp\n", path: str = FILE, **changes: Any) -> PutFile:
    fields: dict[str, Any] = {"mode": "0644", "owner": "root", "group": "root"}
    return PutFile(path, content, **{**fields, **changes})


def mark(path: str = FILE, *details: str, **changes: Any) -> PutMark:
    fields: dict[str, Any] = {"kind": "file", "owner": OWNER, "note": ""}
    return PutMark(Mark(question=Question("file", path, details), **{**fields, **changes}))


ROOM_ITSELF = PutDirectory(ROOM, "0755", "root", "root")
UNIT_FILE = file(UNIT_TEXT, UNIT_PATH)
RUNNING = SetService(UNIT, running=True)
