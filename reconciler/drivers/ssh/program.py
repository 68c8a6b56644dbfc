"""Sends the modules that run on a host, with what they are to read: nothing is installed there.

The command is the same few lines each time; the modules come in by the standard input, before
what they are to work on. On the host they have the names that they have here.
"""

from __future__ import annotations

import ast
import json
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TypeGuard

PACKAGE = "reconciler.drivers.ssh.onhost"
_FAST = 1  # most of the gain of compressing, at a fraction of the time

_BOOT = """\
import json, sys, zlib
from importlib import import_module
from importlib.machinery import ModuleSpec
if sys.version_info < (3, 9):
    sys.exit("python3 is older than 3.9 here; that takes at least Debian 11 or Ubuntu 22.04")
stdin = sys.stdin.buffer
sources = json.loads(zlib.decompress(stdin.read(int(stdin.readline()))))
class Sent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in sources:
            return ModuleSpec(name, Sent, is_package=not sources[name])
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        code = compile(sources[module.__name__], module.__name__, "exec")
        exec(code, module.__dict__)
sys.meta_path.insert(0, Sent)
sys.exit(import_module(sys.argv[1]).main(stdin.read()))
"""


def command_of(entry: str) -> Sequence[str]:
    """The command that runs the module `entry` of `onhost` on a host: its `main` gets the input."""
    return ("python3", "-I", "-S", "-c", _BOOT, f"{PACKAGE}.{entry}")


def input_of(entry: str, stdin: bytes) -> bytes:
    """What the command reads: the modules, and what `main` is to work on."""
    modules = _packed(entry)
    return b"%d\n" % len(modules) + modules + stdin


def modules_of(entry: str) -> dict[str, str]:
    """The modules of an entry, by their names in the package.

    They are the entry and what it imports, each with its parts, which are called `<module>_...`.
    """
    folder, found = files(PACKAGE), dict[str, str]()
    names = [each.name.removesuffix(".py") for each in folder.iterdir()]
    todo = [entry]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = folder.joinpath(f"{name}.py").read_text(encoding="utf-8")
            todo += _imports(found[name])
            todo += [part for part in names if part.startswith(f"{name}_")]
    return found


def _imports(source: str) -> list[str]:
    modules = [node.module or "" for node in ast.walk(ast.parse(source)) if _is_from(node)]
    return [name.removeprefix(f"{PACKAGE}.") for name in modules if name.startswith(f"{PACKAGE}.")]


def _is_from(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom)


@cache
def _packed(entry: str) -> bytes:
    parents = PACKAGE.split(".")
    packages = dict.fromkeys((".".join(parents[: n + 1]) for n in range(len(parents))), "")
    modules = {f"{PACKAGE}.{name}": source for name, source in modules_of(entry).items()}
    return zlib.compress(json.dumps({**packages, **modules}).encode(), _FAST)
