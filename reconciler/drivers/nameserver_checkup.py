"""Ask a name server how it is: whether it answers, takes each of our keys, and has its programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.config.described import DHCP, DescribedServer
from reconciler.config.nameserver import INSIDE, OUTSIDE, catalog_name
from reconciler.drivers.nameserver_access import ServerAccess
from reconciler.drivers.nameservers import Drive, NameserverDoors, NameserverMeans, drive
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import DriverError, Unreachable
from reconciler.plan.checkup.observation import Answer

TOOLS: Mapping[str, tuple[str, ...]] = {
    "bind": ("rndc", "named-checkzone"),
    "bind-files": ("rndc", "named-checkzone"),
    "nsd": ("nsd-control", "nsd-checkzone"),
    "knot": ("knotc",),
}
_LACKING = 'for each; do command -v -- "$each" >/dev/null || echo "$each"; done'
_SIGNED = frozenset({"bind"})  # the others are changed by files, and asked without a key


def examine(
    described: DescribedServer, means: NameserverMeans, drive_it: Drive = drive
) -> Iterator[Answer]:
    """What can be said of a server: first what is in the way of all else."""
    name, document = described.document.name, described.document
    doors = NameserverDoors(lambda: {name: described}, means)
    try:
        ways = [
            doors.access(document.door(view))
            for view in (INSIDE, OUTSIDE)
            if view == INSIDE or document.outside
        ]
    except DriverError as error:
        yield Answer("address", "it is described", str(error), "write the document of its host")
        return
    if (shell := ways[0].shell) is not None:
        yield _tools(shell, TOOLS[document.software])
    for way in ways:
        yield from _answers(way, described, drive_it)


def _answers(way: ServerAccess, described: DescribedServer, drive_it: Drive) -> Iterator[Answer]:
    """Whether it answers at a door: to each key, if it asks for keys."""
    document, view = described.document, "" if way.view == INSIDE else f" {way.view}"
    holders = [each for each in described.sealed if each != DHCP]
    if document.software not in _SIGNED or not holders:
        yield _asked(f"answers{view}", way, drive_it)
        return
    for holder in holders:
        answer = _asked(f"key {holder}{view}", replace(way, environment=holder), drive_it)
        yield answer
        if answer.name == "address":
            return  # what one key does not reach no other does


def _asked(name: str, way: ServerAccess, drive_it: Drive) -> Answer:
    where = f"port {way.document.port} of {way.address}"
    try:
        drive_it(way).serials([catalog_name(way.document.name)])
    except Unreachable as error:
        remedy = "see that it runs there, and that nothing is in the way from here"
        return Answer("address", f"it answers at {where}", str(error), remedy)
    except DriverError as error:
        remedy = "sync the environment that makes it, which writes the keys there, and see its log"
        return Answer(name, f"it answers at {where}", str(error), remedy)
    return Answer(name, f"it answers at {where}")


def _tools(shell: Shell, tools: tuple[str, ...]) -> Answer:
    text = f"{', '.join(tools)} are on {shell.host}"
    try:
        lacking = shell.output(("sh", "-c", _LACKING, "sh", *tools)).decode().split()
    except DriverError as error:
        return Answer("tools", text, str(error), f"see what doctor says of {shell.host}")
    if lacking:
        problem = f"{', '.join(lacking)} missing on {shell.host}"
        remedy = "install the package of its software there; a sync does if packages names it"
        return Answer("tools", text, problem, remedy)
    return Answer("tools", text)
