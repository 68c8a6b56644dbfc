"""The layers hold, and the check that says so finds a violation when there is one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LAYERS = "Each layer knows only the layers below it"
PURE = "What decides neither reads nor changes the world"


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copytree(
        root / "reconciler", tmp_path / "reconciler", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def test_the_contracts_hold(copy: Path) -> None:
    answer = lint_imports(copy)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("package", "import_line", "contract", "complaint"),
    [
        ("model", "import reconciler.engine", LAYERS, "reconciler.model -> reconciler.engine"),
        ("kinds", "import reconciler.plan", LAYERS, "reconciler.kinds -> reconciler.plan"),
        ("plan", "import reconciler.render", LAYERS, "reconciler.plan -> reconciler.render"),
        ("drivers", "import reconciler.gitops", LAYERS, "reconciler.drivers -> reconciler.gitops"),
        ("surprise", "", LAYERS, "- reconciler.surprise"),
        ("plan", "import socket", PURE, "reconciler.plan -> socket"),
        ("render", "from time import monotonic", PURE, "reconciler.render -> time"),
        ("config", "import os.path", PURE, "reconciler.config -> os"),
        (
            "engine",
            "import git",
            "git is used by gitops only",
            "reconciler.engine -> git",
        ),
        (
            "daemon",
            "import libvirt",
            "libvirt, fabric, dns and http are used by drivers only, http by forges too",
            "reconciler.daemon -> libvirt",
        ),
        (
            "cli",
            "from watchdog import events",
            "apscheduler and watchdog are used by the daemon only",
            "reconciler.cli -> watchdog",
        ),
    ],
)
def test_a_seeded_violation_is_found(
    copy: Path, package: str, import_line: str, contract: str, complaint: str
) -> None:
    seeded = copy / "reconciler" / package / "__init__.py"
    seeded.parent.mkdir(exist_ok=True)
    with seeded.open("a", encoding="utf-8") as file:
        file.write(f"\n{import_line}\n")

    answer = lint_imports(copy)

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{contract} BROKEN" in answer.stdout
    assert complaint in answer.stdout


def test_the_exception_tree_imports_nothing_but_the_model(copy: Path) -> None:
    with (copy / "reconciler" / "errors.py").open("a", encoding="utf-8") as file:
        file.write("\nimport reconciler.plan\n")

    answer = lint_imports(copy)

    assert answer.returncode == 1
    assert "The exception tree knows only the model BROKEN" in answer.stdout
