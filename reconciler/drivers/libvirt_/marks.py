"""What a host's list says of a volume, and the form in which it is kept: JSON, by `pool/volume`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import VolumeFormat

LONGEST_TEXT = 4096
MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Rounded:
    """A pool that counts in units of its own gave more than was asked for."""

    asked_bytes: int
    given_bytes: int


@dataclass(frozen=True, slots=True)
class Mark:
    """One volume: whose it is, and what libvirt cannot say of it.

    `content` is the digest of what was put in. `format` is what it was made as: what a guest writes
    to a raw volume may look like another one. `begun` is when its making began, until it has
    ended: a volume that has it is not whole. A cached image has no owner.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # what a newer version wrote is not dropped

    owner: Owner | None = None
    content: str | None = None
    format: VolumeFormat | None = None
    begun: AwareDatetime | None = None
    rounded: Rounded | None = None


def _of_early_days(value: Any) -> Any:
    """The first lists held owners alone."""
    if isinstance(value, dict) and "environment" in value:
        return {"owner": value}
    return value


def _sound(mark: Mark) -> Mark:
    """An owner's name becomes an address in the journal, which then has to be read again."""
    owner = mark.owner
    texts = (owner.environment, owner.name, owner.digest) if owner else ("-", "-", "")
    if not all(texts[:2]) or max(map(len, texts)) > LONGEST_TEXT:
        message = f"an owner has an environment and a name of at most {LONGEST_TEXT} letters"
        raise ValueError(message)
    return mark


_LIST = TypeAdapter(
    dict[
        Annotated[str, Field(max_length=LONGEST_TEXT)],
        Annotated[Mark, BeforeValidator(_of_early_days), AfterValidator(_sound)],
    ]
)


def decoded(content: bytes | None, place: str) -> dict[str, Mark]:
    """The marks that a list holds; one that is not there, None, has none.

    `place` is how errors call the list.

    Raises:
        Refused: it is no list of marks.
    """
    if content is None:
        return {}
    try:
        return _LIST.validate_json(content)
    except ValidationError as error:
        raise Refused(
            f"{place} does not hold the marks of volumes: {_reason(error)}; restore the file"
        ) from None


def _reason(error: ValidationError) -> str:
    """The first things that are wrong: a hostile list may hold a million of them."""
    found = error.errors(include_url=False, include_input=False)
    told = [f"{'.'.join(map(str, each['loc']))[:200]}: {each['msg']}" for each in found[:MOST_TOLD]]
    more = [f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
    return "; ".join([*told, *more])


def encoded(marks: Mapping[str, Mark]) -> bytes:
    """The list as it is kept: sorted, and readable for people."""
    return _LIST.dump_json(dict(sorted(marks.items())), indent=1, exclude_none=True)


def changed(marks: Mapping[str, Mark], edits: Mapping[str, Mark | None]) -> dict[str, Mark]:
    """The marks after the edits, of which None drops a mark."""
    return {key: mark for key, mark in {**marks, **edits}.items() if mark is not None}
