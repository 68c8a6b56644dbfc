"""XML from hosts, read as if the host were hostile: no DTD, no entities, no network, no giants."""

from __future__ import annotations

from typing import Any

from lxml import etree

from reconciler.drivers.refusal import Refused

LARGEST_BYTES = 1024 * 1024
LONGEST_NUMBER = 20
UNIT_BYTES = {
    "b": 1,
    "bytes": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgtpe", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgtpe", 1)},
    **{prefix: 1024**power for power, prefix in enumerate("kmgtpe", 1)},
}


def parse(text: str) -> Any:
    """The root element.

    Raises:
        Refused: the text is too long, is no XML, or brings a document type along.
    """
    data = text.encode("utf-8", errors="surrogatepass")
    if len(data) > LARGEST_BYTES:
        raise Refused(f"the host sent {len(data)} bytes of XML, and {LARGEST_BYTES} is the most")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused(f"the host sent XML that cannot be read: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("the host sent XML with a document type, which libvirt never does")
    return root


def whole_number(text: str | None) -> int:
    """The number that the text is.

    Raises:
        Refused: it is none, or an absurd one.
    """
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > LONGEST_NUMBER:
        raise Refused(f"the host sent {digits[:40]!r} where a number belongs")
    return int(digits)


def size_bytes(element: Any, default_unit: str) -> int:
    """The size that an element of libvirt's XML gives in its own unit.

    Raises:
        Refused: it is no size, or the element (None) is not there.
    """
    if element is None:
        raise Refused("the host sent XML without a size where one belongs")
    unit = element.get("unit", default_unit)
    if unit.lower() not in UNIT_BYTES:
        raise Refused(f"the host sent a size in {unit[:40]!r}")
    size: int = whole_number(element.text) * UNIT_BYTES[unit.lower()]
    return size


def child(parent: Any, name: str) -> Any:
    """The first child of that name, made if there is none."""
    element = parent.find(name)
    return add(parent, name) if element is None else element


def add(parent: Any, tag: str, /, **attributes: str) -> Any:
    """A new last child."""
    return etree.SubElement(parent, tag, attributes)


def drop(parent: Any, *names: str) -> None:
    """Remove all children of these names."""
    for name in names:
        for each in parent.findall(name):
            parent.remove(each)
