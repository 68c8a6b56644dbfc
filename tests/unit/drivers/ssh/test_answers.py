"""What a host answered, read as facts."""

from __future__ import annotations

import json
from typing import Any

from reconciler.drivers.ssh.answers import look_of
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.facts import (
    FileFact,
    Mark,
    PackageFact,
    Question,
    ReadFact,
    ServiceFact,
)

HEADER = {"version": 1, "fence": "", "boot": "b-1", "time": 1.5, "host": "virt1"}
FILE, PACKAGE = Question("file", "/etc/motd"), Question("package", "chrony")
SERVICE = Question("service", "chrony", ("/etc/chrony.conf",))
FILE_FACT = {
    "type": "file",
    "mode": "0644",
    "owner": "root",
    "group": "root",
    "size_bytes": 3,
    "content": "hi\n",
    "sum": "ab",
    "is_sealed": True,
}
READ = {"path": "/etc/chrony.conf", "sum": "cd", "is_current": False, "is_sealed": True}
SERVICE_FACT = {"is_enabled": True, "is_running": True, "is_masked": False, "reads": [READ]}
MARK = Mark("file", Owner("production", "etc-motd", "d1"), FILE, "note")


def plain(question: Question) -> dict[str, Any]:
    return {**vars_of(question), "details": list(question.details)}


def vars_of(question: Question) -> dict[str, Any]:
    return {"about": question.about, "name": question.name}


def answer(question: Question, fact: Any) -> dict[str, Any]:
    return {"question": plain(question), "fact": fact}


def mark_line() -> dict[str, Any]:
    owner = {"environment": "production", "name": "etc-motd", "digest": "d1"}
    return {"mark": {"kind": "file", "owner": owner, "question": plain(FILE), "note": "note"}}


def printed(*lines: dict[str, Any], header: Any = HEADER) -> bytes:
    answers = [line for line in lines if "question" in line]
    whole = ({"header": header}, *lines, {"undone": {}}, {"end": len(answers)})
    return "".join(json.dumps(line) + "\n" for line in whole).encode()


def test_each_answer_becomes_a_fact_of_its_kind() -> None:
    text = printed(answer(FILE, FILE_FACT), answer(PACKAGE, None), answer(SERVICE, SERVICE_FACT))
    look = look_of("virt1", [FILE, PACKAGE, SERVICE], text)
    read = ReadFact("/etc/chrony.conf", "cd", is_current=False, is_sealed=True)
    assert look.facts.answers == {
        FILE: FileFact("file", "0644", "root", "root", 3, "hi\n", "ab", None, is_sealed=True),
        PACKAGE: None,
        SERVICE: ServiceFact(is_enabled=True, is_running=True, is_masked=False, reads=(read,)),
    }
    assert (look.header.boot, look.header.time) == ("b-1", 1.5)


def test_what_a_mark_asks_is_answered_without_being_asked() -> None:
    look = look_of("virt1", [], printed(mark_line(), answer(FILE, None)))
    assert look.facts.marks == (MARK,)
    assert look.facts.answers == {FILE: None}


def test_a_pool_is_told_by_what_it_lies_on() -> None:
    pool = Question("pool", "default", ("package", "chrony"))
    fact = {"version": "1", "is_held": False}
    look = look_of("virt1", [pool], printed(answer(pool, fact)))
    assert look.facts.answers == {pool: PackageFact("1", is_held=False)}


def test_what_the_switch_took_back_is_told() -> None:
    lines = [
        {"header": HEADER},
        {"undone": {"service@virt1/ssh": "d9"}},
        {"end": 0},
    ]
    text = "\n".join(map(json.dumps, lines)).encode()
    look = look_of("virt1", [], text)
    assert look.facts.undone == {Address("service", "ssh", "virt1"): "d9"}


def test_all_that_could_not_be_found_out_is_told_at_once() -> None:
    failed = [
        {"question": plain(question), "failed": f"no {question.name}"}
        for question in (FILE, PACKAGE)
    ]
    look = look_of("virt1", [FILE, PACKAGE, SERVICE], printed(*failed, answer(SERVICE, None)))
    assert look.facts.failed == {FILE: "no /etc/motd", PACKAGE: "no chrony"}
    assert look.facts.answers == {SERVICE: None}
