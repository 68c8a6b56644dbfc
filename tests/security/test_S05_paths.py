"""S05: no name or path in the repository leads out of the tree that the loader was given."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.load import is_read, load
from reconciler.errors import ConfigError
from reconciler.model.position import Problem
from reconciler.render.render import render
from tests.documents.corpus import FARM, FileTree, problems_of

Opened = list[str]
ESCAPES = (
    "../../etc/passwd",
    "../x",
    "..",
    ".",
    "/etc/passwd",
    "x/../../y",
    "a/b",
    "a\\b",
    "~root",
    "file:///etc/passwd",
    "secret://a/b",
    "C:x",
    "%2e%2e%2f",
    "a\x00b",
    "$HOME",
    "-rf",
)
MACHINE = "kind: VirtualMachine\nname: x\nstack: linux\n"
REFERENCES: Mapping[str, str] = {
    "the name of a machine": "kind: VirtualMachine\nname: {}\nstack: linux\n",
    "the name of a stack": "kind: Stack\nname: {}\n",
    "the stack of a machine": "kind: VirtualMachine\nname: x\nstack: {}\nmemory: 1 GiB\n",
    "what a stack inherits": "kind: Stack\nname: x\ninherits: {}\n",
    "an image": MACHINE + "image: {}\n",
    "a host": MACHINE + "host: {}\n",
    "a disk": MACHINE + "disks:\n  - {{name: {}, size: 1 GiB}}\n",
    "a pool": MACHINE + "disks:\n  - {{name: root, pool: {}}}\n",
    "a network": MACHINE + "networks:\n  - {{network: {}}}\n",
    "a libvirt name": MACHINE + "libvirt_name: {}\n",
    "a former name": MACHINE + "renamed_from: {}\n",
}
_listeners: list[Callable[[str], None]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"open", "os.listdir", "os.scandir"}:
        for listener in _listeners:
            listener(str(arguments[0]))


@contextmanager
def watched() -> Iterator[Opened]:
    """Everything that is opened or listed meanwhile."""
    opened: Opened = []
    _listeners.append(opened.append)
    try:
        yield opened
    finally:
        _listeners.remove(opened.append)


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    sys.addaudithook(_audit)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace("\x00", "\\0") + '"'


def test_the_watch_sees_what_is_opened() -> None:
    with watched() as opened, open(__file__, encoding="utf-8"):  # noqa: PTH123 (the plainest way)
        pass
    assert opened == [__file__]


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_name_is_one_label_and_never_a_path(reference: str, escape: str) -> None:
    text = REFERENCES[reference].format(quoted(escape))
    with watched() as opened:
        problems = problems_of("vms/x.yaml", text.encode())
    assert problems
    assert opened == []


class WatchedTree(FileTree):
    """It remembers the ids that it is asked for."""

    def read(self, blob_ids: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(blob_ids)
        assert set(wanted) <= set(self.entries().values()), "only what is in the tree is read"
        return super().read(wanted)


PARTS = st.sampled_from(["..", ".", "", "a", "environments", "production", "vms", "~", "etc"])
PATHS = st.lists(PARTS, min_size=1, max_size=5).map(lambda parts: "/".join(parts) + ".yaml")


@given(st.lists(PATHS, max_size=4, unique=True))
def test_whatever_paths_a_tree_has_nothing_outside_is_opened(paths: list[str]) -> None:
    files = {**FARM, **dict.fromkeys(paths, b"kind: Stack\nname: s\n")}
    problems: tuple[Problem, ...] = ()
    with watched() as opened:
        try:
            render(load(WatchedTree(files), "production"))
        except ConfigError as error:
            problems = error.problems
    assert opened == []
    assert all(problem.position.file in files for problem in problems)


@given(PATHS, st.sampled_from(["production", "..", "../..", "", "."]))
def test_an_environment_reads_no_folder_but_its_own(path: str, environment: str) -> None:
    if path.startswith("environments/") and is_read(path, environment):
        assert path.split("/")[1] == environment


@pytest.mark.parametrize(
    "target", ["/srv/../../etc", "/..", "..", "../x", "/srv//x", "a/../../dev/sda", "/srv/x/.."]
)
def test_a_pool_does_not_lead_upwards(target: str) -> None:
    host = (
        "kind: Host\nname: h\nenvironment: production\naddress: 10.0.0.1\nmemory: 1 GiB\n"
        f"pools:\n  - {{name: a, size: 1 GiB, target: {target}}}\n"
    )
    (problem,) = problems_of("hosts/h.yaml", host.encode())
    assert problem.what.startswith("pools.a.target must be a path")


@pytest.mark.parametrize(
    "url", ["/srv/../etc/shadow", "file:///srv/../etc/shadow", "file://host/a", "../a", "a.qcow2"]
)
def test_an_image_is_not_fetched_from_above(url: str) -> None:
    image = f"kind: Image\nname: i\nurl: {url}\nsha256: {'ab' * 32}\n"
    (problem,) = problems_of("images/i.yaml", image.encode())
    assert problem.what.startswith("url must be")
