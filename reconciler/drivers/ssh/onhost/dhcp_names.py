"""Names of clients in DNS, as the configuration of Kea says it: whose, and into which zone. Pure.

Kea tells a server beside it (D2) of each lease. A client says what it is called, and that becomes
one name below the zone of its network, or none. Kea sends for every subnet as soon as it sends at
all, unless it is told otherwise: so what is global is changed while we need it, and put back.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Config = dict[str, Any]

OURS = "reconciler"
SENDS, ENABLED, TO = "ddns-send-updates", "enable-updates", "dhcp-ddns"
_SUFFIX = "ddns-qualifying-suffix"
# Whoever has a name keeps it (RFC 4703), and dots of a client's name do not make it a longer one.
_SAID: Mapping[str, Any] = {
    SENDS: True,
    "ddns-override-no-update": True,
    "ddns-override-client-update": True,
    "ddns-replace-client-name": "when-not-present",
    "ddns-generated-prefix": "dhcp",
    "ddns-update-on-renew": True,
    "ddns-use-conflict-resolution": True,
    "hostname-char-set": "[^A-Za-z0-9-]",
    "hostname-char-replacement": "-",
}


def said_of_names(zone: str) -> dict[str, Any]:
    """What a subnet says so that its clients get names in a zone."""
    return {**_SAID, _SUFFIX: f"{zone}."}


def without_names(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A subnet that says nothing of names."""
    return {key: each for key, each in entry.items() if key not in _SAID and key != _SUFFIX}


def with_sending(config: Config, *, is_wanted: bool) -> Config:
    """The configuration that sends for subnets that say so, if any of ours does; else as before us.

    Where somebody let it send already, it is left to them which subnets do.
    """
    to = config.get(TO) or {}
    context = to.get("user-context")
    context = dict(context) if isinstance(context, dict) else {}
    before = context.get(OURS)
    if is_wanted and (isinstance(before, dict) or not to.get(ENABLED)):
        if not isinstance(before, dict):
            before = {ENABLED: False}
            before |= {SENDS: config[SENDS]} if SENDS in config else {}
        sends = {**to, ENABLED: True, "user-context": {**context, OURS: before}}
        return {**config, SENDS: False, TO: sends}
    if not is_wanted and isinstance(before, dict):
        return _as_before(config, to, context)
    return config


def _as_before(config: Config, to: Mapping[str, Any], context: dict[str, Any]) -> Config:
    before = context.pop(OURS)
    after = {**config, TO: {**to, ENABLED: before.get(ENABLED, False), "user-context": context}}
    if not context:
        del after[TO]["user-context"]
    after.pop(SENDS, None)
    if SENDS in before:
        after[SENDS] = before[SENDS]
    if after[TO] == {ENABLED: False}:  # which it is without being told
        del after[TO]
    return after
