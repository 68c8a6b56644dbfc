"""S08: names of branches, tags, paths and commits are never taken for options of git.

That no other module composes a command of git is checked by a rule on the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.gitops.git import Git
from reconciler.gitops.journal import Event
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.objects import read_blobs
from reconciler.gitops.outbox import Outbox
from reconciler.gitops.transport import fetch_from, fetch_one, push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of, patient

SHA = "1" * 40
HOSTILE = [
    "--output={marker}",
    "--upload-pack=touch {marker}",
    "--exec=touch {marker}",
    "--help",
    "-c core.sshCommand=x",
    "-",
    "--",
    "",
    "HEAD",
    "@{-1}",
    ":/x",
    "refs/heads/--output={marker}",
    "refs/heads/x\nupdate refs/heads/y",
    "refs/heads/x\0y",
    "refs/heads/x:refs/heads/y",
    "+refs/heads/x",
    "^" + SHA,
    SHA + "\n--output={marker}",
    SHA[:39],
    SHA + "^{/x}",
]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "marker"
    yield path
    assert not path.exists()


USES: dict[str, Callable[[Mirror, Git, str], object]] = {
    "ref": lambda _, git, text: git.ref(text),
    "refs": lambda _, git, text: git.refs(text),
    "set_ref name": lambda _, git, text: git.set_ref(text, SHA, None),
    "set_ref new": lambda _, git, text: git.set_ref("refs/heads/reconciler/x", text, None),
    "set_ref old": lambda _, git, text: git.set_ref("refs/heads/x", SHA, text or "x"),
    "has_commit": lambda mirror, _, text: mirror.has_commit(text),
    "is_ancestor old": lambda mirror, _, text: mirror.is_ancestor(text, SHA),
    "is_ancestor new": lambda mirror, _, text: mirror.is_ancestor(SHA, text),
    "commits_between": lambda _, git, text: git.commits_between(text, ()),
    "commits_between known": lambda _, git, text: git.commits_between(SHA, (text,)),
    "commit_info": lambda mirror, _, text: mirror.commit_info(text),
    "tree": lambda mirror, _, text: mirror.tree(text).entries(),
    "read_blobs": lambda _, git, text: read_blobs(git, (text,), 1),
    "keep commit": lambda mirror, _, text: mirror.keep("x", text),
    "fetch_one": lambda _, git, text: fetch_one(git, text),
    "fetch_from": lambda _, git, text: fetch_from(git, (text,)),
    "push ref": lambda _, git, text: push(git, {text: SHA}),
    "push commit": lambda _, git, text: push(git, {"refs/heads/reconciler/x": text}),
    "outbox": lambda mirror, _, text: Outbox(mirror, text, patient()),
    "note": lambda mirror, _, text: notes_of(mirror).write(text, "Ready"),
    "note's record": lambda mirror, _, text: notes_of(mirror).write(SHA, "Ready", text or "x"),
}


@pytest.mark.parametrize("use", USES)
def test_what_is_no_full_name_never_reaches_git(mirror: Mirror, use: str, marker: Path) -> None:
    git = mirror.git()
    for text in HOSTILE:
        with pytest.raises(ValueError, match=r"not a full|not a ref of the journal"):
            USES[use](mirror, git, text.replace("{marker}", str(marker)))


@pytest.mark.parametrize("name", ["--output=x", "-x", "a\nb", "a:b", "../../heads/x", "", "a^"])
def test_what_is_kept_has_a_plain_name(mirror: Mirror, name: str) -> None:
    with pytest.raises(ValueError, match="not a full name"):
        mirror.keep(name, SHA)


@pytest.mark.parametrize("text", ["--output={marker}", "-x", "../x", "--stdin"])
def test_hostile_paths_and_environments_never_reach_git(
    mirror: Mirror, text: str, marker: Path
) -> None:
    named = text.replace("{marker}", str(marker))
    with pytest.raises(ValueError, match="no path"):
        journal_of(mirror).append(Event("drift", "x", files={named: b"x"}))
    with pytest.raises(ValueError, match="not a full name"):
        journal_of(mirror, named)


@pytest.mark.parametrize("text", ["--output={marker}", "-c x", "$(touch {marker})", "`id`"])
def test_hostile_words_in_messages_are_only_words(mirror: Mirror, text: str, marker: Path) -> None:
    journal = journal_of(mirror)
    named = text.replace("{marker}", str(marker))
    journal.append(Event("drift", named, body=named, resources=(named,), revision=named))
    (record,) = journal.entries(1)
    assert record.resources == (named,)


def test_hostile_branches_of_the_remote_are_not_branches_to_us(
    mirror: Mirror, origin: Origin, marker: Path
) -> None:
    head = origin.head("production")
    for name in (f"--output={marker.name}", "-x", "--upload-pack=touch"):
        path = origin.path / "refs/heads" / name
        path.write_text(f"{head}\n", "utf-8")
    assert mirror.poll().keys() == {"production"}
    assert mirror.fetch().keys() == {"production"}
    journal = journal_of(mirror)
    journal.append(event())
    assert journal.flush().ok
