"""S14: what reaches a host's shell is an argument, whatever is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.drivers.ssh.shell import Shell
from tests.remotes.sshd import running_sshd

SSH = Path(__file__).parents[2] / "reconciler" / "drivers" / "ssh"
PAYLOADS = (
    "; touch MARKER",
    "$(touch MARKER)",
    "`touch MARKER`",
    "\ntouch MARKER\n",
    "&& touch MARKER",
    "| touch MARKER",
    "> MARKER",
    "' ; touch MARKER ; '",
    '" ; touch MARKER ; "',
    "\\'; touch MARKER; #",
    "-oProxyCommand=touch MARKER",
    "--help",
    "$HOME",
    "*",
    "~",
    "{a,b}",
    "!!",
    "\x1b]0;title\x07",
    "\N{RIGHT-TO-LEFT OVERRIDE}name",
    "",
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        shell = server.shell()
        yield shell
        shell.close()


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("exclusive", [False, True], ids=["plain", "exclusive"])
def test_an_argument_arrives_as_it_is(
    shell: Shell, tmp_path: Path, payload: str, exclusive: bool
) -> None:
    word = payload.replace("MARKER", str(tmp_path / "marker"))
    done = shell.run(["printf", "%s|", "before", word, "after"], exclusive=exclusive)
    assert done.stdout == f"before|{word}|after|".encode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("payload", [each for each in PAYLOADS if each])
def test_a_path_is_a_path(shell: Shell, tmp_path: Path, payload: str) -> None:
    name = payload.replace("MARKER", "marker").replace("/", "_")
    shell.write_file(str(tmp_path / name), b"content")
    assert shell.read_file(str(tmp_path / name)) == b"content"
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_nul_goes_nowhere(shell: Shell) -> None:
    with pytest.raises(ValueError, match="NUL"):
        shell.run(["echo", "a\0b"])


def composed(tree: ast.Module) -> Iterator[int]:
    """The lines where a channel or Fabric is given a command that was composed on the spot."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        is_raw = node.func.attr in {"exec_command", "invoke_shell", "sudo", "local"}
        if is_raw and not (node.args and isinstance(node.args[0], ast.Name)):
            yield node.lineno


def test_no_line_is_composed_where_it_is_sent() -> None:
    found = {
        file.name: lines
        for file in SSH.glob("*.py")
        if (lines := list(composed(ast.parse(file.read_text(encoding="utf-8")))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "seeded", ['channel.exec_command(f"rm {path}")', 'c.sudo("rm " + p)', "c.invoke_shell()"]
)
def test_a_seeded_composition_is_found(seeded: str) -> None:
    assert list(composed(ast.parse(seeded)))
