"""S32: the bot pushes to its own refs only, and never by force."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.gitops import transport
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of

PUSHING = {"push", "publish", "_push"}
# Whoever pushes: ours are moved forwards only, and what is whose is written down.
GUARD = """
echo "$1 $2 $3" >> pushed
case $1 in
refs/heads/reconciler/*|refs/notes/reconciler/*) ;;
*) echo "not yours: $1"; exit 1;;
esac
case $2 in 0000*) exit 0;; esac
git merge-base --is-ancestor "$2" "$3" || { echo forced; exit 1; }
"""


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    origin.hook("update", GUARD)
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


def test_a_whole_life_of_records_touches_our_refs_only(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    head = mirror.heads()["production"]
    with mirror_of(origin, tmp_path / "other") as other:
        for each in (mirror, other, mirror):
            journal, notes = journal_of(each), notes_of(each)
            sha = journal.append(event("x", status_json=b"1"))
            notes.write(head, "Ready", sha)
            assert journal.flush().ok
            assert notes.flush().ok
    pushed = {line.split()[0] for line in (origin.path / "pushed").read_text().splitlines()}
    assert pushed == {"refs/heads/reconciler/production", "refs/notes/reconciler/production"}
    assert origin.head("production") == head


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/production",
        "refs/heads/main",
        "refs/heads/reconciler",
        "refs/heads/reconcilerx/production",
        "refs/tags/v1.0.0",
        "refs/notes/commits",
        "refs/notes/reconciler",
        "refs/heads/reconciler/../production",
        "refs/heads/reconciler/x:refs/heads/production",
        "+refs/heads/reconciler/x",
    ],
)
def test_pushing_anywhere_else_is_a_mistake_of_the_program(
    mirror: Mirror, origin: Origin, ref: str
) -> None:
    head = mirror.heads()["production"]
    with pytest.raises(ValueError, match=r"not a ref of the journal|not a full name"):
        mirror.push({ref: head})
    assert not (origin.path / "pushed").exists()


def test_no_push_is_forced_even_if_it_is_asked_to_move_back(mirror: Mirror, origin: Origin) -> None:
    journal = journal_of(mirror)
    first = journal.append(event("one"))
    second = journal.append(event("two"))
    journal.flush()
    ref = "refs/heads/reconciler/production"
    refusal = mirror.push({ref: first})[ref]
    assert refusal.raced
    assert origin.head("reconciler/production") == second


def _without_docstring(function: ast.stmt) -> ast.Module:
    assert isinstance(function, ast.FunctionDef)
    return ast.Module(function.body[1:] if ast.get_docstring(function) else function.body, [])


def test_the_source_of_pushing_knows_no_force() -> None:
    """A plus before a pushed ref or an option such as --force would be one of these strings."""
    tree = ast.parse(Path(transport.__file__).read_text("utf-8"))
    pushing = [each for each in tree.body if getattr(each, "name", "") in PUSHING]
    assert len(pushing) == len(PUSHING)
    texts = [
        str(node.value)
        for function in pushing
        for node in ast.walk(_without_docstring(function))
        if isinstance(node, ast.Constant)
    ]
    assert not [text for text in texts if text.startswith("+") or "force" in text]
    assert "--porcelain" in texts


def test_people_who_push_at_the_same_time_lose_nothing(mirror: Mirror, origin: Origin) -> None:
    """A person pushes to the config branch while the bot writes and pushes its records."""
    (origin.path / "hooks/update").unlink()
    shas: list[str] = []
    files = ({"farm.yaml": b"%d" % number} for number in range(10))
    work = (origin.commit("production", each) for each in files)
    thread = threading.Thread(target=shas.extend, args=(work,))
    thread.start()
    journal = journal_of(mirror)
    for number in range(10):
        journal.append(event(str(number)))
        assert journal.flush().ok
        mirror.fetch()
    thread.join(60)
    history = origin.git("rev-list", "production").split()
    assert set(shas) <= set(history)
    assert len(origin.messages("reconciler/production")) == 10
