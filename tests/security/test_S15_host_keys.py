"""S15: a host is known by its pinned key or not at all, for commands and for libvirt alike."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Denied, Unreachable
from tests.remotes.sshd import ADDRESS, Sshd, make_key, running_sshd

Reach = Callable[[Access], None]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def fingerprint(key: Path) -> str:
    shown = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, check=True)
    return shown.stdout.decode().split()[1]


@pytest.fixture(params=["command", "libvirt"])
def reach(request: pytest.FixtureRequest, tmp_path: Path) -> Reach:
    """Try to get in, by each of the two ways to a host."""

    def by_command(access: Access) -> None:
        shell = Shell("virt1", ADDRESS, access)
        try:
            assert shell.output(["echo", "in"]) == b"in\n"
        finally:
            shell.close()

    def by_libvirt(access: Access) -> None:
        program = SshProgram(tmp_path, access)
        connection = LibvirtConnection("virt1", "", dial=lambda: program.dial(ADDRESS))
        try:
            # There is no libvirt behind this sshd: whoever gets so far was let in.
            with pytest.raises(Unreachable, match="End of file while reading data"):
                connection.run("look", lambda raw: raw.getHostname())
        finally:
            connection.close()
            program.close()

    return {"command": by_command, "libvirt": by_libvirt}[request.param]


def test_the_right_key_lets_us_in(sshd: Sshd, reach: Reach) -> None:
    reach(sshd.access())


def test_a_wrong_key_is_refused_and_named(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    pinned = make_key(tmp_path / "another")
    with pytest.raises(Denied) as refused:
        reach(sshd.access(known_hosts=sshd.known_hosts(pinned)))
    assert fingerprint(sshd.directory / "host") in str(refused.value)
    assert "console" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_key_is_refused(sshd: Sshd, reach: Reach, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text("other.example ssh-ed25519 AAAA\n# a comment\n")
    with pytest.raises(Denied) as refused:
        reach(sshd.access(known_hosts=empty))
    assert f"[{ADDRESS}]:{sshd.port}" in str(refused.value)
    assert empty.read_text().count("\n") == 2


def test_the_line_to_add_is_said_in_full(sshd: Sshd, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    with pytest.raises(Denied) as refused:
        Shell("virt1", ADDRESS, sshd.access(known_hosts=empty)).run(["true"])
    assert sshd.known_hosts().read_text().strip() in str(refused.value)


def test_a_key_of_the_same_host_at_another_port_does_not_count(sshd: Sshd, reach: Reach) -> None:
    file = sshd.directory / "elsewhere"
    file.write_text(sshd.known_hosts().read_text().replace(str(sshd.port), "1"))
    with pytest.raises(Denied):
        reach(sshd.access(known_hosts=file))


def test_a_file_of_pins_that_is_missing_is_refused(sshd: Sshd, reach: Reach) -> None:
    with pytest.raises(Denied):
        reach(sshd.access(known_hosts=sshd.directory / "missing"))


def test_the_users_own_keys_and_pins_do_not_count(
    sshd: Sshd, reach: Reach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "known_hosts").write_text(sshd.known_hosts().read_text())
    (home / "id_ed25519").write_bytes((sshd.directory / "user").read_bytes())
    (home / "id_ed25519").chmod(0o600)
    (home / "config").write_text("Host *\n StrictHostKeyChecking no\n")
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.setenv("FABRIC_CONNECT_KWARGS", "{}")
    other = make_key(tmp_path / "other")
    empty = tmp_path / "none"
    empty.touch()
    with pytest.raises(Denied):
        reach(sshd.access(known_hosts=empty))
    with pytest.raises(Denied, match="authorized_keys"):
        reach(sshd.access(key_file=other))


@pytest.fixture
def agent(sshd: Sshd, tmp_path: Path) -> Iterator[Path]:
    """The socket of an agent that has the right key."""
    place = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    environment = {"PATH": "/usr/bin:/bin", "SSH_AUTH_SOCK": str(place)}
    key = sshd.directory / "user"
    for _ in range(500):
        done = subprocess.run(
            ["ssh-add", key], env=environment, capture_output=True, check=False, timeout=20
        )
        if done.returncode == 0:
            break
        time.sleep(0.02)  # noqa: TID251 - bounded polling of another process
    yield place
    process.kill()
    process.wait()


def test_an_agent_is_not_asked(
    sshd: Sshd, reach: Reach, agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    with pytest.raises(Denied, match="authorized_keys"):
        reach(sshd.access(key_file=make_key(tmp_path / "other")))


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a${HOME}b", "a\nb"])
def test_a_file_name_that_ssh_would_read_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="ssh takes no path"):
        SshProgram(tmp_path, Access(tmp_path / name, tmp_path / "known_hosts"))


@pytest.mark.parametrize("name", ["a b", "a%hb", "a'b", "#a", "a;b", "~"])
def test_other_file_names_are_taken_as_they_are(sshd: Sshd, tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    key = directory / "key"
    key.write_bytes((sshd.directory / "user").read_bytes())
    key.chmod(0o600)
    pins = directory / "pins"
    pins.write_text(sshd.known_hosts().read_text())
    program = SshProgram(directory / "state", sshd.access(key_file=key, known_hosts=pins))
    dial = program.dial(ADDRESS)
    argv = [str(dial.program), "-p", str(sshd.port), "--", ADDRESS, "echo", "in"]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=60)
    program.close()
    assert (done.returncode, done.stdout) == (0, b"in\n"), done.stderr


def test_what_ssh_is_given_is_for_its_owner_only(tmp_path: Path) -> None:
    program = SshProgram(tmp_path / "ssh", Access(tmp_path / "key", tmp_path / "known_hosts"))
    dial = program.dial(ADDRESS)
    assert dial.program.parent.stat().st_mode & 0o077 == 0
    assert dial.program.stat().st_mode & 0o077 == 0
    program.close()
    assert not dial.program.parent.exists()
