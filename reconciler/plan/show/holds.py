"""Holds as files of the journal, one for each, so that two who write at once lose nothing.

What a status says is written anew at each event, by whoever looks after the environment; a hold may
come from anybody, at any time, and must outlive that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import Stalled
from reconciler.model.plain import from_plain, to_plain
from reconciler.model.standing import Hold
from reconciler.plan.show.json import json_text
from reconciler.plan.show.misfit import misfits

FOLDER = "holds/"
WHOLE = "environment"
_NAME_LENGTH = 16
_adapter = cache(TypeAdapter)


def hold_path(resource: str) -> str:
    """The file of the hold of a resource; empty for the whole environment."""
    digest = hashlib.sha256(resource.encode()).hexdigest()[:_NAME_LENGTH]
    return f"{FOLDER}{digest if resource else WHOLE}.json"


def hold_json(hold: Hold) -> bytes:
    """A hold as the content of its file."""
    return json_text(to_plain(hold)).encode()


def read_holds(files: Mapping[str, bytes]) -> tuple[Hold, ...]:
    """The holds in the files of a journal, that of the environment first.

    Raises:
        Stalled: one cannot be read; what it holds may not be touched then.
    """
    found = (_read(path, files[path]) for path in sorted(files) if path.startswith(FOLDER))
    return tuple(sorted(found, key=lambda hold: hold.resource))


def _read(path: str, content: bytes) -> Hold:
    try:
        return from_plain(Hold, _adapter(dict[str, str]).validate_json(content))
    except ValidationError as error:
        raise Stalled(
            f"{path} in the journal cannot be read: {misfits(error)}",
            "restore the file as it is in an earlier commit of the journal, or remove it",
        ) from error
