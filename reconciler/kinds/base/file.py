"""Kind `file`: a file, a directory or a link of a host, or a path where nothing may be.

The content of a file with secrets is compared as it stands in git, with the references in it: the
mark remembers what was written, and the host tells whether it is still that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from reconciler.kinds.base.kind import BaseKind, above
from reconciler.kinds.base.management import safety_of_file
from reconciler.model.address import Address
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Owner
from reconciler.model.secret import SealedSecret
from reconciler.ports.acts import Act, PutDirectory, PutFile, PutLink, RemovePath, RestartService
from reconciler.ports.facts import ABSENT, SECRET, Facts, FileFact, Mark, Question
from reconciler.ports.machine import Safety

SUM = "sha256:"
CHANGED, STRANGE = "changed by hand", "not written by us"
SHOWN_DIGITS = 12
DEFAULT_MODES = {"file": "0644", "directory": "0755"}
Before = Literal["nothing", "other", "same"]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A path of a host.

    `content` of a file that was seen is `sha256:…` where it is not a short text. `secrets` name the
    versions of what its references stand for, `sealed` holds them. `before` and `reloads` are
    remembered in the mark: what was there before us, and the service to tell when it has gone.
    """

    host: str
    path: str
    type: Literal["file", "directory", "link", "absent", "other"]
    mode: str | None = None
    owner: str | None = None
    group: str | None = None
    content: str | None = None
    target: str | None = None
    secrets: tuple[str, ...] = ()
    sealed: tuple[SealedSecret, ...] = field(default=(), compare=False)
    check: tuple[str, ...] = field(default=(), compare=False)
    before: Before | None = field(default=None, compare=False)
    reloads: str | None = field(default=None, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """What the mark of a file remembers: its history, and of one with secrets what was written.

    `reloads` is the service that is told when the file is taken away again.
    """

    before: Before | None = None
    content: str | None = None
    secrets: tuple[str, ...] = ()
    reloads: str | None = None


def note_of(mark: Mark | None) -> Note:
    """Read the note of a file's mark; one that nobody understands says nothing."""
    try:
        plain: Any = json.loads(mark.note) if mark and mark.note else {}
        secrets = tuple(plain.get("secrets", ()))
        return Note(plain.get("before"), plain.get("content"), secrets, plain.get("reloads"))
    except (ValueError, AttributeError, TypeError):
        return Note()


def secret_sum(content: str | None, secrets: tuple[str, ...]) -> str:
    """Names the content of a file with secrets by what git says of it."""
    return sha256(json.dumps([content, secrets]).encode()).hexdigest()


def text_sum(content: str) -> str:
    """The fingerprint of a text, as it is seen of long ones."""
    return SUM + sha256(content.encode()).hexdigest()


def _question(spec: FileSpec) -> Question:
    details = (ABSENT,) if spec.type == "absent" else (SECRET,) if spec.secrets else ()
    return Question("file", spec.path, details)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> FileSpec | None:
    fact, note = facts.answers[question], note_of(mark)
    inside = tuple(above(host, question.name))
    if fact is None:
        nothing = FileSpec(host, question.name, "absent", before=note.before, after=inside)
        return replace(nothing, reloads=note.reloads)
    if not isinstance(fact, FileFact):
        return None
    # What stands where we took something away is somebody else's.
    before = None if ABSENT in question.details else note.before
    access = (fact.mode, fact.owner, fact.group)
    seen = FileSpec(host, question.name, fact.type, *access, before=before, after=inside)
    seen = replace(seen, reloads=note.reloads)
    if fact.type == "link":
        return replace(seen, target=fact.target)
    if fact.type != "file":
        return seen
    if SECRET not in question.details:
        return replace(seen, content=_shown(fact))
    content = note.content if fact.is_sealed and note.content is not None else _strange(fact, note)
    return replace(seen, content=content, secrets=note.secrets)


def _shown(fact: FileFact) -> str:
    """The content as it is compared; a text that looks like a fingerprint is shown as one."""
    if fact.content is None:
        return f"{SUM}{fact.sum}"
    return text_sum(fact.content) if fact.content.startswith(SUM) else fact.content


def _strange(fact: FileFact, note: Note) -> str:
    """The words for a content that must not be told and is not what we wrote."""
    what = STRANGE if note.content is None else CHANGED
    return f"{what} (fingerprint {(fact.sum or '')[:SHOWN_DIGITS]})"


def _differs(desired: FileSpec, observed: FileSpec) -> tuple[FieldChange, ...]:
    """As of any spec; where only the fingerprint of the content was seen, that is compared."""
    seen, wanted = observed.content or "", desired.content
    if wanted is not None and seen.startswith(SUM) and text_sum(wanted) == seen:
        observed = replace(observed, content=wanted)
    return diff_fields(desired, observed)


def _make(wanted: FileSpec, seen: FileSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del changed
    if wanted.type == "absent":
        return (RemovePath(wanted.path),)
    if wanted.type == "link":
        return (PutLink(wanted.path, wanted.target or ""),)
    access = _access(wanted, seen)
    if wanted.type == "directory":
        return (PutDirectory(wanted.path, *access),)
    if wanted.content is None:
        return ()  # rather a difference that stays than an empty file
    return (PutFile(wanted.path, wanted.content, *access, wanted.sealed, wanted.check),)


def _access(wanted: FileSpec, seen: FileSpec | None) -> tuple[str, str, str]:
    """Mode, owner and group: as wanted, else as they are, else as is usual."""
    there = seen if seen is not None and seen.type == wanted.type else None
    return (
        wanted.mode or (there and there.mode) or DEFAULT_MODES.get(wanted.type, "0644"),
        wanted.owner or (there and there.owner) or "root",
        wanted.group or (there and there.group) or "root",
    )


def _drop(seen: FileSpec) -> tuple[Act, ...]:
    is_ours = seen.before == "other" or (seen.before == "nothing" and seen.type != "absent")
    told = (RestartService(seen.reloads, "reload"),) if seen.reloads else ()
    return (RemovePath(seen.path, restores=True), *told) if is_ours else ()


def _note(wanted: FileSpec, seen: FileSpec | None) -> str:
    plain: dict[str, Any] = {"before": _before(wanted, seen)}
    if wanted.reloads:
        plain["reloads"] = wanted.reloads
    if wanted.secrets:
        plain |= {"content": wanted.content, "secrets": list(wanted.secrets)}
    return json.dumps(plain)


def _before(wanted: FileSpec, seen: FileSpec | None) -> Before:
    """What was there before us: what we find where we have not been, and change, is another's."""
    if seen is None or (seen.type == "absent" and seen.before is None):
        return "nothing"
    if seen.type == "absent" or seen.before in {"nothing", "other"}:
        return seen.before or "nothing"
    return "same" if wanted == seen else "other"


def _is_new(seen: FileSpec | None) -> bool:
    return seen is None or seen.before is None


def _safety(spec: FileSpec, owner: Owner) -> Safety | None:
    address = Address("file", owner.name, spec.host)
    return safety_of_file(address, spec.path, owner.digest)


FILE = BaseKind(
    "file",
    FileSpec,
    _question,
    _read,
    _make,
    _drop,
    note=_note,
    is_new=_is_new,
    safety=_safety,
    differs=_differs,
)
