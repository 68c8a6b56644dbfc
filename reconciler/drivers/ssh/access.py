"""How the operator lets us into hosts: the key they know us by, and the keys we know them by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class Access:
    """The key that hosts let in, and the file with the keys by which we know them.

    A `password` is used in the place of the key, by whoever sets a host up for the first time.
    """

    key_file: Path
    known_hosts: Path
    user: str = "root"
    port: int = SSH_PORT
    connect_deadline: timedelta = timedelta(seconds=15)
    deadline: timedelta = timedelta(seconds=60)
    password: str | None = field(default=None, repr=False)

    def pin_name(self, address: str) -> str:
        """How a host is called in the known_hosts file."""
        return address if self.port == SSH_PORT else f"[{address}]:{self.port}"
