"""What is done in one go, and what is told of it."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from reconciler.drivers.ssh.onhost import act as act_module
from reconciler.drivers.ssh.onhost.act import MODULES, main
from reconciler.drivers.ssh.onhost.act_interfaces import set_interface
from reconciler.drivers.ssh.program import PACKAGE, modules_of
from reconciler.ports.acts import Act
from tests.unit.drivers.ssh.onhost.ground import Ground, put_file, put_mark, remove

KINDS: tuple[type[Any], ...] = get_args(Act)
# These arrive otherwise than the port has them: filled in, and no longer needed.
FILLED_IN = {"secrets": "is_secret"}


def snake(kind: type[Any]) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()


def test_every_act_of_the_port_is_known_here_and_no_other() -> None:
    assert {snake(kind) for kind in KINDS} == set(MODULES)


@pytest.mark.parametrize("kind", KINDS, ids=snake)
def test_an_act_is_done_with_its_own_fields(kind: type[Any]) -> None:
    function = getattr(import_module(f"{PACKAGE}.{MODULES[snake(kind)]}"), snake(kind))
    takes = named(function)
    if "has" in takes:  # what every interface has, it hands on
        takes = takes - {"has"} | named(set_interface) - {"name", "movable"}
    assert takes == {FILLED_IN.get(each.name, each.name) for each in fields(kind)}


def named(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"batch"}


def test_all_that_an_act_needs_is_sent_along() -> None:
    assert set(MODULES.values()) <= set(modules_of("act"))


@pytest.mark.parametrize("name", sorted(modules_of("act")))
def test_a_module_is_of_python_3_9_and_the_standard_library(name: str) -> None:
    source = Path(act_module.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source, feature_version=(3, 9))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for imported in names:
            assert imported.startswith(PACKAGE) or imported in sys.stdlib_module_names | {
                "collections.abc",
                "concurrent.futures",
            }


def test_acts_are_done_in_their_order(ground: Ground) -> None:
    ground.done(put_file(content="one\n"), put_file(content="two\n"))
    assert ground.path("/etc/a.conf").read_text() == "two\n"


def test_the_first_that_fails_is_the_last_that_is_tried(ground: Ground) -> None:
    told = ground.do(put_file(), remove("/srv"), remove())
    assert told == [{"act": 0}, {"act": 1}, {"act": 2}]
    told = ground.do(put_file(), remove("/etc"), remove())
    assert [line["act"] for line in told] == [0, 1]
    assert "not empty" in told[1]["error"]
    assert ground.path("/etc/a.conf").exists()


def test_an_error_of_the_system_names_what_the_act_is_about(ground: Ground) -> None:
    ground.path("/proc/self/mountinfo").mkdir()
    assert ground.refused({"act": "unmount", "path": "/srv"}) == "/srv: Is a directory"


def test_an_error_of_the_system_names_the_file_where_the_act_names_none(ground: Ground) -> None:
    path = ground.path("/etc/sysctl.d/90-reconciler.conf")
    path.mkdir(parents=True)
    assert ground.refused({"act": "forget_sysctl", "name": "x.y"}) == f"{path}: Is a directory"


def test_the_program_tells_of_each_act_on_a_line_of_its_own(
    ground: Ground, capfd: pytest.CaptureFixture[str]
) -> None:
    acts = [
        put_mark("package", "ntp"),
        {"act": "run_command", "name": "x", "argv": ["/no"], "seconds": 1},
    ]
    given = json.dumps({"acts": acts, "directory": str(ground.directory)}).encode()
    assert main(given) == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert lines == [{"act": 0}, {"act": 1, "error": "there is no program /no here"}]


def test_who_is_cut_off_in_the_middle_has_it_done_to_the_end(ground: Ground) -> None:
    acts = [put_mark("package", "ntp"), put_mark("package", "sudo")]
    given = json.dumps({"acts": acts, "directory": str(ground.directory)}).encode()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert main(given, writing) == 0
    finally:
        os.close(writing)
    assert "sudo" in (ground.directory / "base.json").read_text()
