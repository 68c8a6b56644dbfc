"""Questions about Debian packages: one dpkg-query for all of them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.programs import ask, complaint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

_FORMAT = "${Package}\\t${Architecture}\\t${db:Status-Want}\\t${db:Status-Status}\\t${Version}\\n"
_SOME_UNKNOWN = 1


def packages(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about packages.

    Raises:
        OSError: dpkg-query cannot say.
    """
    names = sorted({question["name"] for question in questions})
    argv = ["dpkg-query", f"--admindir={known.path('/var/lib/dpkg')}", "-W", "-f", _FORMAT, "--"]
    answer = ask([*argv, *names])
    if answer[0] not in {0, _SOME_UNKNOWN}:
        raise complaint_of(argv, answer)
    found = packages_of(answer[1])
    for question in questions:
        yield found.get(question["name"])


def packages_of(text: str) -> dict[str, dict[str, Any]]:
    """What is installed, by name, and by `name:architecture`; of two the first is the host's own.

    What is only half installed does not count: it is still to be installed.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        name, architecture, want, status, version = line.split("\t")
        if status == "installed":
            fact = {"version": version, "is_held": want == "hold"}
            found.setdefault(name, fact)
            found[f"{name}:{architecture}"] = fact
    return found
