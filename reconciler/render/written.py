"""How documents call what specs call otherwise, for what people write of resources."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.render.hosts import WRITTEN_AS as OF_HOSTS
from reconciler.render.machines import WRITTEN_AS as OF_MACHINES

_OF_VOLUMES = {"capacity_bytes": "size"}
_BY_KIND: Mapping[str, Mapping[str, str]] = {"domain": OF_MACHINES, "volume": _OF_VOLUMES}


def written_path(kind: str, path: str) -> str:
    """A field of a spec as a document calls it."""
    head, dot, rest = path.partition(".")
    return f"{_words(kind).get(head, head)}{dot}{rest}"


def spec_path(kind: str, path: str) -> str:
    """A field as the spec calls it, whichever way people wrote it."""
    head, dot, rest = path.partition(".")
    known = {written: field for field, written in _words(kind).items()}
    return f"{known.get(head, head)}{dot}{rest}"


def _words(kind: str) -> Mapping[str, str]:
    return _BY_KIND.get(kind, OF_HOSTS)
