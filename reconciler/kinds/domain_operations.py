"""The operations on domains: each is one call of the hypervisor port."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kinds.protocol import OnHost
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class DefineDomain(OnHost):
    """Write the persistent definition of a domain. `waits` names the fields that need a restart.

    They are empty when that restart comes with the same change.
    """

    definition: DomainDefinition
    owner: Owner
    disruption: Disruption = Disruption.LIVE
    waits: str = ""

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).define_domain(self.definition, self.owner)

    def __str__(self) -> str:
        """In words."""
        return f"define domain {self.definition.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class MarkDomain(OnHost):
    """Write down whose a domain is and which spec it has."""

    name: str
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).mark_domain(self.name, self.owner)

    def __str__(self) -> str:
        """In words."""
        return f"mark domain {self.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class UndefineDomain(OnHost):
    """Forget a domain; its volumes stay."""

    name: str
    disruption: Disruption = Disruption.REPLACE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).undefine_domain(self.name)

    def __str__(self) -> str:
        """In words."""
        return f"undefine domain {self.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class StartDomain(OnHost):
    """Start a domain."""

    name: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).start_domain(self.name)

    def __str__(self) -> str:
        """In words."""
        return f"start domain {self.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class StopDomain(OnHost):
    """Shut a domain down."""

    name: str
    disruption: Disruption = Disruption.RESTART

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).stop_domain(self.name)

    def __str__(self) -> str:
        """In words."""
        return f"shut down domain {self.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class SetAutostart(OnHost):
    """Say whether a domain starts with its host."""

    name: str
    autostart: bool
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).set_autostart(self.name, autostart=self.autostart)

    def __str__(self) -> str:
        """In words."""
        return (
            f"{'enable' if self.autostart else 'disable'} autostart of {self.name} on {self.host}"
        )


@dataclass(frozen=True, slots=True)
class AdjustGuest(OnHost):
    """Give a running guest what its new definition says. `what` names the fields."""

    name: str
    what: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).adjust_guest(self.name)

    def __str__(self) -> str:
        """In words."""
        return f"change {self.what} of the running {self.name} on {self.host}"


@dataclass(frozen=True, slots=True)
class MigrateDomain(OnHost):
    """Move a domain with its volumes to another host, live if it runs. `host` is where it is."""

    name: str
    destination: str
    disruption: Disruption = Disruption.LIVE

    @property
    def machines(self) -> frozenset[str]:
        """Both hosts."""
        return frozenset({self.host, self.destination})

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).migrate_domain(self.name, self.destination)

    def __str__(self) -> str:
        """In words."""
        return f"migrate domain {self.name} from {self.host} to {self.destination}"


@dataclass(frozen=True, slots=True)
class SnapshotDomain(OnHost):
    """Keep the state of a domain and its disks before something risky is done to it."""

    name: str
    snapshot: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).snapshot_domain(self.name, self.snapshot)

    def __str__(self) -> str:
        """In words."""
        return f"snapshot {self.name} on {self.host} as {self.snapshot}"


@dataclass(frozen=True, slots=True)
class RevertDomain(OnHost):
    """Go back to a snapshot. What the guest wrote since is lost."""

    name: str
    snapshot: str
    disruption: Disruption = Disruption.DATA_LOSS

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).revert_domain(self.name, self.snapshot)

    def __str__(self) -> str:
        """In words."""
        return f"revert {self.name} on {self.host} to the snapshot {self.snapshot}"


@dataclass(frozen=True, slots=True)
class ForgetSnapshot(OnHost):
    """Delete a snapshot that is not needed any more."""

    name: str
    snapshot: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the hypervisor."""
        ports.hypervisor(self.host).forget_snapshot(self.name, self.snapshot)

    def __str__(self) -> str:
        """In words."""
        return f"delete the snapshot {self.snapshot} of {self.name} on {self.host}"
