"""Whether each reference to a secret, where one may stand, stands for something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reconciler.config.described import HOLDERS
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem
from reconciler.model.secret import SCHEME, references_in, without_references

_FORM = f"write {SCHEME}file/key with letters, digits, ., _ and - in the key"


def secret_problems(documents: Documents) -> Iterator[Problem]:
    """What is wrong with the references in files of hosts, what installing them needs, and keys."""
    for position, text in _referring(documents):
        if SCHEME in without_references(text):
            yield Problem(position, f"{SCHEME} here is no reference to a secret", _FORM)
        for reference in references_in(text):
            if lack := documents.secrets.lack(reference):
                yield Problem(position, *lack)


def _referring(documents: Documents) -> Iterator[tuple[Position, str]]:
    """The texts that may hold references, with where they stand."""
    for host in documents.hosts.values():
        position = partial(documents.position, "Host", host.name)
        for file in host.files:
            if file.content is not None:
                yield position("files", file.path, "content"), file.content
        for data in host.install.data if host.install else ():
            if data.passphrase is not None:
                yield position("install", "data", data.name, "passphrase"), data.passphrase
    yield from _keys(documents)


def _keys(documents: Documents) -> Iterator[tuple[Position, str]]:
    for server in documents.nameservers.values():
        for holder in HOLDERS:
            if reference := server.keys.of(holder):
                yield documents.position("Nameserver", server.name, "keys", holder), reference
