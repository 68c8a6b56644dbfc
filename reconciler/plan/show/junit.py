"""Notices as JUnit XML, which every CI system shows: one test case per thing.

An error or a warning fails its case, unknown is an error in JUnit's sense, a note passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.plan.show.escape import shortened
from reconciler.plan.show.notices import Level, Notice

LONGEST_MESSAGE = 4_000


def junit(notices: Sequence[Notice], *, suite: str) -> bytes:
    """A report of one test suite. With nothing to say it has one case, which passes."""
    from lxml import etree

    failed = [notice for notice in notices if notice.level is not Level.NOTE]
    errors = sum(notice.rule == "unknown" for notice in failed)
    counts = {
        "tests": str(len(notices) or 1),
        "failures": str(len(failed) - errors),
        "errors": str(errors),
    }
    root = etree.Element("testsuites", counts)
    parent = etree.SubElement(root, "testsuite", {"name": shortened(suite), **counts})
    for notice in notices:
        _case(etree, parent, notice)
    if not notices:
        etree.SubElement(parent, "testcase", name="nothing to report", classname=shortened(suite))
    report: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return report


def _case(etree: Any, parent: Any, notice: Notice) -> None:
    attributes = {"name": shortened(notice.subject), "classname": shortened(notice.rule)}
    message = shortened(notice.message, LONGEST_MESSAGE)
    if notice.position is not None:
        attributes |= {"file": shortened(notice.position.file), "line": str(notice.position.line)}
        message = f"{shortened(str(notice.position))}: {message}"
    case = etree.SubElement(parent, "testcase", attributes)
    if notice.level is Level.NOTE:
        etree.SubElement(case, "system-out").text = message
        return
    result = etree.SubElement(case, "error" if notice.rule == "unknown" else "failure")
    result.set("type", shortened(notice.rule))
    result.set("message", message)
    result.text = message
