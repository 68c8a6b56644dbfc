"""`doctor` at the command line: what it says of settings, repository and hosts, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remotes.sshd import ADDRESS, Sshd, running_sshd
from tests.story.desk import Desk, program

HOST = "hosts/virt1.yaml"


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    directory = tmp_path / "sshd"
    directory.mkdir()
    with running_sshd(directory) as server:
        yield server


def found(desk: Desk, *arguments: str) -> dict[tuple[str, str], str]:
    """The levels by subject and name."""
    told = desk.json("doctor", *arguments)["findings"]
    return {(each["subject"], each["name"]): each["level"] for each in told}


def real(desk: Desk, sshd: Sshd) -> None:
    """Settings of a real farm whose hosts are all this machine."""
    access = sshd.access()
    desk.settings.write_text(
        f"repository: {{url: {desk.remote}}}\nstate_directory: state\n"
        f"hosts: {{ssh_key: {access.key_file}, known_hosts: {access.known_hosts}, "
        f"port: {sshd.port}}}\n",
        encoding="utf-8",
    )


def test_a_sound_desk_is_praised(new_desk: Desk) -> None:
    done = new_desk.run("doctor")
    assert done.exit_code == 0, done.output
    assert "this machine and the repository" in done.stdout
    assert "all well" in done.stdout


def test_json_says_the_same(new_desk: Desk) -> None:
    told = new_desk.json("doctor")
    assert told["sound"] is True
    assert {"settings", "state", "repository", "journal production"} <= {
        each["name"] for each in told["findings"]
    }


def test_every_problem_of_the_settings_is_a_finding(new_desk: Desk) -> None:
    new_desk.settings.write_text("repo: {}\ninterval: 0s\n", encoding="utf-8")
    done = new_desk.run("doctor")
    assert done.exit_code == 1
    assert done.stdout.count("BAD   settings") == 2
    assert "Traceback" not in done.output


def test_settings_that_others_may_write_are_bad(new_desk: Desk) -> None:
    new_desk.settings.chmod(0o666)
    assert found(new_desk)["here", "settings"] == "bad"


def test_a_state_directory_that_others_may_read_is_worth_knowing(new_desk: Desk) -> None:
    (new_desk.root / "state").mkdir(mode=0o755)
    assert found(new_desk)["here", "state"] == "warn"
    assert new_desk.run("doctor").exit_code == 0


def test_a_repository_that_is_not_there_is_one_finding(new_desk: Desk) -> None:
    done = new_desk.run("doctor", "--repo", str(new_desk.root / "nowhere.git"))
    assert done.exit_code == 1
    assert done.stdout.count("BAD") == 1
    assert "BAD   repository" in done.stdout


def test_a_branch_that_does_not_load_is_named(new_desk: Desk) -> None:
    new_desk.edit("stacks/debian-web.yaml", "memory: 2 GiB", "memmory: 2 GiB")
    assert found(new_desk)["here", "branch production"] == "bad"
    assert "reconciler validate" in new_desk.run("doctor").stdout


def test_records_that_the_remote_did_not_take_are_told(new_desk: Desk) -> None:
    hook = new_desk.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    new_desk.run("sync", "-e", "production")
    assert found(new_desk)["here", "journal production"] == "warn"
    assert "records are not pushed yet" in new_desk.run("doctor").stdout


def test_a_missing_key_is_told_with_what_to_do(new_desk: Desk) -> None:
    new_desk.settings.write_text(
        f"repository: {{url: {new_desk.remote}}}\nstate_directory: state\n", encoding="utf-8"
    )
    done = new_desk.run("doctor")
    assert done.exit_code == 1
    assert "hosts.ssh_key is not set" in done.stdout
    assert "ssh-keygen" in done.stdout


def test_a_host_is_asked_over_ssh(new_desk: Desk, sshd: Sshd) -> None:
    real(new_desk, sshd)
    new_desk.edit(HOST, "address: 10.10.59.1", f"address: {ADDRESS}")
    seen = found(new_desk, "--host", "virt1")
    assert seen["virt1", "host key"] == "ok"
    assert seen["virt1", "clock"] == "ok"
    assert {subject for subject, _ in seen} == {"here", "virt1"}


def test_a_host_whose_key_is_not_pinned_is_not_asked(new_desk: Desk, sshd: Sshd) -> None:
    real(new_desk, sshd)
    new_desk.edit(HOST, "address: 10.10.59.1", f"address: {ADDRESS}")
    sshd.known_hosts().write_text("")
    seen = found(new_desk, "--host", "virt1")
    assert seen["virt1", "host key"] == "bad"
    assert ("virt1", "clock") not in seen


def test_a_host_that_no_branch_describes_is_a_message(new_desk: Desk) -> None:
    done = new_desk.run("doctor", "--host", "virt9")
    assert done.exit_code == 1
    assert "no Host document describes virt9" in done.stderr


def test_a_bootstrap_is_shown_without_touching_anything(new_desk: Desk, sshd: Sshd) -> None:
    real(new_desk, sshd)
    done = new_desk.run("host", "bootstrap", "virt1", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "let-in: add our public key" in done.stdout
    assert "apt-get" in done.stdout
    assert "PRIVATE" not in done.stdout


def test_a_rescue_system_needs_an_install(new_desk: Desk, sshd: Sshd) -> None:
    real(new_desk, sshd)
    done = new_desk.run("host", "bootstrap", "virt1", "--rescue", "--dry-run")
    assert done.exit_code == 1
    assert "has no install" in done.stderr


def test_a_simulated_farm_is_not_bootstrapped(new_desk: Desk, sshd: Sshd) -> None:
    real(new_desk, sshd)
    text = new_desk.settings.read_text(encoding="utf-8")
    new_desk.settings.write_text(text + "farm: {kind: simulated}\n", encoding="utf-8")
    done = new_desk.run("host", "bootstrap", "virt1")
    assert done.exit_code == 1
    assert "simulated" in done.stderr


def test_a_password_and_a_key_are_not_both_given(new_desk: Desk) -> None:
    some = str(new_desk.settings)
    done = new_desk.run("host", "bootstrap", "virt1", "--password-file", some, "--key", some)
    assert done.exit_code == 1
    assert "not both" in done.stderr


@pytest.mark.parametrize("option", ["--password-file", "--key"])
def test_a_secret_that_others_may_read_is_not_used(new_desk: Desk, option: str) -> None:
    secret = new_desk.root / "secret"
    secret.write_text("correct horse\n", encoding="utf-8")
    secret.chmod(0o644)
    done = new_desk.run("host", "bootstrap", "virt1", option, str(secret))
    assert done.exit_code == 1
    assert "chmod 600" in done.stderr
    assert "horse" not in done.output


def test_the_help_of_the_group_lists_its_command() -> None:
    assert "bootstrap" in program("host", "--help").stdout
