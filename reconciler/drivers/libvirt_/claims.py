"""The claim of a move: a note in a domain's metadata that it is on its way to another host."""

from __future__ import annotations

from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_.reading import LONGEST_TEXT
from reconciler.drivers.libvirt_.xmltext import parse

CLAIM_URN = "urn:kvm-reconciler:move:1"
CLAIM_TAG = f"{{{CLAIM_URN}}}move"


def claim_of(root: Any, host: str) -> str | None:
    """The host that the domain, seen on `host`, is being moved to.

    A claim that leads here is none: it came along with the domain.
    """
    element = root.find(f"metadata/{CLAIM_TAG}")
    goal = "" if element is None else element.get("to", "")[:LONGEST_TEXT]
    return goal if goal and goal != host else None


def claim_on(domain: Any, host: str) -> str | None:
    """The host that a domain of `host` is being moved to."""
    return claim_of(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)), host)


def came_with_claim(domain: Any, host: str) -> bool:
    """Whether the domain came to this host by a move that nobody has called finished yet."""
    root = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    element = root.find(f"metadata/{CLAIM_TAG}")
    return element is not None and element.get("to") == host


def claimed_autostart(domain: Any) -> bool:
    """Whether the domain started with its host before it was claimed."""
    root = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    element = root.find(f"metadata/{CLAIM_TAG}")
    return bool(domain.autostart()) or (element is not None and element.get("autostart") == "1")


def write_claim(domain: Any, goal: str, *, autostart: bool) -> None:
    """Say that the domain is being moved, in what is stored and in what runs.

    `autostart` is kept with it, because a domain that is being moved does not start by itself.
    """
    element = etree.Element("move", to=goal, autostart="1" if autostart else "0")
    _note(domain, etree.tostring(element, encoding="unicode"))


def drop_claim(domain: Any) -> None:
    """Say that the domain is not being moved."""
    _note(domain, None)


def _note(domain: Any, text: str | None) -> None:
    live = libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        text,
        "reconciler-move",
        CLAIM_URN,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG | live,
    )
