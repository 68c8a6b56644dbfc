"""S14: what is asked of a host by name is a name there, whatever is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Conflict
from reconciler.ports.facts import About, Question
from tests.remotes.sshd import running_sshd

ONHOST = Path(__file__).parents[2] / "reconciler/drivers/ssh/onhost"
PAYLOADS = (
    "; touch MARKER",
    "$(touch MARKER)",
    "`touch MARKER`",
    "\ntouch MARKER\n",
    "' ; touch MARKER ; '",
    "--help",
    "-oProxyCommand=touch MARKER",
    "../../../MARKER",
    "*",
    "%n",
    "\x1b]0;title\x07",
    "",
    "a\0b",
)
SHELLS = frozenset({"system", "popen", "getoutput", "getstatusoutput"})


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        shell = server.shell()
        yield shell
        shell.close()


@pytest.mark.parametrize("about", get_args(About))
def test_a_name_is_a_name(shell: Shell, tmp_path: Path, about: About) -> None:
    names = [payload.replace("MARKER", str(tmp_path / "marker")) for payload in PAYLOADS]
    asked = [Question(about, name, () if about == "command" else (name,)) for name in names]
    machine = SshMachine(shell, lambda _: "")
    for batch in (asked[:-1], asked[-1:]):
        with suppress(Conflict):  # some are no names at all, and that may be said
            machine.look(batch)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("payload", PAYLOADS[:-1])
def test_the_words_of_a_check_are_its_words(shell: Shell, tmp_path: Path, payload: str) -> None:
    word = payload.replace("MARKER", str(tmp_path / "marker"))
    asked = Question("command", "check", ("test", word, "=", word))
    machine = SshMachine(shell, lambda _: "")
    answer = machine.look([asked]).answers[asked]
    assert getattr(answer, "is_done", None) is True
    assert list(tmp_path.iterdir()) == []


def shells(tree: ast.AST) -> Iterator[int]:
    """The lines where a shell would read a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in SHELLS or any(each.arg == "shell" for each in node.keywords):
                yield node.lineno


def test_no_module_on_a_host_gives_a_text_to_a_shell() -> None:
    found = {
        module.name: lines
        for module in ONHOST.glob("*.py")
        if (lines := list(shells(ast.parse(module.read_text(encoding="utf-8")))))
    }
    assert found == {}


@pytest.mark.parametrize("seeded", ["os.system(x)", "subprocess.run(x, shell=True)"])
def test_a_seeded_shell_is_found(seeded: str) -> None:
    assert list(shells(ast.parse(seeded)))
