"""Names that may be handed to git: full ref names and full object ids, checked before use.

Nothing else from outside ever becomes an argument of git. A full name (`refs/heads/production`)
cannot be taken for an option, nor a branch for a tag of the same name.
"""

from __future__ import annotations

import re

BRANCHES = "refs/heads/"
NULL_ID = "0" * 40
SHORT_LENGTH = 7
_NAME_BYTES = 255

_OBJECT_ID = re.compile(r"\A[0-9a-f]{40}\Z")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def check_object_id(text: str) -> str:
    """The text itself, if it is a full object id.

    Raises:
        ValueError: it is not 40 hexadecimal digits in lower case.
    """
    if _OBJECT_ID.match(text) is None:
        raise ValueError(f"{text[:60]!r} is not a full commit id; write all 40 digits of it")
    return text


def check_ref(name: str) -> str:
    """The name itself, if git could have a ref of that full name and no option looks like it.

    Raises:
        ValueError: the rules of `git check-ref-format` forbid it, or a part begins with a dash.
    """
    parts = name.split("/")
    wrong = (
        len(parts) < 3  # noqa: PLR2004 - refs, heads, name
        or parts[0] != "refs"
        or _FORBIDDEN.search(name) is not None
        or not name.isprintable()
        or not all(map(_is_part, parts))
    )
    if wrong:
        raise ValueError(f"{name[:80]!r} is not a full name of a branch or tag that git allows")
    return name


def branch_ref(branch: str) -> str:
    """The full ref of a branch from its short name.

    Raises:
        ValueError: git allows no branch of that name.
    """
    return check_ref(BRANCHES + branch)


def is_ref(name: str) -> bool:
    """Whether `check_ref` would accept the name."""
    try:
        check_ref(name)
    except ValueError:
        return False
    return True


def short(object_id: str) -> str:
    """An object id as people write it."""
    return object_id[:SHORT_LENGTH]


def _is_part(part: str) -> bool:
    return (
        0 < len(part.encode("utf-8", "surrogatepass")) <= _NAME_BYTES
        and not part.startswith((".", "-"))
        and not part.endswith((".", ".lock"))
        and part != "@"
    )
