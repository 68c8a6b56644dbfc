"""What the storage of a host needs beyond libvirt: marks, images, a clock, and commands.

libvirt can neither rename a volume nor grow one of LVM or ZFS, so the host is told by a command.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.refusal import Refused
from reconciler.ports.hypervisor import ImageSource

Command = Callable[[Sequence[str]], object]
ImageOf = Callable[[Any, ImageSource], Any]
DiscardImages = Callable[[Any, frozenset[str]], object]

LOCAL_DEADLINE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Storage:
    """The storage of one host, beside its libvirt connection.

    `image` gives, for an open connection, the volume that is the host's copy of an image, and
    `discard_images` deletes the copies of all but those with the checksums given. `now` is the
    time in UTC. `command` runs a command on the host and raises when it fails; without one
    nothing can be renamed, and the trash is a copy.
    """

    manifest: Manifest
    image: ImageOf
    now: Callable[[], datetime]
    command: Command | None = None
    discard_images: DiscardImages | None = None

    def run(self, argv: Sequence[str]) -> None:
        """Run a command on the host.

        Raises:
            Refused: it failed, or none can be run there.
            DriverError: the host did not answer, or does not let us in.
        """
        if self.command is None:
            raise Refused(f"that takes {argv[0]} on the host, and no command can be run there")
        self.command(argv)


def local_command(argv: Sequence[str], *, deadline: timedelta = LOCAL_DEADLINE) -> None:
    """Run a command on this machine.

    Raises:
        Refused: it failed, or was not done by the deadline.
    """
    try:
        subprocess.run(  # noqa: S603 - the words are ours, and no shell reads them
            argv,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=deadline.total_seconds(),
        )
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.decode(errors="replace").split())[:500]
        raise Refused(f"{argv[0]}: {said or f'exit code {error.returncode}'}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{argv[0]} could not be run: {error}") from None
