"""What a config repository says about one environment, after patches and stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.config.documents import Environment, Farm, Host, Image, VirtualMachine
from reconciler.config.firewall import Firewall
from reconciler.config.ignore import Ignore
from reconciler.config.nameserver import Nameserver
from reconciler.config.networks import Network
from reconciler.config.proxy import Proxy
from reconciler.config.secrets import Secrets
from reconciler.config.zones import Zone
from reconciler.model.position import Position

Locate = Callable[[str, str, tuple[str, ...]], Position]


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of one environment, complete and checked, by name.

    `locate` finds where a document, or a field of it, was decided. `secrets` are the
    encrypted files of the tree, as they stand.
    """

    environment: str
    farm: Farm
    policy: Environment
    hosts: Mapping[str, Host]
    networks: Mapping[str, Network]
    firewalls: Mapping[str, Firewall]
    proxies: Mapping[str, Proxy]
    nameservers: Mapping[str, Nameserver]
    zones: Mapping[str, Zone]
    images: Mapping[str, Image]
    machines: Mapping[str, VirtualMachine]
    locate: Locate
    secrets: Secrets = field(default_factory=Secrets)
    ignores: Mapping[str, Ignore] = field(default_factory=dict)

    def position(self, kind: str, name: str, *path: str) -> Position:
        """Where the value at `path` was decided; list items are found by their name.

        A patch beats its document, and a document beats its stack. A path that nobody wrote gives
        the nearest thing around it that somebody did, at last the start of the document.
        """
        return self.locate(kind, name, path)
