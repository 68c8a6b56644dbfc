"""The doors to the real farm: one kept connection per host, shared by all environments."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from reconciler.config.documents import Host
from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.images.spool import ImageSpool
from reconciler.drivers.images.web import Web
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.image_waste import discard_unused_images
from reconciler.drivers.libvirt_.images import ImageCache
from reconciler.drivers.libvirt_.manifest import RemoteManifest
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.nameservers import NameserverDoors, NameserverMeans, Servers, no_servers
from reconciler.drivers.refusal import Refused
from reconciler.drivers.secrets import Keyring, Reveal
from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.events import listening, paths_in
from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import NotFound
from reconciler.ports.hypervisor import Accelerator, Hypervisor
from reconciler.ports.machine import Machine
from reconciler.ports.nameserver import Nameserver
from reconciler.ports.world import Ports

SSH_DIRECTORY = "ssh"
SPOOL_DIRECTORY = "images"
SHUTDOWN_DEADLINE = timedelta(minutes=2)
TOKEN_BYTES = 4


@dataclass(frozen=True, slots=True)
class Means:
    """What a farm is driven with: the way in, the operator's rules, a directory, and the time.

    A guest that does not shut down by the deadline is cut off. `reveal` decrypts a secret for the
    hosts of an environment.
    """

    access: Access
    images: ImageRules
    state_directory: Path
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    shutdown_deadline: timedelta = SHUTDOWN_DEADLINE
    reveal: Reveal = Keyring({}).reveal


@dataclass(frozen=True, slots=True)
class _Door:
    """What leads to one host, as long as it is described like this."""

    address: str
    accelerator: Accelerator
    environment: str
    shell: Shell
    connection: LibvirtConnection
    hypervisor: LibvirtHypervisor
    machine: SshMachine

    def fits(self, described: Host) -> bool:
        """Whether it still leads to the host that is described."""
        mine = (self.address, self.accelerator, self.environment)
        return mine == (str(described.address), described.accelerator, described.environment)

    def close(self) -> None:
        """Let go of the host."""
        self.connection.close()
        self.shell.close()


class RealFarm:
    """The hosts that the documents describe. Which those are is asked each time."""

    def __init__(
        self,
        hosts: Callable[[], Mapping[str, Host]],
        means: Means,
        nameservers: Servers = no_servers,
    ) -> None:
        """Nothing is connected yet. The state directory gets what the ssh program needs.

        Raises:
            OSError: the state directory cannot be used.
            ValueError: ssh cannot be given the name of one of the files.
        """
        self._hosts = hosts
        self._means = means
        self._ssh = SshProgram(means.state_directory / SSH_DIRECTORY, means.access)
        self._patience = Patience(means.sleep, means.monotonic, means.shutdown_deadline)
        self._spool = ImageSpool(
            means.state_directory / SPOOL_DIRECTORY,
            means.images,
            Web(means.images, means.monotonic),
            means.sleep,
        )
        self._nameservers = NameserverDoors(nameservers, self._nameserver_means())
        self._doors: dict[str, _Door] = {}
        self._lock = threading.Lock()

    def hypervisor(self, host: str) -> Hypervisor:
        """The host of that name.

        Raises:
            NotFound: no branch describes it.
        """
        return self._door(host).hypervisor

    def machine(self, host: str) -> Machine:
        """The base of the host of that name.

        Raises:
            NotFound: no branch describes it.
        """
        return self._door(host).machine

    def shell(self, host: str) -> Shell:
        """Commands and files of the host of that name.

        Raises:
            NotFound: no branch describes it.
        """
        return self._door(host).shell

    @contextmanager
    def events(self, host: str, paths: tuple[str, ...]) -> Iterator[Iterator[str]]:
        """What changes in these directories of a host, as paths, while the context lasts.

        Raises:
            DriverError: it cannot be listened to.
        """
        with self.shell(host).stream(listening(paths), operation="listen") as lines:
            yield paths_in(lines)

    def nameserver(self, server: str) -> Nameserver:
        """The name server of that name, or one of its views.

        Raises:
            NotFound: no branch describes it, or the host that it runs on.
        """
        return self._nameservers.open(server)

    def close(self) -> None:
        """Let go of all hosts and name servers."""
        self._nameservers.close()
        with self._lock:
            doors = tuple(self._doors.values())
            self._doors.clear()
        for door in doors:
            door.close()
        self._ssh.close()

    def _door(self, name: str) -> _Door:
        described = self._hosts().get(name)
        if described is None:
            raise NotFound(name, "find", "no Host document of any branch describes this host")
        with self._lock:
            kept = self._doors.get(name)
            if kept is not None and kept.fits(described):
                return kept
            door = self._doors[name] = self._new_door(name, described)
        if kept is not None:
            kept.close()
        return door

    def _new_door(self, name: str, described: Host) -> _Door:
        address = str(described.address)
        access = self._means.access
        shell = Shell(name, address, access)
        connection = LibvirtConnection(
            name, "", deadline=access.deadline, dial=lambda: self._ssh.dial(address)
        )
        hypervisor = LibvirtHypervisor(
            connection,
            self._storage(name, shell),
            self._patience,
            domain_types={described.accelerator: described.accelerator},
            address=address,
            neighbour=lambda other: self._door(other).hypervisor,
        )
        environment = described.environment
        machine = SshMachine(shell, partial(self._means.reveal, environment))
        return _Door(
            address, described.accelerator, environment, shell, connection, hypervisor, machine
        )

    def _nameserver_means(self) -> NameserverMeans:
        means = self._means
        deadline = means.access.deadline
        return NameserverMeans(
            self.shell, means.reveal, deadline, means.now, means.monotonic, means.sleep
        )

    def _storage(self, host: str, shell: Shell) -> Storage:
        manifest = RemoteManifest(shell)
        now = self._means.now
        images = ImageCache(host, manifest, self._spool, partial(token_hex, TOKEN_BYTES), now)

        def discard(connection: Any, wanted: frozenset[str]) -> None:
            discard_unused_images(connection, images, wanted)
            try:
                self._spool.sweep(wanted, now())
            except OSError as error:
                raise Refused(f"an image here could not be deleted: {error}") from None

        def command(argv: Sequence[str]) -> None:
            shell.output(argv, exclusive=True)

        return Storage(manifest, images.volume, now, command, discard)


def _are_ports(farm: RealFarm) -> Ports:
    return farm
