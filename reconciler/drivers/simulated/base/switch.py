"""The dead man's switch of a simulated host, as functions from base to base.

Armed before a change that may cut the host off, it takes the change back when it fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import files, services, way_in
from reconciler.drivers.simulated.base.state import Base, Switch, Tried
from reconciler.model.address import Address
from reconciler.ports.machine import Safety

ENOUGH = 2  # so often a change is tried whose end nobody saw


def undone(base: Base) -> Mapping[Address, str]:
    """What was taken back and is not to be tried again."""
    return {
        Address.parse(name): tried.digest
        for name, tried in sorted(base.tried.items())
        if tried.times >= ENOUGH
    }


def armed(base: Base, safety: Safety, now: datetime) -> Base:
    """Ready to take back what comes.

    Raises:
        Refused: it is armed for another change, or cannot be written down.
    """
    if base.switch is not None:
        message = "a change to the way in is being tried; wait for its end"
        raise Refused(message)
    if base.disk != "well":
        message = "the way back cannot be written down"
        raise Refused(message)
    concerns = {str(address): digest for address, digest in safety.concerns}
    now_there = {path: base.files.get(path) for path in safety.files}
    running = tuple(each for each in safety.services if _runs(base, each))
    before = base if safety.network else None
    switch = Switch(now + safety.deadline, safety.files, running, concerns, before)
    return replace(base, switch=switch, confirmed={**now_there, **base.confirmed})


def disarmed(base: Base, *, read_anew: bool) -> Base:
    """The change stays. What services have read well is what they get the next time, too."""
    if base.switch is None:
        return base
    is_settled = read_anew or not base.switch.services
    paths = set(base.switch.files) if is_settled else set()
    confirmed = {path: file for path, file in base.confirmed.items() if path not in paths}
    concerns = base.switch.concerns
    tried = {name: each for name, each in base.tried.items() if name not in concerns}
    return replace(base, switch=None, confirmed=confirmed, tried=tried)


def fired(base: Base, *, times: int = 1) -> Base:
    """What was tried is taken back; `times` says how often that is to count."""
    switch = base.switch
    if switch is None:
        return base
    for path in switch.files:
        before = base.confirmed.get(path)
        if path in base.confirmed and base.files.get(path) != before:
            base = files.written(base, path, before)
    base = replace(base, switch=None, tried={**base.tried, **_tried(base, switch, times)})
    if switch.before is not None:
        base = way_in.restored(base, switch.before)
    for unit in switch.services:
        base = services.run_anew(base, unit)
    return base


def _runs(base: Base, unit: str) -> bool:
    service = services.named(base, unit)
    return service is not None and service.running


def _tried(base: Base, switch: Switch, times: int) -> dict[str, Tried]:
    found = {}
    for name, digest in switch.concerns.items():
        known = base.tried.get(name)
        before = known.times if known and known.digest == digest else 0
        found[name] = Tried(digest, before + times)
    return found
