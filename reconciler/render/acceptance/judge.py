"""What of a drift documents can say, as changes of them; and why not the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.config.amend import Amendment
from reconciler.config.places import Place, Places
from reconciler.config.repository import Documents
from reconciler.model.change import FieldChange
from reconciler.model.resource import Desired
from reconciler.render.acceptance.home import home_of, network_of
from reconciler.render.acceptance.rule import Items, Refused, Unsayable, Written
from reconciler.render.acceptance.table import FIELDS

# What differs still after a field was accepted, and is set right by the next sync: what the host
# keeps for its next boot follows what the document says of now, and the other way round.
FOLLOWS: Mapping[str, frozenset[str]] = {
    "bond": frozenset({"files"}),
    "bridge": frozenset({"files"}),
    "libvirt_network": frozenset({"is_current"}),
    "subnet": frozenset({"is_persisted"}),
    "sysctl": frozenset({"persisted", "value"}),
    "vlan": frozenset({"files"}),
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A field that a document takes over: what it said, and what is written where."""

    field: FieldChange
    place: Place
    amendment: Amendment


@dataclass(frozen=True, slots=True)
class Judged:
    """What can be accepted, and what cannot, by field, with the reason."""

    accepted: tuple[Accepted, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def judge(
    documents: Documents,
    places: Places,
    want: Desired[Any],
    seen: Any,
    changed: Iterable[FieldChange],
) -> Judged:
    """What of the differences of one resource can be written into its document.

    `seen` is the spec that was seen.
    """
    accepted: list[Accepted] = []
    refused: dict[str, str] = {}
    for change in changed:
        try:
            amendment = _amendment(documents, want, seen, change)
            accepted.append(_placed(documents, places, want, change, amendment))
        except Unsayable as error:
            refused[change.path] = str(error)
    return Judged(tuple(_once(accepted)), refused)


def gone(documents: Documents, places: Places, want: Desired[Any]) -> Accepted:
    """How the documents say that a resource is not there any more: without its item.

    For a document of its own, the amendment has no path.

    Raises:
        Unsayable: nobody can say that without saying more.
    """
    home = home_of(documents, want)
    if want.address.kind == "volume" or not (home.path or home.kind == "VirtualMachine"):
        message = "it belongs to what is still described: change that document by hand"
        raise Unsayable(message)
    amendment = Amendment((home.kind, home.name), home.path, None)
    change = FieldChange(".".join(home.path) or home.name, None, str(want.address))
    return _placed(documents, places, want, change, amendment)


def _amendment(
    documents: Documents, want: Desired[Any], seen: Any, change: FieldChange
) -> Amendment:
    """The value of a document behind one difference.

    Raises:
        Unsayable: there is none.
    """
    head, _, rest = change.path.partition(".")
    rule = FIELDS[want.address.kind].get(head, Refused("it is nothing that a document says"))
    home = home_of(documents, want)
    inside: tuple[str, ...] = ()
    if isinstance(rule, Items):
        if not rest:
            message = "in which order they are, a document says by the order of its items"
            raise Unsayable(message)
        inside, rule = _item(documents, want, rule, change)
    if isinstance(rule, Refused):
        raise Unsayable(rule.reason)
    value = _value(rule, want, seen, change)
    base = () if rule.on_top else home.path
    return Amendment((home.kind, home.name), (*base, *inside, *rule.path), value)


def _item(
    documents: Documents, want: Desired[Any], rule: Items, change: FieldChange
) -> tuple[tuple[str, ...], Written | Refused]:
    """The item of a list of the document, and what is said of the field in it."""
    head, _, rest = change.path.partition(".")
    key, dot, name = rest.rpartition(".")
    is_whole = not dot or name not in rule.fields
    if is_whole:
        key = rest
    if head == "interfaces":
        if is_whole and change.after is None:
            return (), rule.new
        inside = ("networks", network_of(documents, want.address.name, key))
    else:
        inside = (head, key)
    if not is_whole:
        return inside, rule.fields[name]
    return inside, rule.gone if change.before is None else rule.new


def _value(rule: Written, want: Desired[Any], seen: Any, change: FieldChange) -> Any:
    """The value as the document says it; None if it says nothing then."""
    if want.address.kind == "file":
        if change.path in {"owner", "group"} and seen is not None and seen.owner:
            return f"{seen.owner}:{seen.group}"
        if change.path == "content" and want.spec.secrets:
            message = "it holds secrets: use `reconciler secret set`, and let the file be healed"
            raise Unsayable(message)
        if change.path == "type" and change.before == "absent":
            message = "it is gone: accept it with --gone, and it is described no more"
            raise Unsayable(message)
    return None if change.before is None else rule.words(change.before)


def _placed(
    documents: Documents,
    places: Places,
    want: Desired[Any],
    change: FieldChange,
    amendment: Amendment,
) -> Accepted:
    home = home_of(documents, want)
    kind, name = amendment.document
    decided = documents.position(kind, name, *amendment.path)
    place = places.place(
        documents.environment, amendment.document, decided.file, is_sole=home.is_sole
    )
    is_override = place.is_patch or decided.file != place.file
    override = Amendment(amendment.document, amendment.path, amendment.value, is_override)
    return Accepted(change, place, override)


def _once(accepted: Sequence[Accepted]) -> Iterator[Accepted]:
    """Of several fields that are said at one place the one that counts: what is so now."""
    last = {each.amendment.path: each for each in accepted if each.field.path == "value"}
    told: set[tuple[str, ...]] = set()
    for each in accepted:
        path = each.amendment.path
        if path not in told:
            told.add(path)
            yield last.get(path, each)
