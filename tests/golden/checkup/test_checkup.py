"""What is said of a host, from its captured answer to the words for people and programs."""

from __future__ import annotations

from pathlib import Path

from reconciler.drivers.ssh.checkup import facts_of, read_answer
from reconciler.plan.checkup.finding import Finding
from reconciler.plan.checkup.hosts import judge_host
from reconciler.plan.checkup.observation import (
    Answer,
    HostKey,
    HostObservation,
    OperatorObservation,
    Trouble,
)
from reconciler.plan.checkup.operator import judge_operator
from reconciler.plan.checkup.show import checkup_document, checkup_lines
from reconciler.plan.show.json import json_text
from tests.conftest import Golden

HERE = Path(__file__).parent
KEY = HostKey(
    "wrong",
    "ssh-ed25519 SHA256:VrUss0U76rwjbPLv8eF3cVZIZ3RvivPruYayt5IX2VU",
    "10.0.0.2 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdP2rBu12SCQezWxklSAnHUI3OdaVBBm",
    "/etc/reconciler/known_hosts",
    ("ssh-ed25519 SHA256:3Hz/OuolVoYCX6+bkAQkkZgeEfcY/97cSxQCn/mAw38",),
)


def all_findings() -> list[Finding]:
    operator = OperatorObservation(
        "/etc/reconciler/reconciler.yaml",
        0o666,
        answers=(
            Answer("repository", "it answers"),
            Answer("branch staging", "x", "staging has no branch", "push one", is_minor=True),
            Answer("journal production", "x", "records are refused: \x1b[31mprotected", "allow it"),
        ),
    )
    facts = facts_of(read_answer((HERE / "fresh-host.answer").read_bytes()), -31.5, 0.01)
    return [
        *judge_operator(operator),
        *judge_host(HostObservation("virt1", "10.0.0.1", "kvm", facts=facts)),
        *judge_host(HostObservation("virt2", "10.0.0.2", "kvm", KEY)),
        *judge_host(HostObservation("virt3", "10.0.0.3", "kvm", trouble=Trouble("look", "no"))),
    ]


def test_for_people(golden: Golden) -> None:
    text = "".join(f"{line}\n" for line, _ in checkup_lines(all_findings()))
    assert "\x1b" not in text
    golden(HERE / "checkup.txt", text)


def test_for_programs(golden: Golden) -> None:
    golden(HERE / "checkup.json", json_text(checkup_document(all_findings())))
