"""Packages of a simulated host, and the units that they bring, as functions from base to base."""

from __future__ import annotations

from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import services
from reconciler.drivers.simulated.base.state import USUAL_VERSION, Base, Package
from reconciler.ports.acts import HoldPackage, InstallPackage, RemovePackage

NEVER_THERE = "no-such-"


def install(base: Base, act: InstallPackage) -> Base:
    """Install a package or bring it to a version; the units that it brings run then.

    Raises:
        Refused: it is not to be had, or is held at another version.
    """
    known, versions = base.packages.get(act.name), _versions(base, act.name)
    if known and act.version in {None, known.version}:
        return base
    if not versions:
        message = f"E: Unable to locate package {act.name}"
        raise Refused(message)
    version = act.version or versions[-1]
    if version not in versions:
        message = f"E: Version '{version}' for '{act.name}' was not found"
        raise Refused(message)
    if known and known.held:
        message = f"{act.name} is held at {known.version}"
        raise Refused(message)
    held = known.held if known else False
    packages = {**base.packages, act.name: Package(version, held)}
    return services.appear(replace(base, packages=packages), act.name)


def remove(base: Base, act: RemovePackage) -> Base:
    """Take a package away, and the units that it brought.

    Raises:
        Refused: it is held.
    """
    known = base.packages.get(act.name)
    if known is None:
        return base
    if known.held:
        message = f"{act.name} is held"
        raise Refused(message)
    rest = {name: each for name, each in base.packages.items() if name != act.name}
    return services.vanish(replace(base, packages=rest), act.name)


def hold(base: Base, act: HoldPackage) -> Base:
    """Hold a package, or let it go on.

    Raises:
        Refused: it is not installed.
    """
    known = base.packages.get(act.name)
    if known is None:
        message = f"{act.name} is not installed"
        raise Refused(message)
    if known.held == act.held:
        return base
    return replace(base, packages={**base.packages, act.name: replace(known, held=act.held)})


def _versions(base: Base, name: str) -> tuple[str, ...]:
    usual = () if name.startswith(NEVER_THERE) else (USUAL_VERSION,)
    return base.catalogue.get(name, usual)
