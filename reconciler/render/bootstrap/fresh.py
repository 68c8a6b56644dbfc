"""The steps for a fresh Debian or Ubuntu that is reached with a password or a key."""

from __future__ import annotations

from reconciler.config.install import Install
from reconciler.render.bootstrap.every import common_steps, let_in_step, pin_step
from reconciler.render.bootstrap.step import Step
from reconciler.render.bootstrap.storage import storage_packages, storage_steps


def fresh_steps(
    public_key: str, wanted: Install | None = None, *, guests: bool = True
) -> tuple[Step, ...]:
    """All steps for a machine that runs Debian or Ubuntu already. `public_key` is one line.

    Of what is `wanted` of a bare server only the encrypted partitions count: they are opened.
    `guests`: whether it is to run machines.
    """
    begin = (pin_step(), let_in_step(public_key))
    if wanted is None:
        return (*begin, *common_steps(guests=guests))
    state, packages, check = common_steps(storage_packages(wanted), guests=guests)
    return (*begin, state, packages, *storage_steps(wanted), check)
