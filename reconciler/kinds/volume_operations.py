"""The operations on volumes: what they do to the pools of a host."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.kinds.protocol import OnHost
from reconciler.model.change import Disruption
from reconciler.model.quantity import format_size
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class CreateVolume(OnHost):
    """Make a volume."""

    volume: NewVolume
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Make it."""
        ports.hypervisor(self.host).create_volume(self.volume, self.owner)

    def __str__(self) -> str:
        """In words."""
        new = self.volume
        how = "over" if new.overlay else "from"
        origin = f" {how} image {new.image.name}" if new.image else ""
        size = format_size(new.capacity_bytes)
        return f"create volume {new.name} ({size}{origin}) in {new.pool} on {self.host}"


@dataclass(frozen=True, slots=True)
class RestoreVolume(OnHost):
    """Take the volume that had this mark out of the trash again, or else make it anew."""

    volume: NewVolume
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Restore the latest of them, unless it is there."""
        hypervisor, place = ports.hypervisor(self.host), (self.volume.pool, self.volume.name)
        there = {(each.pool, each.name): each.owner for each in hypervisor.volumes()}
        if there.get(place) == self.owner:
            return
        lost = [
            each
            for each in hypervisor.trash()
            if (each.pool, each.name) == place and each.owner == self.owner
        ]
        if lost:
            latest = max(lost, key=lambda each: (each.since, each.trash_name))
            hypervisor.restore_volume(latest.pool, latest.trash_name)
        else:
            hypervisor.create_volume(self.volume, self.owner)

    def __str__(self) -> str:
        """In words."""
        return f"restore volume {self.volume.name} in {self.volume.pool} on {self.host}"


@dataclass(frozen=True, slots=True)
class WriteSeed(OnHost):
    """Give a seed new first boot data; the guest sees it when it starts next."""

    volume: NewVolume
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Write it."""
        ports.hypervisor(self.host).write_seed(self.volume, self.owner)

    def __str__(self) -> str:
        """In words."""
        return f"write first boot data {self.volume.name} in {self.volume.pool} on {self.host}"


@dataclass(frozen=True, slots=True)
class GrowVolume(OnHost):
    """Make a volume larger, under a running guest too."""

    pool: str
    name: str
    capacity_bytes: int
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Grow it."""
        ports.hypervisor(self.host).grow_volume(self.pool, self.name, self.capacity_bytes)

    def __str__(self) -> str:
        """In words."""
        return f"grow volume {self.name} to {format_size(self.capacity_bytes)} on {self.host}"


@dataclass(frozen=True, slots=True)
class SendVolume:
    """Bring a volume to another host, unless it travels with the domain that uses it."""

    source: str
    pool: str
    name: str
    destination: str
    disruption: Disruption = Disruption.LIVE

    @property
    def machines(self) -> frozenset[str]:
        """Both hosts."""
        return frozenset({self.source, self.destination})

    def run(self, ports: Ports) -> None:
        """Send it if no domain uses it: a domain's migration brings its volumes along."""
        hypervisor = ports.hypervisor(self.source)
        used = {
            (disk.pool, disk.volume)
            for domain in hypervisor.domains()
            for disk in domain.definition.disks
        }
        if (self.pool, self.name) not in used:
            hypervisor.send_volume(self.pool, self.name, self.destination)

    def __str__(self) -> str:
        """In words."""
        return f"move volume {self.name} from {self.source} to {self.destination}"


@dataclass(frozen=True, slots=True)
class FreeVolume(OnHost):
    """Take a volume from the domain of its environment that uses it, whose guest stops first."""

    pool: str
    name: str
    environment: str
    disruption: Disruption = Disruption.RESTART

    def run(self, ports: Ports) -> None:
        """Look who uses it now; the mark of that domain then says that it is unfinished.

        Disks whose volumes are gone leave the definition too, for no host takes it with them.
        """
        hypervisor = ports.hypervisor(self.host)
        place = (self.pool, self.name)
        there = {(volume.pool, volume.name) for volume in hypervisor.volumes()} - {place}
        for domain in hypervisor.domains():
            owner, disks = domain.owner, domain.definition.disks
            is_user = place in {(disk.pool, disk.volume) for disk in disks}
            if owner and owner.environment == self.environment and is_user:
                hypervisor.stop_domain(domain.definition.name)
                kept = tuple(disk for disk in disks if (disk.pool, disk.volume) in there)
                definition = replace(domain.definition, disks=kept)
                hypervisor.define_domain(definition, owner.unfinished)

    def __str__(self) -> str:
        """In words."""
        return f"take volume {self.name} on {self.host} from the domain that uses it"


@dataclass(frozen=True, slots=True)
class TrashVolume(OnHost):
    """Take a volume out of use; its data stays in the trash for a grace time."""

    pool: str
    name: str
    disruption: Disruption = Disruption.DATA_LOSS

    def run(self, ports: Ports) -> None:
        """Trash it."""
        ports.hypervisor(self.host).trash_volume(self.pool, self.name)

    def __str__(self) -> str:
        """In words."""
        return f"move volume {self.name} in {self.pool} on {self.host} to the trash"


@dataclass(frozen=True, slots=True)
class MarkVolume(OnHost):
    """Write down whose a volume is and which spec it has."""

    pool: str
    name: str
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Mark it."""
        ports.hypervisor(self.host).mark_volume(self.pool, self.name, self.owner)

    def __str__(self) -> str:
        """In words."""
        return f"mark volume {self.name} on {self.host}"
