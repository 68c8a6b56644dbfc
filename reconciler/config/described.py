"""A Nameserver document that counts: as its owner's branch says it, with its sealed keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from reconciler.config.document import EnvironmentName
from reconciler.config.nameserver import Nameserver
from reconciler.config.repository import Documents
from reconciler.model.secret import SealedSecret, SecretReference

DHCP = "dhcp"
HOLDERS: tuple[str, ...] = (*get_args(EnvironmentName), DHCP)


@dataclass(frozen=True, slots=True)
class DescribedServer:
    """A name server as a branch describes it.

    `environment` is whose branch that is, and so whose age keys open the `sealed` TSIG keys, which
    are by holder. A key that the branch's tree does not have is left out.
    """

    document: Nameserver
    environment: str
    sealed: Mapping[str, SealedSecret] = field(default_factory=dict)


def described_servers(documents: Documents) -> Iterator[DescribedServer]:
    """The name servers that are of the documents' environment, or of none in particular."""
    for server in documents.nameservers.values():
        if server.environment in {None, documents.environment}:
            yield DescribedServer(server, documents.environment, dict(_sealed(server, documents)))


def _sealed(server: Nameserver, documents: Documents) -> Iterator[tuple[str, SealedSecret]]:
    for holder in HOLDERS:
        reference = server.keys.of(holder)
        if reference is None:
            continue
        secret = SecretReference.parse(reference)
        if documents.secrets.lack(secret) is None and secret.file in documents.secrets.files:
            yield holder, documents.secrets.sealed(secret)
