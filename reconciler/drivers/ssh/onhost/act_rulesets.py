"""Our tables of the packet filter: checked, loaded in one go, and there again after a boot.

Tables of others are never touched. What is loaded was tried before, and is written down only
after the kernel has taken it.
"""

from __future__ import annotations

import os

from reconciler.drivers.ssh.onhost.directory import directory_of, owned_by_us
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.rulesets import (
    BESIDE_FOLDER,
    FOLDER,
    beside_of,
    beside_path,
    exchange_of,
    is_only_of,
    listing,
    path_of,
    trial,
    unit_of,
    unit_path,
    wanted_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MODE = 0o600


def put_ruleset(batch: Batch, table: str, source: str, management: Sequence[str] = ()) -> None:
    """Make this the content of a table, now and at each boot.

    `management` are the networks from which it lets us in; without any, from everywhere.

    Raises:
        Refused: it would shut out whoever asks for it, is of another table, or `nft` refuses it.
    """
    if not is_only_of(source, table):
        raise Refused(f"the rules say something of another table than {table}")
    if not batch.has("nft"):
        raise Refused("there is no nft here: declare the package nftables")
    _refuse_shutting_out(os.environ.get("SSH_CONNECTION", ""), management)
    os.makedirs(batch.path(FOLDER), exist_ok=True)  # noqa: PTH103 (pathlib is slow to import)
    directory, name = directory_of(batch, path_of(table))
    with directory:
        with directory.begin(name, source.encode(), owned_by_us(_MODE)) as begun:
            new = batch.path(f"{FOLDER}/{begun.temporary}")
            batch.must("nft", "-c", "-f", new, what=f"check table {table}")
            words = _exchange(batch, table, source, new)
            begun.drop()
        with directory.begin(name, words.encode(), owned_by_us(_MODE)) as begun:
            loaded = batch.path(f"{FOLDER}/{begun.temporary}")
            batch.must("nft", "-f", loaded, what=f"load table {table}")
            begun.drop()
        directory.put(name, source.encode(), owned_by_us(_MODE))
    _persist(batch, table)


def _exchange(batch: Batch, table: str, source: str, path: str) -> str:
    """What makes the table in the kernel this one: the text, or one that keeps the chains."""
    there, meant = batch.run(listing(table)), batch.run(trial(path, table))
    if there.code or meant.code:
        return source
    try:
        return exchange_of(source, table, there.stdout, meant.stdout) or source
    except (ValueError, KeyError, TypeError, AttributeError):
        return source


def remove_ruleset(batch: Batch, table: str) -> None:
    """Take a table away, now and at each boot."""
    if batch.has("nft"):
        words = f"table inet {table} {{}}; delete table inet {table}"
        batch.must("nft", words, what=f"remove table {table}")
    paths = (wanted_path(table), unit_path(table), beside_path(table))
    changed = [_remove(batch, path) for path in paths]
    _remove(batch, path_of(table))
    for folder in (FOLDER, BESIDE_FOLDER):
        _remove_if_empty(batch, folder)
    if any(changed):
        _reread(batch)


def _refuse_shutting_out(connection: str, management: Sequence[str]) -> None:
    """Whoever is here came by ssh from an address that must be let in again."""
    from ipaddress import ip_address, ip_network

    words = connection.split()
    if not words or not management:
        return
    client = ip_address(words[0].partition("%")[0])
    client = getattr(client, "ipv4_mapped", None) or client
    if not any(client in ip_network(each) for each in management):
        raise Refused(
            f"the reconciler comes from {client}, which these rules would shut out: add it to "
            f"`management:`, which has {', '.join(management)}"
        )


def _persist(batch: Batch, table: str) -> None:
    changed = [
        _put(batch, unit_path(table), unit_of(table)),
        _put(batch, beside_path(table), beside_of(table)),
        _enable(batch, wanted_path(table), unit_path(table)),
    ]
    if any(changed):
        _reread(batch)


def _put(batch: Batch, path: str, text: str) -> bool:
    os.makedirs(batch.path(path.rpartition("/")[0]), exist_ok=True)  # noqa: PTH103
    directory, name = directory_of(batch, path)
    with directory:
        if directory.stat(name) is not None and directory.read(name) == text.encode():
            return False
        directory.put(name, text.encode(), owned_by_us(0o644))
        return True


def _enable(batch: Batch, link: str, unit: str) -> bool:
    """Have it started at each boot. A link by hand costs a tenth of `systemctl enable`."""
    os.makedirs(batch.path(link.rpartition("/")[0]), exist_ok=True)  # noqa: PTH103
    directory, name = directory_of(batch, link)
    with directory:
        if directory.stat(name) is not None:
            return False
        directory.put_link(name, unit)
        return True


def _remove(batch: Batch, path: str) -> bool:
    try:
        directory, name = directory_of(batch, path)
    except Refused:
        return False  # and so there is nothing of it
    with directory:
        is_there = directory.stat(name) is not None
        directory.remove(name)
        return is_there


def _remove_if_empty(batch: Batch, folder: str) -> None:
    directory, name = directory_of(batch, folder)
    with directory:
        if directory.stat(name) is not None:
            directory.remove_directory(name)


def _reread(batch: Batch) -> None:
    batch.must("systemctl", "daemon-reload", what="let systemd read its units again")
