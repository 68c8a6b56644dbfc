"""Our tables of the packet filter on a host: where their files are, and when two are the same.

`nft` tells what the kernel has in an order of its own, with handles and counters; what a file
means is found out by loading it where it does no harm, into a network namespace without anything.
"""

from __future__ import annotations

import json
import re

from reconciler.drivers.ssh.onhost.programs import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "/etc/nftables.d"
BESIDE_FOLDER = "/etc/systemd/system/nftables.service.d"
_SECONDS = 10.0
_IN_SCRATCH = 'nft -f "$1" && exec nft -j list table inet "$2"'
_VOLATILE = frozenset({"handle", "packets", "bytes", "used"})
_TEXT = re.compile(r'"[^"]*"|#.*')
_READS = re.compile(r"\binclude\b")


def path_of(table: str) -> str:
    """The file of a table."""
    return f"{FOLDER}/{table}.nft"


def unit_path(table: str) -> str:
    """The unit that loads a table at a boot."""
    return f"/etc/systemd/system/{table}-firewall.service"


def wanted_path(table: str) -> str:
    """The link that has it started."""
    return f"/etc/systemd/system/sysinit.target.wants/{table}-firewall.service"


def beside_path(table: str) -> str:
    """What belongs to `nftables.service` because of a table."""
    return f"{BESIDE_FOLDER}/{table}.conf"


def unit_of(table: str) -> str:
    """What loads the table at a boot: before there is a network, after who flushes everything."""
    return f"""\
[Unit]
Description=Packet filter, as the reconciler wants it
ConditionPathExists={path_of(table)}
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=nftables.service reconciler-switch-boot.service
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/usr/sbin/nft -f {path_of(table)}

[Install]
WantedBy=sysinit.target
"""


def beside_of(table: str) -> str:
    """What loads the table anew after `nftables.service`, whose file begins with a flush."""
    load = f"-/usr/sbin/nft -f {path_of(table)}"
    return f"[Service]\nExecStartPost={load}\nExecReload={load}\n"


def opening_of(table: str) -> str:
    """How a text begins that makes a table anew."""
    return f"table inet {table} {{}}\ndelete table inet {table}\ntable inet {table} {{\n"


def exchange_of(source: str, table: str, there: str, meant: str) -> str | None:
    """What makes a table in the kernel this one, and keeps its chains; None if that cannot be.

    `there` and `meant` are what `nft -j list table` tells of the two. A chain that is made anew
    stands before the one that it replaces, and who is between them at the moment of exchange meets
    the rules of neither. Sets are no such places: they go, and come with the text.

    Raises:
        ValueError: these are no such listings.
    """
    chains, wanted = _named(there, "chain"), _named(meant, "chain")
    if any(chains[name] != wanted[name] for name in chains.keys() & wanted.keys()):
        return None
    gone = [f"delete set inet {table} {name}" for name in sorted(_named(there, "set"))]
    gone += [f"delete chain inet {table} {name}" for name in sorted(chains.keys() - wanted.keys())]
    head, _, body = source.partition(opening_of(table))
    lines = [f"flush table inet {table}", *gone, f"table inet {table} {{"]
    return head + "".join(f"{line}\n" for line in lines) + body


def _named(listed: str, sort: str) -> dict[str, Any]:
    """What a listing has of one sort, by name."""
    told = (each.get(sort) for each in json.loads(listed)["nftables"])
    return {each["name"]: _stripped(each) for each in told if each}


def is_only_of(source: str, table: str) -> bool:
    """Whether a text makes this table anew, and says nothing of another, nor reads a file."""
    head, found, body = source.partition(opening_of(table))
    is_commented = all(line.startswith("#") for line in head.splitlines())
    if not found or not is_commented or not body.endswith("\n}\n"):
        return False
    depth = 1
    for line in body.splitlines()[:-1]:
        said = _TEXT.sub("", line)
        for bracket in re.findall("[{}]", said):
            depth += 1 if bracket == "{" else -1
            if depth < 1:
                return False
        if _READS.search(said):
            return False
    return depth == 1


def in_kernel(table: str) -> str | None:
    """The normal form of what the kernel has, or None."""
    return _normal(ask(listing(table), _SECONDS))


def in_scratch(path: str, table: str) -> str | None:
    """The normal form of what a file means; None if that cannot be found out."""
    return _normal(ask(trial(path, table), _SECONDS))


def listing(table: str) -> tuple[str, ...]:
    """The command that tells of a table in the kernel."""
    return ("nft", "-j", "list", "table", "inet", table)


def trial(path: str, table: str) -> tuple[str, ...]:
    """The command that tells what a file means, where that does no harm."""
    return ("unshare", "--net", "--", "sh", "-c", _IN_SCRATCH, "sh", path, table)


def normal_form(listed: str) -> str:
    """What `nft -j list table` tells, without what changes by itself, sets in one order.

    Raises:
        ValueError: it is no such listing.
    """
    told = json.loads(listed)["nftables"]
    kept = [_stripped(each) for each in told if "metainfo" not in each]
    return json.dumps(kept, sort_keys=True)


def _normal(answer: tuple[int, str, str]) -> str | None:
    if answer[0]:
        return None
    try:
        return normal_form(answer[1])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _stripped(each) for key, each in value.items() if key not in _VOLATILE}
        for key in ("set", "elem"):
            if isinstance(kept.get(key), list):
                kept[key] = sorted(kept[key], key=lambda each: json.dumps(each, sort_keys=True))
        return kept
    return [_stripped(each) for each in value] if isinstance(value, list) else value
