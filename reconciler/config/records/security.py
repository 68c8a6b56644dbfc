"""Whom to trust about a name: authorities, keys of ssh, certificates of TLS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.config.records.syntax import (
    BYTE,
    SHORT,
    Word,
    fields,
    hexadecimal,
    lacking,
    number,
    quoted,
    shown,
    string,
    unquoted,
    words,
)

_TAG = re.compile(r"[a-z0-9]{1,15}")
_SSH_HASHES: Mapping[int, int] = {1: 20, 2: 32}  # SHA-1, SHA-256
_TLS_HASHES: Mapping[int, int] = {1: 32, 2: 64}  # SHA-256, SHA-512


@dataclass(frozen=True, slots=True)
class Caa:
    """Which authority may issue certificates (RFC 8659)."""

    flags: int
    tag: str
    value: bytes

    @classmethod
    def parse(cls, text: str, origin: str) -> Caa:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        del origin
        flags, tag, value = fields(text, "flags", "a tag", "a value")
        name = unquoted(tag, "tag").lower()
        if not _TAG.fullmatch(name):
            raise ValueError(f"the tag must be letters and digits such as issue, not {shown(tag)}")
        return cls(number(flags, "flags", BYTE), name, string(value, "value", SHORT))

    def __str__(self) -> str:
        return f"{self.flags} {self.tag} {quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Sshfp:
    """The fingerprint of a host's ssh key (RFC 4255), in lower case."""

    algorithm: int
    hash_type: int
    fingerprint: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Sshfp:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        del origin
        (algorithm, hash_type), rest = _head(
            text, "an algorithm", "a type of hash", "a fingerprint"
        )
        value = cls(
            number(algorithm, "algorithm", BYTE),
            number(hash_type, "type of hash", BYTE),
            hexadecimal(rest, "fingerprint"),
        )
        _check_length(value.fingerprint, _SSH_HASHES.get(value.hash_type), "fingerprint")
        return value

    def __str__(self) -> str:
        return f"{self.algorithm} {self.hash_type} {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Tlsa:
    """The certificate or key of a TLS service (RFC 6698), in lower case."""

    usage: int
    selector: int
    matching: int
    certificate: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Tlsa:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        del origin
        head, rest = _head(text, "a usage", "a selector", "a type of matching", "a certificate")
        usage, selector, matching = head
        value = cls(
            number(usage, "usage", BYTE),
            number(selector, "selector", BYTE),
            number(matching, "type of matching", BYTE),
            hexadecimal(rest, "certificate"),
        )
        _check_length(value.certificate, _TLS_HASHES.get(value.matching), "hash of the certificate")
        return value

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.certificate}"


def _head(text: str, *meanings: str) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """The parts before the last one, which may be in several pieces; and those pieces."""
    found = words(text)
    if len(found) < len(meanings):
        raise ValueError(lacking(found, *meanings))
    return found[: len(meanings) - 1], found[len(meanings) - 1 :]


def _check_length(digits: str, length_bytes: int | None, meaning: str) -> None:
    if length_bytes is not None and len(digits) != 2 * length_bytes:
        have = len(digits) // 2
        raise ValueError(f"the {meaning} is {have} bytes long, and must be {length_bytes}")
