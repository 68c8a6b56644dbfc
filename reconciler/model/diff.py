"""The difference of two specs, field by field, looking only at what the desired one manages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from reconciler.model.change import FieldChange
from reconciler.model.plain import to_short


def diff_fields(desired: Any, observed: Any) -> tuple[FieldChange, ...]:
    """What differs between two specs of the same type.

    A field that is None in `desired` is not managed and never differs. A field declared with
    `field(compare=False)` matters at creation only and never differs either. A tuple of items
    that have a `key` property is compared item by item, so that the change names the item.
    """
    return tuple(_diff(desired, observed, ""))


def _diff(desired: Any, observed: Any, path: str) -> Iterator[FieldChange]:
    if desired is None or desired == observed:
        return
    if is_dataclass(desired) and type(desired) is type(observed):
        for field in fields(desired):
            if field.compare:
                here = f"{path}.{field.name}" if path else field.name
                yield from _diff(getattr(desired, field.name), getattr(observed, field.name), here)
    elif _keyed(desired) is not None and _keyed(observed) is not None:
        yield from _diff_items(_keyed(desired) or {}, _keyed(observed) or {}, path)
    else:
        yield FieldChange(path, to_short(observed), to_short(desired))


def _diff_items(
    desired: Mapping[str, Any], observed: Mapping[str, Any], path: str
) -> Iterator[FieldChange]:
    for key in sorted(desired.keys() | observed.keys()):
        here = f"{path}.{key}"
        if key in desired and key in observed:
            yield from _diff(desired[key], observed[key], here)
        else:
            yield FieldChange(here, to_short(observed.get(key)), to_short(desired.get(key)))


def _keyed(value: Any) -> Mapping[str, Any] | None:
    if not isinstance(value, tuple) or not all(hasattr(item, "key") for item in value):
        return None
    return {item.key: item for item in value}
