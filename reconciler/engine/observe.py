"""Look at the world: every scope at once, each in its own thread and each allowed to fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reconciler.errors import DriverError
from reconciler.kinds import KINDS
from reconciler.model.address import Scope
from reconciler.model.resource import Desired, Observed, World
from reconciler.ports.world import Ports

THREADS = 64  # they wait, mostly: enough that no host waits for another that is dead


def scopes_of(
    desired: Sequence[Desired[Any]], hosts: Iterable[str], remembered: Iterable[Scope] = ()
) -> frozenset[Scope]:
    """What must be looked at: where things should be, and where ours were seen before."""
    names = tuple(hosts)
    wanted = (
        kind.scopes([want.spec for want in desired if want.address.kind == kind.name], names)
        for kind in KINDS
    )
    return frozenset(remembered).union(*wanted)


def observe(scopes: Iterable[Scope], ports: Ports) -> World:
    """Look once. A scope that cannot be looked at is unknown, with the reason.

    It does not hold up the others. Drivers keep their own deadlines, so this returns when the
    slowest of them gives up.
    """
    ordered = sorted(scopes)
    if len(ordered) < 2:  # noqa: PLR2004 (a pool for one look is a waste)
        looks = [_look(scope, ports) for scope in ordered]
    else:
        with ThreadPoolExecutor(min(THREADS, len(ordered)), "look") as pool:
            looks = list(pool.map(lambda scope: _look(scope, ports), ordered))
    seen = [found for look in looks if not isinstance(look, str) for found in look]
    unknown = {
        scope: look for scope, look in zip(ordered, looks, strict=True) if isinstance(look, str)
    }
    return World(tuple(seen), unknown)


def _look(scope: Scope, ports: Ports) -> list[Observed[Any]] | str:
    """What is in the scope, or why nobody knows."""
    try:
        return [found for kind in KINDS for found in kind.observe(scope, ports)]
    except DriverError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - no answer of one host may stop the look at the others
        return f"its answer could not be read ({type(error).__name__})"
