"""Files and functions are short, named for what they are, and say what they are for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.meta.conftest import Source

FILE_LINES = 400
FUNCTION_LINES = 40
EMPTY_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?|commons?|misc)(?:_|$)")
EMPTY_CLASS_NAMES = re.compile(r"(?:Manager|Helper|Utils?|Misc|Common)(?:[A-Z]|$)")


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def line_count(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_file_is_longer_than_400_lines(product: tuple[Source, ...]) -> None:
    lines = {str(source.path): len(source.text.splitlines()) for source in product}
    assert {path: count for path, count in lines.items() if count > FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines(product: tuple[Source, ...]) -> None:
    too_long = {
        f"{source.path}:{function.lineno} {function.name}": line_count(function)
        for source in product
        for function in functions(source)
        if line_count(function) > FUNCTION_LINES
    }
    assert too_long == {}


def test_no_module_or_class_has_a_name_that_says_nothing(product: tuple[Source, ...]) -> None:
    modules = [
        str(source.path)
        for source in product
        if any(EMPTY_NAMES.search(part) for part in source.path.with_suffix("").parts)
    ]
    classes = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in product
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and EMPTY_CLASS_NAMES.search(node.name)
    ]
    assert modules + classes == []


@pytest.mark.parametrize(
    "name", ["utils", "helper", "misc", "zone_helpers", "common", "host_manager", "util"]
)
def test_names_that_say_nothing_are_recognised(name: str) -> None:
    assert EMPTY_NAMES.search(name)


@pytest.mark.parametrize("name", ["commonly", "managed", "utilisation", "helpful"])
def test_names_that_say_something_are_not(name: str) -> None:
    assert not EMPTY_NAMES.search(name)


def test_every_module_says_what_it_is_for(product: tuple[Source, ...]) -> None:
    silent = [str(source.path) for source in product if not ast.get_docstring(source.tree)]
    assert silent == []


def test_every_module_postpones_its_annotations(product: tuple[Source, ...]) -> None:
    eager = [
        str(source.path)
        for source in product
        if source.path.name != "__init__.py"
        and "from __future__ import annotations" not in source.text
    ]
    assert eager == []
