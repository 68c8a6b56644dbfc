"""S36: no text, however made, keeps a field or a message busy."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from reconciler.config.load import MODELS
from reconciler.drivers.ssh.onhost.dhcp import Broken, config_of
from tests.documents.corpus import problems_of
from tests.documents.specimens import Path, changed, every_text

MEBIBYTE = 2**20
FILLINGS = (
    "a",
    "a.",
    "a-",
    "-",
    "1",
    "1.",
    "1h ",
    ".",
    "/",
    "/a",
    "{name}",
    "{",
    '"',
    "\\",
    " ",
    "é",
)
LENGTHS = (15, 63, 200, 253, 255, 500, 2000, MEBIBYTE)
LIMIT_SECONDS = 0.05


def texts() -> list[str]:
    """Long texts, and such that fit a pattern to their last letter."""
    bodies = [(filling * length)[:length] for filling in FILLINGS for length in LENGTHS]
    return [body + end for body in bodies for end in ("", "!", "\n")]


TEXTS = texts()


def seconds(kind: str, path: Path, text: str) -> float:
    document = changed(kind, path, text)
    start = time.thread_time()
    try:
        MODELS[kind].model_validate(document)
    except ValidationError as error:
        error.errors(include_url=False, include_input=False)
    return time.thread_time() - start


@pytest.mark.parametrize(("kind", "path"), every_text(), ids=str)
def test_a_mebibyte_of_anything_in_a_field_is_judged_at_once(kind: str, path: Path) -> None:
    slow = {
        f"{text[:10]!r}x{len(text)}": taken
        for text in TEXTS
        if (taken := seconds(kind, path, text)) > LIMIT_SECONDS
        and min(seconds(kind, path, text) for _ in range(3)) > LIMIT_SECONDS
    }
    assert slow == {}


@pytest.mark.parametrize(
    "text",
    [
        "kind: {}\nname: x\n",
        "kind: Stack\nname: {}\n",
        "kind: Stack\nname: x\n{}: 1\n",
        "kind: Stack\nname: x\ninherits: {}\n",
        "kind: VirtualMachine\nname: x\nstack: {}\n",
        "kind: VirtualMachine\nname: x\nstack: linux\nhost: {}\n",
        "kind: VirtualMachine\nname: x\nstack: linux\ndisks:\n  - {{name: {}}}\n",
        "kind: VirtualMachine\nname: x\nstack: linux\nnetworks:\n  - {{network: {}, x: 1}}\n",
    ],
    ids=lambda text: repr(text[-24:]),
)
@pytest.mark.parametrize("letters", ["a", "ab", "Host", "linux"])
def test_a_long_name_is_told_shortly_and_soon(text: str, letters: str) -> None:
    name = "'" + (letters * MEBIBYTE)[: MEBIBYTE - 200] + "'"
    start = time.thread_time()
    problems = problems_of("vms/a.yaml", text.format(name).encode())
    assert time.thread_time() - start < 1
    assert problems
    assert all(len(str(problem)) < 400 for problem in problems)


def test_many_problems_are_all_told_in_time() -> None:
    documents = "---\n".join(
        f"kind: VirtualMachine\nname: m{number}\nstack: linus\nhost: virt{number}\nx{number}: 1\n"
        for number in range(2000)
    )
    start = time.thread_time()
    assert len(problems_of("vms/a.yaml", documents.encode())) >= 4000
    assert time.thread_time() - start < 10


@pytest.mark.parametrize("part", ['\\"', "/* ", "//", "#", ", ", " ,", '"a":', "[", "\\"])
@pytest.mark.parametrize("start", ["", '"'])
def test_a_broken_file_of_a_dhcp_server_keeps_no_host_busy(start: str, part: str) -> None:
    text = start + part * (200_000 // len(part))
    begin = time.thread_time()
    with pytest.raises(Broken):
        config_of(text)
    assert time.thread_time() - begin < 2
