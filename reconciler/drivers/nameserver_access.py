"""How one server of DNS is reached: what every driver of name servers is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from reconciler.config.document import EnvironmentName
from reconciler.config.nameserver import Nameserver, View
from reconciler.drivers.ssh.shell import Shell


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A key that signs what is sent to a server (RFC 8945). `secret` is in base64."""

    name: str
    algorithm: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """The way to a server, as its document says.

    `server` is the door, and how errors call it. `environment` is whose the document is. `shell`
    leads to the host of the primary; None if its configuration is not ours. `key` reveals the key
    of a holder (an environment, or `dhcp`) in that moment; what it raises holds no value.

    Raises (`key`):
        NotFound: the document names no such key, or nothing here can decrypt it.
        Denied: it cannot be decrypted.
    """

    server: str
    document: Nameserver
    environment: str
    view: View
    address: str
    shell: Shell | None
    key: Callable[[str], TsigKey]
    deadline: timedelta
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]

    @property
    def configured_view(self) -> str | None:
        """What the view is called in the server's configuration; None if it has no views."""
        return self.document.view(self.view)

    @property
    def reader(self) -> str:
        """Whose key looks: that of the document's environment, else one that there is."""
        holders = (self.environment, *get_args(EnvironmentName))
        return next((each for each in holders if self.document.keys.of(each)), self.environment)
