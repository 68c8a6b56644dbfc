"""Whatever changes in a zone, no part of a large update breaks a name in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.drivers.dns.batches import in_parts
from reconciler.drivers.refusal import Refused
from reconciler.ports.nameserver import RecordSet, ZoneUpdate

ZONE = "farm.internal"
NAMES = ("@", "a", "b", "c", "d", "e", "f", "*")
State = Mapping[str, RecordSet]


def value(kind: str, target: str, number: int) -> str:
    pointed = f"{ZONE}." if target == "@" else f"{target}.{ZONE}."
    return {
        "A": f"192.0.2.{number}",
        "AAAA": f"2001:db8::{number}",
        "TXT": f'"{number}"',
        "CNAME": pointed,
        "MX": f"{number} {pointed}",
        "SRV": f"0 0 {number} {pointed}",
    }[kind]


@st.composite
def states(draw: st.DrawFn) -> State:
    found: dict[str, RecordSet] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        others = ("A", "AAAA", "TXT", "MX", "SRV")
        kinds = draw(st.just(["CNAME"]) | st.lists(st.sampled_from(others), unique=True))
        for kind in kinds if name not in "@*" else [kind for kind in kinds if kind != "CNAME"]:
            target = draw(st.sampled_from((*NAMES[:-1], "w")))
            text = value(kind, target, draw(st.integers(1, 3)))
            found[f"{name}/{kind}"] = RecordSet(name, kind, 60, (text,))
    return found


def update_between(before: State, after: State) -> ZoneUpdate:
    put = tuple(after[key] for key in sorted(after) if before.get(key) != after[key])
    remove = tuple(sorted(before.keys() - after.keys()))
    absent = tuple(sorted(after.keys() - before.keys()))
    return ZoneUpdate(ZONE, 1, "production", put, remove, absent)


def applied(state: State, part: ZoneUpdate) -> State:
    kept = {key: record for key, record in state.items() if key not in part.remove}
    return {**kept, **{record.key: record for record in part.put}}


def resolves(state: State, name: str) -> bool:
    """As a resolver would: own records first, else the wildcard's; aliases are followed."""
    seen = set()
    while name not in seen:
        seen.add(name)
        has_own = any(record.name == name for record in state.values())
        owner = name if has_own or name == "@" else "*"
        if alias := state.get(f"{owner}/CNAME"):
            name = relative(alias.values[0])
            continue
        return f"{owner}/A" in state or f"{owner}/AAAA" in state
    return False


def relative(target: str) -> str:
    return "@" if target == f"{ZONE}." else target.removesuffix(f".{ZONE}.")


def pointers(state: State) -> set[tuple[str, str, str]]:
    kinds = {"CNAME", "MX", "SRV"}
    return {(r.name, r.type, r.values[0]) for r in state.values() if r.type in kinds}


def broken(before: State, now: State, after: State) -> Iterable[str]:
    """What does not hold in between though it holds on both ends."""
    yield from (f"{key} is missing" for key in (before.keys() & after.keys()) - now.keys())
    for name in NAMES[:-1]:
        if resolves(before, name) and resolves(after, name) and not resolves(now, name):
            yield f"{name} does not resolve"
    for record in now.values():
        if record.type == "CNAME" and sum(r.name == record.name for r in now.values()) > 1:
            yield f"{record.name} has a CNAME beside other records"
    if is_clean(before) and is_clean(after):
        for name, kind, text in pointers(now):
            if not resolves(now, target_of(text)):
                yield f"{name}/{kind} points at {text}, which does not resolve"


def target_of(text: str) -> str:
    return relative(text.rpartition(" ")[2])


def is_clean(state: State) -> bool:
    """As documents must be: nothing points nowhere. And no wildcard makes it more difficult."""
    has_wildcard = any(record.name == "*" for record in state.values())
    return not has_wildcard and all(resolves(state, target_of(p[2])) for p in pointers(state))


def cleaned(state: State) -> State:
    """The zone without what points nowhere, and without wildcards."""
    kept = {key: record for key, record in state.items() if record.name != "*"}
    while not is_clean(kept):
        wrong = {(n, k) for n, k, text in pointers(kept) if not resolves(kept, target_of(text))}
        kept = {key: r for key, r in kept.items() if (r.name, r.type) not in wrong}
    return kept


def sets(*texts: tuple[str, str, str]) -> State:
    return {f"{n}/{k}": RecordSet(n, k, 60, (value(k, t, 1),)) for n, k, t in texts}


ZONES = states() | states().map(cleaned)


@given(before=ZONES, after=ZONES, room=st.integers(1, 4))
@example(
    before=sets(("a", "CNAME", "b"), ("b", "A", "")),
    after=sets(("b", "CNAME", "a"), ("a", "A", "")),
    room=4,
)
@example(
    before=sets(("a", "CNAME", "b"), ("b", "CNAME", "c"), ("c", "A", "")),
    after=sets(("a", "CNAME", "d"), ("d", "A", "")),
    room=1,
)
def test_no_part_breaks_a_name(before: State, after: State, room: int) -> None:
    update = update_between(before, after)
    try:
        parts = in_parts(update, before.values(), lambda _: 1, room)
    except Refused:
        assume(False)
    now = before
    for part in parts:
        assert (
            len({each.name for each in part.put} | {k.split("/")[0] for k in part.remove}) <= room
        )
        now = applied(now, part)
        assert not list(broken(before, now, after)), parts
    assert now == after


@given(before=states(), after=states())
def test_nothing_is_refused_that_fits_into_one_message(before: State, after: State) -> None:
    update = update_between(before, after)
    (part,) = in_parts(update, before.values(), lambda _: 1, len(NAMES))
    assert set(part.put) == set(update.put)
    assert set(part.remove) == set(update.remove)
    assert set(part.absent) == set(update.absent)
