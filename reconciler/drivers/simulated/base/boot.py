"""A boot of a simulated host: what was written down is there again, and nothing else."""

from __future__ import annotations

from reconciler.drivers.simulated.base import links, rulesets, services, way_in
from reconciler.drivers.simulated.base.kernel import as_written_down
from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.base.switch import fired
from reconciler.ports.acts import SetService


def rebooted(base: Base) -> Base:
    """The base after a boot: an armed dead man's switch fires before anything else starts."""
    base = links.as_written_down(as_written_down(fired(base)))
    base = way_in.judged(rulesets.as_written_down(base))
    for name, service in sorted(base.services.items()):
        if service.enabled and not service.masked:
            base = services.run_anew(base, name)
        elif service.running:
            base = services.set_service(base, SetService(name, running=False))
    return base
