"""The scripts of a bootstrap, run for real with programs that only say what they were asked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.render.bootstrap import every, rescue, storage
from reconciler.render.bootstrap.every import script
from reconciler.render.bootstrap.fresh import fresh_steps
from reconciler.render.bootstrap.installimage import configuration
from reconciler.render.bootstrap.rescue import rescue_steps
from reconciler.render.bootstrap.step import Step
from tests.golden.bootstrap.servers import KEY, SERVERS, server

SH = "#!/bin/sh\n"


def every_step() -> list[Step]:
    installed = [each for name in SERVERS for each in rescue_steps("v", "v.x", server(name), KEY)]
    return [*installed, *fresh_steps(KEY)]


def run(
    argv: Sequence[str], stdin: str = "", *, home: Path | None = None, programs: Path | None = None
) -> subprocess.CompletedProcess[str]:
    path = f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin" if programs else "/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(home or "/nonexistent")}
    return subprocess.run(
        argv, input=stdin, env=environment, capture_output=True, text=True, timeout=20, check=False
    )


def program(directory: Path, name: str, text: str) -> None:
    file = directory / name
    file.write_text(SH + text)
    file.chmod(0o755)


def test_every_script_is_one_that_a_shell_takes() -> None:
    texts = {
        command.argv[2]
        for step in every_step()
        for command in (*step.run, *([step.done] if step.done else []))
        if command.argv[:2] == ("sh", "-c")
    }
    assert len(texts) >= 10
    for text in texts:
        done = run(["sh", "-n"], text)
        assert (done.returncode, done.stderr) == (0, "")


def test_no_passphrase_is_ever_an_argument() -> None:
    secret = [each for step in every_step() for each in step.run if each.passphrase]
    assert secret
    assert all(not each.stdin for each in secret)


def test_our_key_is_added_once_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / ".ssh" / "authorized_keys"
    add = every.let_in_step(KEY).run[0]
    assert run(add.argv, add.stdin, home=tmp_path).returncode == 0
    assert file.read_text() == KEY + "\n"
    file.write_text("ssh-rsa AAAA other")  # without a line end
    for _ in range(2):
        assert run(add.argv, add.stdin, home=tmp_path).returncode == 0
    assert file.read_text() == f"ssh-rsa AAAA other\n{KEY}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_packages_are_there_when_all_are_installed(tmp_path: Path) -> None:
    said = 'for name; do :; done\n[ "$name" = gone ] && exit 1\nprintf "%s" "${name%%-*}"\n'
    program(tmp_path, "dpkg-query", said)
    check = every._INSTALLED
    assert run(script(check, "installed-a", "installed-b"), programs=tmp_path).returncode == 0
    assert run(script(check, "installed-a", "gone"), programs=tmp_path).returncode == 1
    assert run(script(check, "config-files"), programs=tmp_path).returncode == 1


@pytest.mark.parametrize("kind", ["directory", "link", "open"])
def test_the_state_directory_is_right_or_not(tmp_path: Path, kind: str) -> None:
    place, real = tmp_path / "state", tmp_path / "real"
    real.mkdir(mode=0o700)
    if kind == "link":
        place.symlink_to(real)
    else:
        place.mkdir(mode=0o700 if kind == "directory" else 0o755)
    done = run(script(every._STATE_IS_MADE, str(place))).returncode
    assert (done == 0) == (kind == "directory" and os.geteuid() == 0)


class Rescue:
    """A rescue system in a directory, whose installer writes down what it was given."""

    def __init__(self, place: Path) -> None:
        self.work = place / "work"
        self.programs = place / "bin"
        self.programs.mkdir()
        self.heard = place / "heard"
        program(self.programs, "installimage", f'echo "$@" >>{self.heard}\ncat "$3" >>{self.heard}')
        self.installer = self.programs / "installimage"

    def prepare(self) -> None:
        wish = configuration(server("one-disk"), "virt1")
        for argv, stdin in (
            (script(rescue._PREPARE, str(self.work), "root@virt1"), ""),
            (script(rescue._WRITE, f"{self.work}/opening"), "begin\n"),
            (script(rescue._WRITE, f"{self.work}/ending"), "end\n"),
            (script(rescue._WRITE, f"{self.work}/install.conf"), wish),
            (script(rescue._JOIN, str(self.work)), ""),
        ):
            done = run(argv, stdin)
            assert done.returncode == 0, done.stderr

    def install(self) -> subprocess.CompletedProcess[str]:
        return run(script(rescue._INSTALL, str(self.work), str(self.installer)))

    def is_done(self, wish: str) -> bool:
        return run(script(rescue._IS_DONE, str(self.work)), wish).returncode == 0


@pytest.fixture
def machine(tmp_path: Path) -> Rescue:
    return Rescue(tmp_path)


def test_the_last_script_holds_the_key_that_was_made_there(machine: Rescue) -> None:
    machine.prepare()
    whole = (machine.work / "post-install").read_text()
    assert whole.startswith("begin\n-----BEGIN OPENSSH PRIVATE KEY-----")
    assert whole.endswith("-----END OPENSSH PRIVATE KEY-----\nend\n")
    assert (machine.work / "post-install").stat().st_mode & 0o777 == 0o700
    wish = configuration(server("one-disk"), "virt1")
    for text, is_prepared in ((wish, True), (wish + "FORCE_GPT 2\n", False)):
        check = script(rescue._IS_PREPARED, str(machine.work))
        assert (run(check, text).returncode == 0) == is_prepared
    assert (machine.work / "host-key.pub").read_text().endswith(" root@virt1\n")


def test_the_installer_is_run_with_what_was_written_and_then_it_is_done(machine: Rescue) -> None:
    wish = configuration(server("one-disk"), "virt1")
    machine.prepare()
    assert not machine.is_done(wish)
    assert machine.install().returncode == 0
    assert machine.heard.read_text().split("\n", 1) == [
        f"-a -c {machine.work}/install.conf -x {machine.work}/post-install",
        wish,
    ]
    assert machine.is_done(wish)
    assert not machine.is_done(wish + "PART /srv ext4 1M\n")


def test_an_installer_that_fails_says_why_and_is_not_done(machine: Rescue) -> None:
    machine.prepare()
    program(machine.programs, "installimage", "echo no room on /dev/sda; exit 1")
    done = machine.install()
    assert done.returncode == 1
    assert "no room on /dev/sda" in done.stderr
    assert not machine.is_done(configuration(server("one-disk"), "virt1"))


def test_partitions_are_added_once(tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text("   1  2048  4096  1024.0 MiB  8300  \n")
    program(
        tmp_path,
        "sgdisk",
        f'case $1 in --print) cat {table} ;; *) echo "   2 1 2 1.0 GiB 8300 ${{2#*:}}" >>{table};\n'
        f'echo "$@" >>{tmp_path}/ran ;; esac\n',
    )
    add = script(rescue._PARTITION, "/dev/sda", "z0-1", "0")
    check = script(rescue._IS_PARTITIONED, "/dev/sda", "z0-1")
    assert run(check, programs=tmp_path).returncode != 0
    for _ in range(2):
        assert run(add, programs=tmp_path).returncode == 0
    assert run(check, programs=tmp_path).returncode == 0
    asked = (tmp_path / "ran").read_text()
    assert asked == "--new=0:0:0 --change-name=0:z0-1 --typecode=0:8300 /dev/sda\n"


def test_all_partitions_must_be_there(tmp_path: Path) -> None:
    program(tmp_path, "sgdisk", 'echo "   2 1 2 1.0 GiB 8300 z0-1"')
    check = script(rescue._IS_PARTITIONED, "/dev/sda", "z0-1", "/dev/sdb", "z0-2")
    assert run(check, programs=tmp_path).returncode != 0


def test_open_means_all_are_open() -> None:
    assert run(script(storage._IS_OPEN, "control")).returncode in {0, 1}
    assert run(script(storage._IS_OPEN, "no-such-device")).returncode == 1


def test_what_is_no_partition_is_not_encrypted() -> None:
    done = run(script(storage._OPEN, "no-such-label"), "correct horse")
    assert done.returncode == 1
    assert "no partition no-such-label" in done.stderr
    assert "horse" not in done.stderr
