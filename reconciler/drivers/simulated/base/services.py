"""Services of a simulated host, as functions from base to base, and how one cuts it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base.state import Base, Service
from reconciler.ports.acts import RestartService, SetService

UNITS_OF: Mapping[str, str] = {
    "bind9": "named",
    "openssh-server": "ssh",
    "libvirt-daemon-system": "libvirtd",
    "nginx-light": "nginx",
}
OWN_UNITS = "/etc/systemd/system"
_UNIT_DIRECTORIES = (OWN_UNITS, "/usr/lib/systemd/system")
_OFF = Service(enabled=False, running=False)
FIREWALL, SSHD = "/etc/nftables.conf", "/etc/ssh/sshd_config"


def named(base: Base, unit: str) -> Service | None:
    """The unit of that name; one whose file was put there does not run until somebody says so."""
    name = short(unit)
    paths = (f"{directory}/{name}.service" for directory in _UNIT_DIRECTORIES)
    is_there = any(path in base.files for path in paths)
    return base.services.get(name) or (_OFF if is_there else None)


def short(unit: str) -> str:
    """The name without what all services end with."""
    return unit.removesuffix(".service")


def appear(base: Base, package: str) -> Base:
    """What the installation of a package does: its unit is enabled and started."""
    name = UNITS_OF.get(package, package)
    known = base.services.get(name, Service(enabled=True, running=True))
    return base if known.masked else _ran(base, name, replace(known, running=True))


def vanish(base: Base, package: str) -> Base:
    """The unit of a package goes with it."""
    name = UNITS_OF.get(package, package)
    rest = {each: known for each, known in base.services.items() if each != name}
    return _judged(replace(base, services=rest), name)


def set_service(base: Base, act: SetService) -> Base:
    """Enable, start, mask, or the contrary.

    Raises:
        Refused: there is no such unit, a masked one is to run, or it cannot be masked.
    """
    name, is_known = short(act.unit), named(base, act.unit) is not None
    if not is_known and not (act.enabled or act.running or act.masked):
        return base
    known = _known(base, act.unit) if act.enabled or act.running or is_known else _OFF
    if act.masked and not known.masked and f"{OWN_UNITS}/{name}.service" in base.files:
        message = f"Failed to mask unit: File {OWN_UNITS}/{name}.service already exists"
        raise Refused(message)
    masked = known.masked if act.masked is None else act.masked
    enabled = known.enabled if act.enabled is None else act.enabled
    running = known.running if act.running is None else act.running
    if masked and (act.running or act.enabled):
        message = f"Unit {act.unit} is masked"
        raise Refused(message)
    after = replace(known, enabled=enabled, running=running, masked=masked)
    if after == base.services.get(name):
        return base
    if running and not known.running:
        return _ran(base, name, after)
    return _judged(replace(base, services={**base.services, name: after}), name)


def restart(base: Base, act: RestartService) -> Base:
    """Let a unit read its files again, if it runs.

    Raises:
        Refused: there is no such unit, or it is masked.
    """
    known = _known(base, act.unit)
    if not known.running:
        return base
    if known.masked:
        message = f"Unit {act.unit} is masked"
        raise Refused(message)
    return _ran(base, short(act.unit), known)


def run_anew(base: Base, unit: str) -> Base:
    """Start a unit anew whatever it does, unless there is none."""
    known = named(base, unit)
    return base if known is None else _ran(base, short(unit), replace(known, running=True))


def _known(base: Base, unit: str) -> Service:
    service = named(base, unit)
    if service is None:
        message = f"there is no unit {unit}"
        raise Refused(message)
    return service


def _ran(base: Base, name: str, service: Service) -> Base:
    tick = base.tick + 1
    started = replace(service, read=tick, starts=service.starts + 1)
    return _judged(replace(base, services={**base.services, name: started}, tick=tick), name)


def _judged(base: Base, name: str) -> Base:
    """The base with what the unit lets through now."""
    others = tuple(each for each in base.cut if each != name)
    cut = (*others, name) if _cuts(base, name) else others
    return base if cut == base.cut else replace(base, cut=cut)


def _cuts(base: Base, name: str) -> bool:
    service = base.services.get(name)
    runs = service is not None and service.running
    if name == "nftables":
        rules = _content(base, FIREWALL)
        return runs and "policy drop" in rules and "tcp dport 22 accept" not in rules
    if name in {"ssh", "sshd"}:
        words = [line.split() for line in _content(base, SSHD).splitlines()]
        return not runs or any(each[:1] == ["Port"] and each[1:] != ["22"] for each in words)
    return False


def _content(base: Base, path: str) -> str:
    return base.files[path].content if path in base.files else ""
