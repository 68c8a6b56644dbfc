"""Programs for hosts: what is sent, that it runs there, and that any host can read it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.drivers.ssh.program import PACKAGE, command_of, input_of, modules_of

ONHOST = Path(__file__).parents[4].joinpath(*PACKAGE.split("."))
MODULES = sorted(ONHOST.glob("*.py"))
OLDEST = (3, 9)


def run(entry: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, *command_of(entry)[1:]]
    return subprocess.run(
        argv, input=input_of(entry, stdin), capture_output=True, check=False, timeout=30, cwd="/"
    )


def test_a_program_runs_where_nothing_of_ours_is_installed(tmp_path: Path) -> None:
    question = {"about": "file", "name": "/etc/passwd", "details": []}
    task = {"questions": [question], "directory": str(tmp_path)}
    done = run("look", json.dumps(task).encode())
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, b"")
    assert [next(iter(line)) for line in lines] == ["header", "question", "undone", "end"]
    assert lines[1]["fact"]["type"] == "file"


def test_what_an_entry_needs_is_sent_and_nothing_else() -> None:
    sent = modules_of("look")
    assert {"look", "look_files", "paths", "remembered"} <= sent.keys()
    assert not [name for name in sent if name.startswith(("act", "switch"))]


def test_the_command_is_the_same_whatever_is_sent() -> None:
    assert len(" ".join(command_of("look"))) < 2000
    assert command_of("look")[:-1] == command_of("act")[:-1]


def test_a_host_whose_python_is_too_old_says_so() -> None:
    *_, boot, entry = command_of("look")
    old = f"import sys\nsys.version_info = (3, 8, 2)\n{boot}"
    argv = [sys.executable, "-I", "-S", "-c", old, entry]
    done = subprocess.run(argv, input=b"", capture_output=True, check=False, timeout=30)
    assert done.returncode == 1
    assert b"older than 3.9" in done.stderr


def test_a_module_that_does_not_exist_is_no_program() -> None:
    with pytest.raises(FileNotFoundError):
        input_of("nosuch", b"")


@pytest.mark.parametrize("module", MODULES, ids=lambda each: str(each.stem))
def test_the_oldest_python_can_read_it(module: Path) -> None:
    ast.parse(module.read_text(encoding="utf-8"), feature_version=OLDEST)


def imports(tree: ast.AST) -> set[str]:
    """Everything that is imported when it runs, by its first part or its name in the package."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        found |= imports(node)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda each: str(each.stem))
def test_it_imports_the_standard_library_and_its_own_package_only(module: Path) -> None:
    for name in imports(ast.parse(module.read_text(encoding="utf-8"))):
        assert name.startswith(f"{PACKAGE}.") or name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    "seeded", ["import orjson", "def f():\n    from reconciler.model import x"]
)
def test_a_seeded_import_is_found(seeded: str) -> None:
    (name,) = imports(ast.parse(seeded))
    assert not name.startswith(PACKAGE)
    assert name.partition(".")[0] not in sys.stdlib_module_names
