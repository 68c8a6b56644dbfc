"""Notices as SARIF 2.1.0, which forges show beside the line that owns the matter."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.plan.show.escape import shortened
from reconciler.plan.show.notices import RULES, Notice

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LONGEST_MESSAGE = 4_000
# What would be a placeholder or a link in a message (SARIF 2.1.0, 3.11.5 and 3.11.6).
_MARKUP = str.maketrans({"{": "{{", "}": "}}", "[": "\\[", "]": "\\]"})


def sarif(notices: Sequence[Notice], *, category: str) -> dict[str, Any]:
    """A SARIF log of one run. `category` tells runs of one commit apart (`plan/production`)."""
    rules = sorted({notice.rule for notice in notices})
    index = {rule: number for number, rule in enumerate(rules)}
    driver = {"name": "reconciler", "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"reconciler/{category}/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(notice, index) for notice in notices],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: str) -> dict[str, Any]:
    return {"id": rule, "shortDescription": {"text": RULES.get(rule, rule)}}


def _result(notice: Notice, index: dict[str, int]) -> dict[str, Any]:
    text = shortened(f"{notice.subject}: {notice.message}", LONGEST_MESSAGE)
    return {
        "ruleId": notice.rule,
        "ruleIndex": index[notice.rule],
        "level": notice.level.value,
        "message": {"text": text.translate(_MARKUP)},
        "locations": [_location(notice)],
        "partialFingerprints": {"reconcilerNotice/v1": _fingerprint(notice)},
    }


def _location(notice: Notice) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": shortened(notice.subject)}]
    }
    if notice.position is not None:
        place = notice.position
        location["physicalLocation"] = {
            "artifactLocation": {
                "uri": quote(place.file, errors="surrogateescape"),
                "uriBaseId": "%SRCROOT%",
            },
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    return location


def _fingerprint(notice: Notice) -> str:
    """The same for the same matter in another commit, where lines may have moved."""
    text = f"{notice.rule}\n{notice.subject}\n{notice.message}"
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
