"""`secret`: values get into encrypted files by no argument and no disk, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import main
from reconciler.cli.private_edit import MEMORY, PREFIX, private_file
from reconciler.config.secrets import read_secrets
from reconciler.drivers.secrets import Keyring
from tests.sealed.sealing import Reader

FILE = "secrets/backup.sops.yaml"
RULES = "creation_rules:\n  - path_regex: ^secrets/\n    age: {}\n"
VALUE = "canary-of-a-value"
PROGRAM = "from reconciler.cli.main import main; main()"
DEADLINE_SECONDS = 30


class Person:
    """Somebody with a work tree, an age key and no settings."""

    def __init__(self, root: Path) -> None:
        self.tree, self.reader = root / "tree", Reader()
        self.tree.mkdir(parents=True)
        self.key = self.reader.write(root / "age.txt")
        (self.tree / ".sops.yaml").write_text(RULES.format(self.reader.recipient), "utf-8")
        self.settings = root / "reconciler.yaml"
        self.settings.write_text("state_directory: state\n", "utf-8")

    def words(self, *words: str) -> list[str]:
        return ["--config", str(self.settings), "secret", *words, "--into", str(self.tree)]

    def run(self, *words: str, value: str | None = None) -> Result:
        return CliRunner().invoke(main, self.words(*words), input=value)

    def set(self, key: str, value: str, *more: str) -> Result:
        return self.run("set", "backup", key, "--identity", str(self.key), *more, value=value)

    def edit(self, editor: str) -> subprocess.Popen[str]:
        script = self.tree.parent / "editor"
        script.write_text(f"#!/bin/sh\n{editor}\n", "utf-8")
        script.chmod(0o755)
        words = self.words("edit", "backup", "--identity", str(self.key))
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            env={"PATH": "/usr/bin:/bin", "EDITOR": str(script), "HOME": str(self.tree.parent)},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def file(self) -> Path:
        return self.tree / FILE

    def value(self, key: str) -> str:
        sealed = read_secrets(FILE, self.file.read_bytes()).sealed[key]
        return Keyring({"production": self.key}).reveal("production", sealed)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def leftovers() -> set[str]:
    return {each.name for each in MEMORY.glob(f"{PREFIX}*")}


def test_a_new_file_needs_rules_and_no_key(person: Person) -> None:
    done = person.run("set", "backup", "s3.key", value=f"{VALUE}\n")
    assert done.output == f"wrote {FILE}\n"
    assert person.value("s3.key") == VALUE
    assert VALUE not in person.file.read_text("utf-8")
    (person.tree / ".sops.yaml").unlink()
    refused = person.run("set", "other", "key", value=VALUE)
    assert refused.exit_code == 1
    assert "says who may read a new one" in refused.output


def test_a_file_that_is_there_needs_a_key_and_says_why(person: Person) -> None:
    assert person.set("one", VALUE).exit_code == 0
    refused = person.run("set", "backup", "two", value=VALUE)
    assert "the checksum is over all of them" in refused.output
    assert "--identity" in refused.output
    stranger = Reader().write(person.tree.parent / "stranger.txt")
    other = person.run("set", "backup", "two", "--identity", str(stranger), value=VALUE)
    assert "none of your age keys is one of its readers" in other.output


def test_the_key_of_the_settings_is_used(person: Person) -> None:
    person.settings.write_text("secrets: {identity: age.txt}\nstate_directory: state\n", "utf-8")
    assert person.set("one", VALUE).exit_code == 0
    assert person.run("set", "backup", "two", value="another").exit_code == 0
    assert person.value("two") == "another"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("word\n", "word"),
        ("word", "word"),
        ("a\nb\n", "a\nb\n"),
        ("word\r\n", "word"),
        ("\n\n",) * 2,
    ],
)
def test_the_end_of_the_line_belongs_to_no_value_of_one_line(
    given: str, kept: str, person: Person
) -> None:
    assert person.set("one", given).exit_code == 0
    assert person.value("one") == kept


@pytest.mark.parametrize("value", ["", "\n"])
def test_an_empty_value_is_no_secret(value: str, person: Person) -> None:
    assert "there is no value" in person.set("one", value).output
    assert not person.file.exists()


def test_other_values_keep_their_versions(person: Person) -> None:
    for key in ("one", "two.a", "two.b"):
        assert person.set(key, VALUE).exit_code == 0
    before = json.loads(person.run("list", "--format", "json").output)[0]
    assert person.set("two.a", "another").exit_code == 0
    after = json.loads(person.run("list", "--format", "json").output)[0]
    changed = {key for key in before["secrets"] if before["secrets"][key] != after["secrets"][key]}
    assert changed == {"secret://backup/two.a"}
    assert after["readers"] == [person.reader.recipient]
    assert person.set("two.a", "another").output == f"nothing changed in {FILE}\n"


def test_a_file_that_was_tampered_with_is_not_made_whole(person: Person) -> None:
    for key in ("one", "two"):
        assert person.set(key, VALUE).exit_code == 0
    lines = person.file.read_text("utf-8").splitlines(keepends=True)
    person.file.write_text("".join(lines[1:]), "utf-8")
    refused = person.set("three", "new")
    assert refused.exit_code == 1
    assert "values were added, taken out" in refused.output


@pytest.mark.parametrize(
    "name", ["../x", "secrets/../x.sops.yaml", "hosts/x.yaml", "secrets/.x.yaml"]
)
def test_only_files_of_secrets_are_written(name: str, person: Person) -> None:
    done = person.run("set", name, "key", value=VALUE)
    assert done.exit_code == 1
    assert not list(person.tree.rglob("x*"))


def test_the_second_of_two_notices(person: Person) -> None:
    assert person.set("one", VALUE).exit_code == 0
    process = person.edit(
        'echo ready; until [ -e "$(dirname "$0")/go" ]; do sleep 0.05; done\necho "two: x" >> "$1"'
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert person.set("three", "first").exit_code == 0
    (person.tree.parent / "go").touch()
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    assert "somebody else changed it meanwhile" in said
    assert person.value("three") == "first"


def test_many_at_once_lose_nothing(person: Person) -> None:
    assert person.set("first", VALUE).exit_code == 0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM,
             *person.words("set", "backup", f"k{each}", "--identity", str(person.key))],
            cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )
        for each in range(4)
    ]  # fmt: skip
    said = [each.communicate(VALUE, timeout=DEADLINE_SECONDS)[0] for each in processes]
    sealed = read_secrets(FILE, person.file.read_bytes()).sealed
    for number, process in enumerate(processes):
        assert (f"k{number}" in sealed) == (process.returncode == 0), said[number]
    assert person.value("first") == VALUE


def test_an_editor_sees_the_values_in_memory_and_leaves_nothing(person: Person) -> None:
    assert person.set("one", VALUE).exit_code == 0
    before = leftovers()
    process = person.edit('stat -c "%a %n" "$1" "$(dirname "$1")"; cat "$1"; echo "# n" >> "$1"')
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, said
    file, directory, *content = said.splitlines()
    assert file.startswith("600 /dev/shm/reconciler-secret-")
    assert directory.startswith("700 ")
    assert content == [f"one: {VALUE}", f"wrote {FILE}"]
    assert leftovers() <= before
    assert "ENC[" in person.file.read_text("utf-8").splitlines()[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_is_left_by_an_edit_that_is_ended(number: int, person: Person) -> None:
    assert person.set("one", VALUE).exit_code == 0
    text, before = person.file.read_bytes(), leftovers()
    process = person.edit("echo $$; exec sleep 20")
    assert process.stdout is not None
    editor = int(process.stdout.readline())
    process.send_signal(number)
    if number == signal.SIGINT:  # which a terminal sends to both
        os.kill(editor, signal.SIGINT)
    else:
        threading.Event().wait(0.3)
        os.kill(editor, signal.SIGKILL)
    process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode != 0
    assert leftovers() <= before
    assert person.file.read_bytes() == text


def test_what_a_killed_edit_left_is_taken_away_by_the_next(tmp_path: Path) -> None:
    def entered() -> Iterator[Path]:
        with private_file("x", memory=tmp_path) as path:
            yield path

    held = next(iter(living := entered()))
    (tmp_path / "reconciler-secret-old").mkdir()
    with private_file("y", memory=tmp_path) as path:
        assert path.parent.exists()
        assert held.parent.exists()
        assert not (tmp_path / "reconciler-secret-old").exists()
    del living
    assert not path.parent.exists()


def test_without_memory_it_says_where_the_values_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with private_file("x", memory=tmp_path / "gone") as path:
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "gone is not there: the values are in" in capsys.readouterr().err


def test_an_edit_that_cannot_be_encrypted_writes_nothing(person: Person) -> None:
    assert person.set("one", VALUE).exit_code == 0
    text = person.file.read_bytes()
    process = person.edit(f'echo "two: &a {VALUE}" >> "$1"')
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    assert "cannot be encrypted" in said
    assert VALUE not in said
    assert person.file.read_bytes() == text
