"""Questions about bridges, VLANs and bonds, and about the files that set them up at boot."""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.boot_files import files_at
from reconciler.drivers.ssh.onhost.interfaces import ADDRESSES, ROUTES, Asked, Interfaces, asked_of
from reconciler.drivers.ssh.onhost.programs import ask, complaint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered


def bridges(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about bridges."""
    return _links(questions, known)


def vlans(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about VLANs."""
    return _links(questions, known)


def bonds(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about bonds."""
    return _links(questions, known)


def interfaces_seen() -> Interfaces:
    """All interfaces of the host.

    Raises:
        OSError: `ip` does not tell.
    """
    return Interfaces(_told(ADDRESSES), _told(ROUTES))


def link_fact(interfaces: Interfaces, name: str, asked: Asked) -> dict[str, Any]:
    """What an interface that is there is, and has."""
    data = interfaces.data(name)
    return {
        "type": interfaces.kind(name),
        "ports": [port for port in interfaces.plugged(name) if _counts(interfaces, port, asked)],
        "parent": interfaces.links[name].get("link") if "id" in data else None,
        "vlan": data.get("id") if interfaces.kind(name) == "vlan" else None,
        "mode": data.get("mode") if interfaces.kind(name) == "bond" else None,
        **interfaces.has(name, asked),
    }


def _links(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    interfaces, asked = interfaces_seen(), asked_of(questions)
    for question in questions:
        name = question["name"]
        files = files_at(known, asked[name].paths)
        if name in interfaces.links:
            yield {**link_fact(interfaces, name, asked[name]), "files": files}
        else:
            routes = interfaces.routes_of(name, asked[name].prefixes)
            is_left = bool(files or routes)
            yield _LEFT | {"routes": routes, "files": files} if is_left else None


_LEFT = {"type": "", "is_up": False}  # only files and routes are there


def _counts(interfaces: Interfaces, port: str, asked: Asked) -> bool:
    return port in asked.ports or not interfaces.is_end(port)


def _told(argv: Sequence[str]) -> str:
    answer = ask(argv)
    if answer[0]:
        raise complaint_of(argv, answer)
    return answer[1]
