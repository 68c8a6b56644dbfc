"""S03: tags, merge keys, and keys or anchors given twice are refused; nothing is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.corpus import problems_of

MACHINE = "kind: VirtualMachine\nname: x\nstack: linux\n"
TAGS = (
    "!!python/object/apply:os.system ['touch {mark}']",
    "!!python/object/apply:subprocess.check_call [[touch, '{mark}']]",
    "!!python/object/new:os.system ['touch {mark}']",
    "!!python/object/apply:builtins.exec [\"open('{mark}', 'w')\"]",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/tuple [1]",
    "!ruby/object:Gem::Installer {{}}",
    "!!java.net.URL ['file://{mark}']",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {mark}']",
    "!!binary aGFsbG8=",
    "!!timestamp 2001-01-01",
    "!!set {{a, b}}",
    "!!int '1'",
    "!!float 1",
    "!!null ''",
    "!!map {{a: b}}",
    "!!seq [a]",
    "!include /etc/passwd",
    "!secret key",
)


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: tag.split()[0])
@pytest.mark.parametrize(
    "place", ["description: {}", "disks:\n  - {}", "{}: value", "? {}\n: value"]
)
def test_a_tag_is_refused_wherever_it_stands(tag: str, place: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = MACHINE + place.format(tag.format(mark=mark)) + "\n"
    told = " ".join(problem.what for problem in problems_of("vms/a.yaml", text.encode()))
    assert any(word in told for word in ("no place here", "must be plain text", "not valid YAML"))
    assert not mark.exists()


def test_a_shorthand_for_a_tag_is_no_way_round() -> None:
    text = f"%TAG ! tag:yaml.org,2002:python/\n---\n{MACHINE}description: !name:os.system x\n"
    (problem,) = problems_of("vms/a.yaml", text.encode())
    assert problem.what == "the tag tag:yaml.org,2002:python/name:os.system has no place here"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (MACHINE + "name: y\n", 4),
        (MACHINE + "'name': y\n", 4),
        (MACHINE + '"na\\x6de": y\n', 4),
        (MACHINE + "disks:\n  - name: root\n    size: 1 GiB\n    size: 2 GiB\n", 7),
        (MACHINE + "description: a\ndescription: a\n", 5),
    ],
)
def test_a_key_given_twice_is_refused_with_both_lines(text: str, line: int) -> None:
    (problem,) = problems_of("vms/a.yaml", text.encode())
    assert "is there twice, first in line" in problem.what
    assert problem.position.line == line


def test_an_anchor_given_twice_is_refused() -> None:
    text = MACHINE + "image: &a debian-12\nhost: &a virt1\ndescription: *a\n"
    (problem,) = problems_of("vms/a.yaml", text.encode())
    assert problem.what == "the anchor a is set twice"


@pytest.mark.parametrize(
    "merge", ["<<: {cpus: 2}", "<<: [{cpus: 2}]", "<<: *a", "? <<\n: {cpus: 2}"]
)
def test_a_merge_key_is_refused(merge: str) -> None:
    text = MACHINE + merge + "\n"
    told = [problem.what for problem in problems_of("vms/a.yaml", text.encode())]
    assert "merge keys are not read" in told


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    (problem,) = problems_of("vms/a.yaml", (MACHINE + '"<<": {cpus: 2}\n').encode())
    assert problem.what == "VirtualMachine has no key '<<'"
