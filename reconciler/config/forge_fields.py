"""The forms of a forge's settings: the address of an API, a project, a template of a link."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from reconciler.config.fields import text_field

_PART = r"[A-Za-z0-9_.-]{1,100}"
_PROJECT = rf"^(?:[0-9]{{1,12}}|{_PART}(?:/{_PART}){{1,20}})$"
_URL = r"^https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?$"
_LINK = r"^https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%{}-]{1,300}$"
BLANK = re.compile(r"\{([^{}]*)\}")
BLANKS = frozenset({"environment", "commit", "record"})


def _base(value: str) -> str:
    """Encrypted, so that nobody on the way reads the token; on this machine it may be plain."""
    place = urlsplit(value)
    if place.scheme != "https" and not _is_here(place.hostname or ""):
        message = "must begin with https://, because the token goes there"
        raise ValueError(message)
    return value.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _template(value: str) -> str:
    unknown = set(BLANK.findall(value)) - BLANKS
    if unknown or set("{}") & set(BLANK.sub("", value)):
        message = "may hold {environment}, {commit} and {record}, and no other braces"
        raise ValueError(message)
    return value


def _no_dots(value: str) -> str:
    if {".", ".."} & set(value.split("/")):
        message = "must not hold . or .."
        raise ValueError(message)
    return value


Project = text_field(_PROJECT, "owner/name, or on GitLab a path or number", 400, _no_dots)
ApiUrl = text_field(_URL, "an https:// address", 200, _base)
Link = text_field(_LINK, "an https:// address", 320, _template)
