"""What Nameserver documents must not say, as far as the documents alone tell."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.names import Names
from reconciler.config.repository import Documents
from reconciler.model.position import Problem


def nameserver_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the name servers."""
    del names
    for server in documents.nameservers.values():
        if bool(server.hosts) == (server.address is not None):
            position = documents.position("Nameserver", server.name)
            what = f"name server {server.name} needs either hosts or an address"
            yield Problem(position, what, "write hosts if its configuration is ours, else address")
