"""Drift of machines, volumes and hosts that is accepted: into the document, on a branch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.drivers.simulated import by_hand, by_hand_base
from tests.remotes.origin import git
from tests.scenes.scene import GIB
from tests.story.desk import STACK, Desk

PRODUCTION = ("-e", "production")
WEB_1, MAIL, BACKUP = "production-web-1", "production-mail", "production-backup"
PATCH = "environments/production/vms/web-1.yaml"
MAIL_FILE = "environments/production/vms/mail.yaml"
Hand = Callable[[Desk], None]


def shrink_web(desk: Desk) -> None:
    by_hand.set_memory(desk.farm, desk.host_of(WEB_1), WEB_1, GIB)


def stop_mail(desk: Desk) -> None:
    by_hand.stop_domain(desk.farm, desk.host_of(MAIL), MAIL)


def accept(desk: Desk, *words: str) -> tuple[int, str]:
    done = desk.run("accept", *words, *PRODUCTION)
    return done.exit_code, done.output


def show(desk: Desk, branch: str, path: str) -> str:
    return desk.git("show", f"refs/heads/{branch}:{path}")


def merge(desk: Desk, branch: str) -> None:
    """What the button of a forge does."""
    clone = desk.root / "merging"
    git(desk.root, "clone", "--quiet", "--branch=production", str(desk.remote), str(clone))
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
    git(clone, *identity, "merge", "--quiet", "--no-ff", "-m", "Merge", f"origin/{branch}")
    git(clone, "push", "--quiet", "origin", "production")


def differing(desk: Desk) -> dict[str, str]:
    return {each["address"]: each["cause"] for each in desk.json("plan", *PRODUCTION)["changes"]}


def test_a_value_of_a_stack_becomes_an_override_of_this_environment_alone(desk: Desk) -> None:
    shrink_web(desk)
    code, said = accept(desk, "domain/web-1")
    assert code == 0, said
    branch = "accept/production/domain-web-1"
    assert f"memory_bytes: 2 GiB → 1 GiB ({PATCH})" in said
    assert f"pushed branch {branch}, to be merged into production" in said
    assert show(desk, branch, PATCH) == "kind: VirtualMachine\nname: web-1\nmemory: 1 GiB"
    assert desk.git("diff", "--name-only", "production", branch) == PATCH
    merge(desk, branch)
    assert differing(desk) == {}
    assert desk.run("sync", *PRODUCTION).exit_code == 0
    assert desk.farm.state.hosts[desk.host_of(WEB_1)].domains[WEB_1].definition.memory_bytes == GIB
    assert desk.run("sync", "-e", "staging").exit_code == 0


def test_the_message_says_what_was_seen_and_how_it_was_found(desk: Desk) -> None:
    desk.run("hold", "production", "domain/web-1", "--reason", "a trial")
    shrink_web(desk)
    assert desk.run("sync", *PRODUCTION).exit_code == 2
    code, said = accept(desk, "domain/web-1", "memory", "--world", "journal")
    assert code == 0, said
    message = desk.git("log", "-1", "--format=%B", "accept/production/domain-web-1")
    lines = message.splitlines()
    assert lines[0] == "Accept memory of domain/web-1 in production"
    assert any(line.strip().startswith("memory_bytes: 2 GiB → 1 GiB") for line in lines)
    assert any(line.startswith("In the journal since ") and "audit" in line for line in lines)
    assert lines[-2:] == [
        "Reconciler-Environment: production",
        "Reconciler-Resource: domain/web-1",
    ]
    assert "[skip ci]" not in message


def test_a_document_of_the_environment_is_changed_where_it_stands(desk: Desk) -> None:
    text = show(desk, "production", MAIL_FILE)
    desk.edit(MAIL_FILE, "name: mail\n", "name: mail   # of everybody\nrunning: true  # always\n")
    assert desk.run("sync", *PRODUCTION).exit_code == 0
    stop_mail(desk)
    code, said = accept(desk, "domain/mail")
    assert code == 0, said
    changed = show(desk, "accept/production/domain-mail", MAIL_FILE)
    marks = "name: mail   # of everybody\nrunning: false  # always\n"
    assert changed == text.replace("name: mail\n", marks)
    merge(desk, "accept/production/domain-mail")
    assert differing(desk) == {}


def test_a_volume_that_grew_is_accepted_in_the_list_of_disks(desk: Desk) -> None:
    volume = "production-web-1-data"
    farm, host = desk.farm, desk.host_of(WEB_1)
    farm.hypervisor(host).grow_volume("default", volume, 20 * GIB)
    code, said = accept(desk, "volume/web-1-data")
    assert code == 0, said
    patch = show(desk, "accept/production/volume-web-1-data", PATCH)
    assert patch.endswith("disks:\n  - {name: data, size: 20 GiB}")
    merge(desk, "accept/production/volume-web-1-data")
    assert differing(desk) == {}


HANDS: dict[str, tuple[Hand, str, str]] = {
    "a kernel setting": (
        lambda desk: by_hand_base.set_sysctl(desk.farm, "virt1", "vm.swappiness", "33"),
        "sysctl@virt1/vm.swappiness",
        "{name: vm.swappiness, value: '33'}",
    ),
    "a file": (
        lambda desk: by_hand_base.edit_file(desk.farm, "virt1", "/etc/motd", "Hands off\nme\n"),
        "file@virt1/etc-motd",
        'content: "Hands off\\nme\\n"',
    ),
    "its permissions": (
        lambda desk: by_hand_base.set_mode(desk.farm, "virt1", "/etc/motd", "0600"),
        "file@virt1/etc-motd",
        "mode: '0600'",
    ),
}


@pytest.mark.parametrize("name", HANDS)
def test_what_was_changed_on_one_host_is_said_of_that_host_alone(desk: Desk, name: str) -> None:
    hand, address, expected = HANDS[name]
    desk.edit(
        "hosts/virt1.yaml",
        "hostname: virt1\n",
        "hostname: virt1\n"
        'files:\n  # for who logs in\n  - {path: /etc/motd, content: "Hello\\n"}\n'
        "sysctls:\n  - {name: vm.swappiness, value: '10'}\n",
    )
    assert desk.run("sync", *PRODUCTION).exit_code == 0
    hand(desk)
    code, said = accept(desk, address)
    assert code == 0, said
    branch = said.split("pushed branch ")[1].split(",")[0]
    changed = show(desk, branch, "hosts/virt1.yaml")
    assert expected in changed + "\n"
    assert "# for who logs in" in changed
    merge(desk, branch)
    assert desk.run("sync", *PRODUCTION).exit_code == 0
    assert differing(desk) == {}


def test_a_machine_that_is_gone_is_described_no_more_only_on_request(desk: Desk) -> None:
    by_hand.stop_domain(desk.farm, desk.host_of(BACKUP), BACKUP)
    by_hand.remove_domain(desk.farm, desk.host_of(BACKUP), BACKUP)
    code, said = accept(desk, "domain/backup")
    assert code == 1
    assert "say so with --gone" in said
    code, said = accept(desk, "domain/backup", "--gone")
    assert code == 0, said
    assert "delete volume/backup-root" in said
    branch = "accept/production/domain-backup"
    gone = "environments/production/vms/backup.yaml"
    assert desk.git("diff", "--name-status", "production", branch) == f"D\t{gone}"


def test_a_shared_machine_that_is_gone_is_left_out_of_this_environment_alone(desk: Desk) -> None:
    by_hand.stop_domain(desk.farm, desk.host_of(WEB_1), WEB_1)
    by_hand.remove_domain(desk.farm, desk.host_of(WEB_1), WEB_1)
    code, said = accept(desk, "domain/web-1", "--gone")
    if code == 0:
        text = show(desk, "accept/production/domain-web-1", PATCH)
        assert text == "kind: VirtualMachine\nname: web-1\nabsent: true"
    else:  # something else names it, which is told
        assert "this would be wrong then" in said


def test_what_git_changed_since_is_no_drift(desk: Desk) -> None:
    shrink_web(desk)
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB")
    code, said = accept(desk, "domain/web-1")
    assert code == 1
    assert "git has changed it since what was applied last: sync first" in said


def test_what_no_document_says_is_refused_with_the_reason(desk: Desk) -> None:
    host = desk.host_of(WEB_1)
    definition = desk.farm.state.hosts[host].domains[WEB_1].definition
    elsewhere = replace(definition.interfaces[0], bridge="br-stg")
    by_hand.redefine(desk.farm, host, replace(definition, interfaces=(elsewhere,)))
    code, said = accept(desk, "domain/web-1")
    assert code == 1
    assert "it is plugged in elsewhere: name that network in the document" in said


def test_what_is_as_git_says_or_nobodys_cannot_be_accepted(desk: Desk) -> None:
    assert "there is nothing to accept" in accept(desk, "domain/mail")[1]
    by_hand.strip_mark(desk.farm, desk.host_of(MAIL), MAIL)
    assert accept(desk, f"domain@{desk.host_of(MAIL)}/{MAIL}")[1].count("reconciler adopt") == 1
    assert "there is no domain/nobody" in accept(desk, "domain/nobody")[1]
    assert "there is no kind server" in accept(desk, "server/x")[1]
    stop_mail(desk)


def test_only_named_fields_are_accepted(desk: Desk) -> None:
    host = desk.host_of(WEB_1)
    shrink_web(desk)
    by_hand.stop_domain(desk.farm, host, WEB_1)
    code, said = accept(desk, "domain/web-1", "running")
    assert code == 0, said
    patch = show(desk, "accept/production/domain-web-1", PATCH)
    assert patch == "kind: VirtualMachine\nname: web-1\nrunning: false"
    code, said = accept(desk, "domain/web-1", "cpus")
    assert code == 1
    assert "cpus of domain/web-1 does not differ; " in said


def test_a_work_tree_can_be_written_instead(desk: Desk) -> None:
    tree = desk.root / "work"
    git(desk.root, "clone", "--quiet", "--branch=production", str(desk.remote), str(tree))
    shrink_web(desk)
    code, said = accept(desk, "domain/web-1", "--into", str(tree))
    assert code == 0, said
    assert f"wrote {PATCH}" in said
    assert (tree / PATCH).read_text("utf-8") == "kind: VirtualMachine\nname: web-1\nmemory: 1 GiB\n"
    assert "accept/" not in desk.git("branch", "--list", "accept/*")


def test_what_would_be_wrong_is_not_written(desk: Desk) -> None:
    by_hand.set_memory(desk.farm, desk.host_of(WEB_1), WEB_1, GIB + 4096)
    before = desk.git("for-each-ref", "refs/heads")
    code, said = accept(desk, "domain/web-1")
    assert code == 1
    assert "nothing is written, because this would be wrong then" in said
    assert desk.git("for-each-ref", "refs/heads") == before


def test_the_same_again_is_there_already_and_another_gets_a_number(desk: Desk) -> None:
    shrink_web(desk)
    assert accept(desk, "domain/web-1")[0] == 0
    assert (
        "is there already: branch accept/production/domain-web-1,"
        in accept(desk, "domain/web-1")[1]
    )
    by_hand.set_memory(desk.farm, desk.host_of(WEB_1), WEB_1, GIB + GIB // 2)
    assert "pushed branch accept/production/domain-web-1-2," in accept(desk, "domain/web-1")[1]


def test_a_refused_push_is_told_with_what_it_would_have_said(desk: Desk) -> None:
    hook = desk.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngrep -q ' refs/heads/accept/' && { echo no; exit 1; }\nexit 0\n")
    hook.chmod(0o755)
    shrink_web(desk)
    code, said = accept(desk, "domain/web-1")
    assert code == 1
    assert "accept/production/domain-web-1 was not taken" in said
    assert "+memory: 1 GiB" in said


def test_an_address_that_is_none_is_refused(desk: Desk) -> None:
    assert "is not an address" in accept(desk, "web-1")[1]
    assert accept(desk, "zone/farm.internal", "--gone")[0] == 1


def test_what_was_healed_meanwhile_cannot_be_accepted(desk: Desk) -> None:
    shrink_web(desk)
    assert desk.run("sync", *PRODUCTION).exit_code == 0
    assert "there is nothing to accept" in accept(desk, "domain/web-1")[1]


def test_other_branches_of_people_stay_as_they_are(desk: Desk) -> None:
    before = {name: desk.head(name) for name in ("production", "staging", "development")}
    shrink_web(desk)
    accept(desk, "domain/web-1")
    assert {name: desk.head(name) for name in before} == before
