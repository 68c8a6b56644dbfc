"""S01: aliases that would unfold without end are refused before anything unfolds them."""

from __future__ import annotations

import resource
import time

import pytest

from reconciler.config.parse import parse
from reconciler.errors import ConfigError
from tests.documents.corpus import problems_of

BOMB = "a0: &a0 x\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)
MAPPING_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{level}: &a{level} {{{', '.join(f'k{i}: *a{level - 1}' for i in range(9))}}}\n"
    for level in range(1, 10)
)
CYCLES = (
    "&a [*a]",
    "&a {a: *a}",
    "a: &a\n  b: [1, {c: *a}]",
    "&a [&b [*a], *b]",
    "kind: VirtualMachine\nname: x\ndisks: &d\n  - {name: root, pool: *d}",
)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse("vms/a.yaml", text.encode())
    return str(caught.value)


@pytest.mark.parametrize("text", [BOMB, MAPPING_BOMB], ids=["lists", "mappings"])
def test_a_bomb_of_nine_to_the_ninth_is_refused_at_once(text: str) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    told = refused(text)
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 100 * 1024
    assert "more than 100000 values when aliases are followed" in told
    assert told.startswith("vms/a.yaml:")


@pytest.mark.parametrize("text", CYCLES)
def test_what_holds_itself_is_refused(text: str) -> None:
    assert "names nothing that is complete before it" in refused(text)


def test_the_loader_says_where_and_goes_on() -> None:
    (problem,) = problems_of("vms/a.yaml", BOMB.encode())
    assert problem.position.file == "vms/a.yaml"
    assert problem.position.line == 6


def test_a_bomb_over_several_documents_of_a_file_meets_each_limit() -> None:
    half = "&a [" + ",".join(["1"] * 90_000) + "]"
    assert len(parse("f.yaml", f"{half}\n---\n{half}".encode())) == 2
    assert "more than 100000" in refused(f"- {half}\n- *a")
