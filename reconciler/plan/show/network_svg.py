"""Address plans as a picture: a band for each partition, a cell for each address or block of them.

Pure text: no script, no style from elsewhere, every name escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from reconciler.config.address_plan import AddressPlan, Claimed, PartitionUse
from reconciler.plan.show.escape import shortened
from reconciler.plan.show.network import DYNAMIC, title, written

COLUMNS = 32
MOST_CELLS = 512
_BLOCKS = 256
_CELL, _GAP = 28, 2
_MARGIN, _LINE = 16, 22
_WIDTH = 2 * _MARGIN + COLUMNS * (_CELL + _GAP)
_COLOURS: Mapping[str, tuple[str, str, str]] = {
    "machine": ("#1f6feb", "#ffffff", "a machine"),
    "host": ("#8250df", "#ffffff", "a host"),
    "gateway": ("#bc4c00", "#ffffff", "the gateway"),
    "dynamic": ("#b6e3ff", "#24292f", "given out by DHCP"),
    "free": ("#dafbe1", "#24292f", "free"),
    "quarantined": ("#fae17d", "#24292f", "in quarantine"),
    "kept": ("#d0d7de", "#24292f", "kept: a server or router of nobody declared"),
    "nobody": ("#8c959f", "#ffffff", "nobody's: network and broadcast address"),
}
_INK = "#24292f"


@dataclass(frozen=True, slots=True)
class _Cell:
    """One square: what is written in it, said of it, and how it is coloured."""

    label: str
    said: str
    sort: str
    strength: float = 1.0


def networks_svg(plans: Sequence[AddressPlan]) -> str:
    """All networks, one below the other, with a legend."""
    parts: list[str] = []
    top = _MARGIN
    for plan in plans:
        top = _network(parts, plan, top)
    top = _legend(parts, top)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" '
        f'viewBox="0 0 {_WIDTH} {top}" font-family="sans-serif" role="img">'
    )
    names = ", ".join(plan.network for plan in plans) or "none"
    said = f"<title>{_text(f'Address plan: {names}')}</title>"
    ground = f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>'
    return "\n".join([head, said, ground, *parts, "</svg>"]) + "\n"


def _network(parts: list[str], plan: AddressPlan, top: int) -> int:
    parts.append(_words(title(plan), top + 16, 16, weight="bold"))
    top += 16 + _LINE
    for use in plan.partitions:
        parts.append(_words(_band_title(use), top, 12))
        top = _grid(parts, tuple(_cells(use)), top + 6)
    if plan.elsewhere:
        parts.append(_words("in no partition", top, 12))
        top = _grid(parts, tuple(_owned(each) for each in plan.elsewhere), top + 6)
    return top + _LINE // 2


def _band_title(use: PartitionUse) -> str:
    said = f"{use.name} {written(use)}, for {use.purpose}: {len(use.claimed)} used"
    if use.quarantined:
        said += f", {len(use.quarantined)} in quarantine"
    if use.purpose == DYNAMIC:
        return f"{said}, {use.free} given out by DHCP"
    return f"{said}, {use.free} free, next {use.next_free or 'none'}"


def _cells(use: PartitionUse) -> Iterator[_Cell]:
    if use.all.size > MOST_CELLS:
        yield from _blocks(use)
        return
    owners = {each.owner.address: each for each in use.claimed}
    free = "dynamic" if use.purpose == DYNAMIC else "free"
    for number in range(int(use.all.first), int(use.all.last) + 1):
        address = IPv4Address(number)
        if address in owners:
            yield _owned(owners[address])
            continue
        sort = free if address in use.usable else "nobody"
        sort = "quarantined" if address in use.quarantined else sort
        sort = "kept" if address in use.kept else sort
        yield _Cell(_label(address), f"{address}: {_COLOURS[sort][2]}", sort)


def _owned(claimed: Claimed) -> _Cell:
    owner = claimed.owner
    environments = ", ".join(claimed.environments)
    said = f"{owner.address}: {owner.called} of {environments}, {owner.position}"
    return _Cell(f".{int(owner.address) & 255}", said, owner.sort)


def _blocks(use: PartitionUse) -> Iterator[_Cell]:
    """Equal parts of a large partition, the darker the more of each is used."""
    size = -(-use.all.size // _BLOCKS)
    first = int(use.all.first)
    counts: dict[int, int] = {}
    for address in (*(each.owner.address for each in use.claimed), *use.quarantined, *use.kept):
        block = (int(address) - first) // size
        counts[block] = counts.get(block, 0) + 1
    free = "dynamic" if use.purpose == DYNAMIC else "free"
    for block in range(-(-use.all.size // size)):
        start = first + block * size
        end = min(start + size - 1, int(use.all.last))
        count = counts.get(block, 0)
        said = f"{IPv4Address(start)}-{IPv4Address(end)}: {count} of {end - start + 1} taken"
        strength = 0.3 + 0.7 * count / (end - start + 1)
        yield _Cell(str(count or ""), said, "machine" if count else free, strength if count else 1)


def _label(address: IPv4Address) -> str:
    return f".{int(address) & 255}"


def _grid(parts: list[str], cells: Sequence[_Cell], top: int) -> int:
    """The cells in rows; gives where the next thing may stand."""
    step = _CELL + _GAP
    for index, cell in enumerate(cells):
        left, above = _MARGIN + index % COLUMNS * step, top + index // COLUMNS * step
        fill, ink, _ = _COLOURS[cell.sort]
        shade = f' fill-opacity="{cell.strength:.2f}"' if cell.strength < 1 else ""
        parts.append(
            f"<g><title>{_text(cell.said)}</title>"
            f'<rect x="{left}" y="{above}" width="{_CELL}" height="{_CELL}" rx="3" '
            f'fill="{fill}"{shade}/>'
            f'<text x="{left + _CELL // 2}" y="{above + _CELL // 2 + 4}" font-size="10" '
            f'text-anchor="middle" fill="{_INK if shade else ink}">{_text(cell.label)}</text></g>'
        )
    return top + -(-len(cells) // COLUMNS) * step + _LINE


def _legend(parts: list[str], top: int) -> int:
    left = _MARGIN
    for fill, _, meaning in _COLOURS.values():
        width = 30 + 7 * len(meaning)
        if left + width > _WIDTH:
            left, top = _MARGIN, top + _LINE
        parts.append(f'<rect x="{left}" y="{top}" width="14" height="14" rx="3" fill="{fill}"/>')
        parts.append(_words(meaning, top + 12, 12, left=left + 20))
        left += width
    return top + _LINE + _MARGIN


def _words(text: str, y: int, size: int, left: int = _MARGIN, weight: str = "normal") -> str:
    return (
        f'<text x="{left}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{_INK}">'
        f"{_text(text)}</text>"
    )


def _text(text: str) -> str:
    return html.escape(shortened(text))
