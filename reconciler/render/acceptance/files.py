"""The texts of the files with what was accepted in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reconciler.config.amend import Amendment, amended, without_document
from reconciler.render.acceptance.judge import Accepted


def files_of(accepted: Iterable[Accepted], read: Callable[[str], str]) -> dict[str, str | None]:
    """The new texts by path, None for a file that goes; `read` gives what a file says now.

    Raises:
        ValueError: one is written in a way that a person must change by hand.
    """
    files: dict[str, str | None] = {}
    for each in accepted:
        file = each.place.file
        try:
            files[file] = _with(files.get(file) or read(file), each)
        except ValueError as error:
            message = f"{file}: {error}"
            raise ValueError(message) from error
    return files


def _with(text: str, accepted: Accepted) -> str | None:
    amendment = accepted.amendment
    if amendment.path:
        return amended(text, [amendment])
    if accepted.place.is_patch:  # others read what it changes
        return amended(text, [Amendment(amendment.document, ("absent",), value=True)])
    return without_document(text, amendment.document)
