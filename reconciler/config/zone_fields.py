"""The types of what zones and name servers are described with: closed forms, as in `fields`."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from reconciler.config.fields import text_field

_SERVICE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLACE = r"\{[a-z]{1,20}\}"
_PIECE = rf"(?:[a-z0-9-]|{_PLACE}|\[[a-z0-9-]{{0,20}}{_PLACE}\])"
NAME_PATTERN = rf"^{_PIECE}{{1,20}}(?:\.{_SERVICE}){{1,8}}$"
MOST_OPTIONAL = 4
REVERSE = r"^(?:[a-z0-9](?:[a-z0-9.-]{0,253}[a-z0-9])?|[0-9a-f.:]{2,45}/[0-9]{1,3})$"

_WEAK: Mapping[str, str] = {  # by hash, with or without `hmac-` before it
    "md5": "MD5 is broken, and no server has to take it any more (RFC 8945)",
    "sha1": "SHA-1 is broken, and new keys must not use it (RFC 8945)",
    "sha224": "it is no stronger than sha256 and taken by fewer servers",
}


def weakness(algorithm: str) -> str | None:
    """Why nothing is signed with a TSIG algorithm that there is; None if something may be."""
    digest = algorithm.lower().rstrip(".").removesuffix(".sig-alg.reg.int").removeprefix("hmac-")
    return _WEAK.get(digest)


def _strong(algorithm: Any) -> Any:
    why = weakness(algorithm) if isinstance(algorithm, str) else None
    if why is not None:
        message = f"must not be {algorithm}: {why}; make a new key: tsig-keygen -a hmac-sha256"
        raise ValueError(message)
    return algorithm


def _name_pattern(value: str) -> str:
    """Each part that may be left out doubles the ways in which a name can be read."""
    if value.count("[") > MOST_OPTIONAL:
        message = f"must have at most {MOST_OPTIONAL} parts in [ ]; write several patterns"
        raise ValueError(message)
    return value


def _reverse(value: str) -> str:
    """A name stays as it is; a prefix must be one, in its shortest form."""
    if "/" not in value:
        return value
    try:
        network = ip_network(value)
    except ValueError as error:
        message = f"must be a prefix such as 2001:db8::/64: {error}"
        raise ValueError(message) from None
    return str(network)


NamePattern = text_field(
    NAME_PATTERN,
    "a pattern of names such as {first}-{last}[-{spec}].pc, below at least one label",
    253,
    _name_pattern,
)
ServiceName = text_field(
    rf"^{_SERVICE}(?:\.{_SERVICE}){{0,7}}$", "a name below the environment's domain, such as git"
)
Reverse = text_field(
    REVERSE, "a name, or a prefix such as 2001:db8::/64 or 192.0.2.64/26", 253, _reverse
)
KeyAlgorithm = Annotated[
    Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"], BeforeValidator(_strong)
]
