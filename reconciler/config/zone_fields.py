"""The types of what zones and name servers are described with: closed forms, as in `fields`."""

from __future__ import annotations

from ipaddress import ip_network

from reconciler.config.fields import text_field

_SERVICE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLACE = r"\{[a-z]{1,20}\}"
_PIECE = rf"(?:[a-z0-9-]|{_PLACE}|\[[a-z0-9-]{{0,20}}{_PLACE}\])"
NAME_PATTERN = rf"^{_PIECE}{{1,20}}(?:\.{_SERVICE}){{1,8}}$"
REVERSE = r"^(?:[a-z0-9](?:[a-z0-9.-]{0,253}[a-z0-9])?|[0-9a-f.:]{2,45}/[0-9]{1,3})$"


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
    NAME_PATTERN, "a pattern of names such as {first}-{last}[-{spec}].pc, below at least one label"
)
ServiceName = text_field(
    rf"^{_SERVICE}(?:\.{_SERVICE}){{0,7}}$", "a name below the environment's domain, such as git"
)
Reverse = text_field(
    REVERSE, "a name, or a prefix such as 2001:db8::/64 or 192.0.2.64/26", 253, _reverse
)
