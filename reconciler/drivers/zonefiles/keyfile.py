"""A key file as BIND and `tsig-keygen` write it: `key "name" { algorithm …; secret …; };`."""

from __future__ import annotations

import re

from reconciler.config.zone_fields import weakness
from reconciler.drivers.dns.access import Key
from reconciler.drivers.dns.rules import parse

LARGEST_BYTES = 64 * 1024
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)


def read_key(text: str, file: str) -> Key:
    """The key in a file. No message holds its secret.

    Raises:
        ValueError: there is not just one, or it protects nothing.
    """
    try:
        statements = parse(_COMMENT.sub(lambda match: match[1] or " ", text))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    keys = [each for each in statements if each.words[:1] == ("key",)]
    if len(keys) != 1:
        raise ValueError(f"{file} holds {len(keys)} keys; it must be one, as of tsig-keygen")
    said = {each.words[0]: each.words[1] for each in keys[0].body or () if len(each.words) == 2}  # noqa: PLR2004 (a word and its value)
    if len(keys[0].words) != 2 or not {"algorithm", "secret"} <= said.keys():  # noqa: PLR2004
        raise ValueError(f'{file}: a key is key "name" {{ algorithm …; secret …; }};')
    if why := weakness(said["algorithm"]):
        raise ValueError(f"{file}: {said['algorithm']} is refused: {why}; make a new key")
    try:
        return Key(keys[0].words[1], said["algorithm"].lower().rstrip("."), said["secret"])
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
