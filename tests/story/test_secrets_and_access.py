"""S18, S28: first boot data are told nowhere, and a plan from the journal reaches no host."""

from __future__ import annotations

import sys
from typing import Any

from tests.remotes.origin import git
from tests.story.desk import STACK, Desk

CANARY = "canary-in-a-file"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42 + " canary-of-a-key"
FIRST_BOOT = f"""\
first_boot:
  accounts: [{{name: ada, ssh_keys: ['{KEY}']}}]
  files: [{{path: /etc/x, content: '{CANARY}'}}]
"""


def test_what_first_boot_data_say_is_in_no_plan_no_journal_and_no_spool(new_desk: Desk) -> None:
    new_desk.edit(STACK, "restart: automatic\n", f"restart: automatic\n{FIRST_BOOT}")
    here = ("--environment", "production")
    said = "".join(
        new_desk.run(*words, *here).output
        for words in (
            *(("plan", "--format", form) for form in ("text", "json", "markdown")),
            ("-v", "sync"),
            ("status", "--format", "json"),
            ("history",),
        )
    )
    assert "first boot" in said or "seed" in said
    assert "canary" not in said
    for ref in git(new_desk.remote, "for-each-ref", "--format=%(refname)", "refs").split():
        if "reconciler" in ref:
            tree = git(new_desk.remote, "ls-tree", "-r", "--format=%(objectname)", ref).split()
            texts = (git(new_desk.remote, "cat-file", "-p", blob) for blob in tree)
            assert not [text for text in texts if "canary" in text]
    spool = (path for path in (new_desk.root / "state").rglob("*") if path.is_file())
    assert not [path for path in spool if b"canary" in path.read_bytes()]


def test_a_plan_from_the_journal_needs_no_key_and_opens_no_socket(desk: Desk) -> None:
    desk.settings.write_text(
        f"repository: {{url: {desk.remote}}}\nstate_directory: state\n", encoding="utf-8"
    )
    opened: list[str] = []
    is_listening = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if is_listening and event.startswith("socket."):
            opened.append(f"{event} {arguments!r}")

    sys.addaudithook(hook)
    done = desk.run("plan", "--environment", "production", "--world", "journal")
    is_listening = False
    assert done.exit_code == 0, done.output
    assert opened == []
