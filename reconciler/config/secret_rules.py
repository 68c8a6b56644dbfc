"""Who may read a new encrypted file, and what of it is encrypted: `.sops.yaml`, as sops has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.config.parse import parse
from reconciler.config.secret_text import quoted
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem

RULES_FILE = ".sops.yaml"
SUFFIX = "_unencrypted"
_WORDS = ("unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex")
_COMMENT_WORDS = ("unencrypted_comment_regex", "encrypted_comment_regex")
_OTHER_KEYS = (
    "pgp", "kms", "aws_profile", "gcp_kms", "azure_keyvault", "hc_vault_transit_uri",
    "key_groups", "shamir_threshold",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selectors:
    """What of a file sops encrypts: everything, but for what these words leave open."""

    words: Mapping[str, str] = field(default_factory=lambda: {"unencrypted_suffix": SUFFIX})
    is_mac_only_encrypted: bool = False

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Selectors:
        """Read them of a file's own block, or of a rule."""
        found = {word: str(written[word]) for word in (*_WORDS, *_COMMENT_WORDS) if word in written}
        is_marked = written.get("mac_only_encrypted") is True
        return cls(found or {"unencrypted_suffix": SUFFIX}, is_marked)

    def leaves_open(self, keys: tuple[str, ...]) -> str:
        """Why sops would leave the value at these keys in the open; empty if it would not."""
        for word, pattern in self.words.items():
            if word in _COMMENT_WORDS:
                return f"{word} decides by comments, which only sops itself can do"
            is_hit = any(_hits(word, pattern, key) for key in keys)
            if is_hit == word.startswith("unencrypted"):
                return f"its file has {word} {pattern}"
        return ""

    def lines(self) -> Iterator[str]:
        """The lines of a file's block."""
        for word, pattern in sorted(self.words.items()):
            yield f"    {word}: {pattern if pattern == SUFFIX else quoted(pattern)}"
        if self.is_mac_only_encrypted:
            yield "    mac_only_encrypted: true"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a file: for whom it is encrypted, and what of it."""

    recipients: tuple[str, ...]
    selectors: Selectors


def rule_for(path: str, content: bytes) -> Rule:
    """The first rule of `.sops.yaml` that fits the path of a file beside it.

    Raises:
        ConfigError: there is no rule for it, or one that needs more than age.
    """
    written = (parse(RULES_FILE, content) or (None,))[0]
    rules = written.value.get("creation_rules") if written else None
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict) and _fits(path, rule, number):
            return _read(path, rule, number)
    what = f"no creation rule fits {path}, so that nobody is known who may read it"
    remedy = f"add one with path_regex and age to {RULES_FILE}"
    raise ConfigError([Problem(Position(RULES_FILE), what, remedy)])


def _fits(path: str, rule: Mapping[str, Any], number: int) -> bool:
    try:
        return re.search(str(rule.get("path_regex", "")), path) is not None
    except re.error as error:
        raise _problem(
            number, f"path_regex cannot be read here: {error}", "write it simpler"
        ) from None


def _read(path: str, rule: Mapping[str, Any], number: int) -> Rule:
    if others := [word for word in _OTHER_KEYS if rule.get(word)]:
        what = f"it names keys of another kind than age ({', '.join(others)})"
        raise _problem(number, what, f"make the file with sops edit {path}")
    named = rule.get("age") or ""
    listed = named if isinstance(named, list) else str(named).split(",")
    recipients = tuple(str(each).strip() for each in listed if str(each).strip())
    if not recipients:
        raise _problem(
            number, f"it names no age key, so that nobody could read {path}", "list age keys"
        )
    return Rule(recipients, Selectors.of(rule))


def _problem(number: int, what: str, remedy: str) -> ConfigError:
    return ConfigError(
        [Problem(Position(RULES_FILE), f"creation rule {number + 1}: {what}", remedy)]
    )


def _hits(word: str, pattern: str, key: str) -> bool:
    if word.endswith("suffix"):
        return key.endswith(pattern)
    try:
        return re.search(pattern, key) is not None
    except re.error:
        return word.startswith("unencrypted")  # what cannot be read leaves everything open
