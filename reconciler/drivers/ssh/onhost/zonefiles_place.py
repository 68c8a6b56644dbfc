"""Where each server has its zone files and the list of them, and which programs it comes with."""

from __future__ import annotations

import os
import re

from reconciler.drivers.ssh.onhost.directory import Directory, directory_of, owned_by_us
from reconciler.drivers.ssh.onhost.host import Refused, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.drivers.ssh.onhost.host import Batch

SUFFIX = ".db"
KEPT = ".served"  # what the server was last seen to have taken of a file
LIST = "zones.conf"
HEADER = "# Written by reconciler; what is changed here by hand is lost.\n"
_LISTED = re.compile(r'^\s*(?:zone|name:|- domain:) "([^"\n]+)"', re.MULTILINE)
_STANZAS = {
    "bind-files": 'zone "{zone}" {{ type primary; file "{path}"; }};\n',
    "nsd": 'zone:\n    name: "{zone}"\n    zonefile: "{path}"\n    include-pattern: "reconciler"\n',
    "knot": 'zone:\n  - domain: "{zone}"\n    file: "{path}"\n    template: "reconciler"\n',
}
_HOMES = {"bind-files": "bind", "nsd": "nsd", "knot": "knot"}
_CHECK_CONFIG = ".check.conf"
_KNOT_CHECK = """\
template:
  - id: default
    semantic-checks: on
zone:
  - domain: "{zone}"
    file: "{path}"
"""


def file_of(zone: str) -> str:
    """The name of a zone's file; `%` means something to NSD and Knot."""
    return zone.replace("=", "=3D").replace("/", "=2F") + SUFFIX


def zone_of(file: str) -> str | None:
    """The zone of a file; None if it is no zone's."""
    if file.startswith(".") or not file.endswith(SUFFIX):
        return None
    return file[: -len(SUFFIX)].replace("=2F", "/").replace("=3D", "=")


class Place:
    """One server on this host; a view of BIND is a server of its own."""

    def __init__(
        self, batch: Batch, software: str, view: str | None, address: str, port: int
    ) -> None:
        """`address` and `port` are where it answers."""
        self.batch = batch
        self.software = software
        self.view = view
        self.address = address
        self.port = port
        suffix = "-outside" if view == "outside" else ""
        self.directory = f"/var/lib/{_HOMES[software]}/reconciler-zones{suffix}"
        self.list = f"/etc/{_HOMES[software]}/reconciler-zones{suffix}/{LIST}"

    def path(self, zone: str) -> str:
        """The path of a zone's file."""
        return f"{self.directory}/{file_of(zone)}"

    def opened(self) -> Directory:
        """The directory of the files, which is made if need be.

        Raises:
            Refused: the server is not installed.
        """
        above, name = directory_of(self.batch, self.directory)
        with above:
            if above.stat(name) is None:
                above.make(name, owned_by_us(0o755))
            return above.enter(name)

    def listed(self) -> list[str]:
        """The zones in the server's list."""
        try:
            directory, name = directory_of(self.batch, self.list)
        except Refused:
            return []
        with directory:
            try:
                text = directory.read(name).decode("utf-8", "replace")
            except FileNotFoundError:
                return []
        return _LISTED.findall(text)

    def names(self) -> list[str]:
        """All zones that are ours: also those that a writer began or ended, and did not finish."""
        try:
            files = os.listdir(self.batch.path(self.directory))  # noqa: PTH208 (pathlib is slow)
        except FileNotFoundError:
            files = []
        found = {zone for file in files if (zone := zone_of(file)) is not None}
        return sorted(found.union(self.listed()))

    def put_list(self, zones: Iterable[str]) -> None:
        """Let the server have these zones, once it reads its configuration again.

        Raises:
            Refused: nothing includes that list.
        """
        directory, name = directory_of(self.batch, self.list)
        with directory:
            directory.put(name, self.list_text(zones).encode(), owned_by_us(0o644))

    def list_text(self, zones: Iterable[str]) -> str:
        """The list of zones as the server reads it."""
        stanza = _STANZAS[self.software]
        stanzas = [stanza.format(zone=zone, path=self.path(zone)) for zone in sorted(set(zones))]
        return HEADER + "".join(stanzas)

    def check(self, zone: str, file: str, directory: Directory) -> None:
        """Let the server's own checker look at a file in the directory of the zones.

        Raises:
            Refused: it is not to be loaded, with what the checker says.
        """
        path = f"{self.directory}/{file}"
        if self.software == "knot":  # whose kzonecheck is in another package
            text = _KNOT_CHECK.format(zone=zone, path=path)
            directory.put(_CHECK_CONFIG, text.encode(), owned_by_us(0o644))
            config = f"{self.directory}/{_CHECK_CONFIG}"
            try:
                self._run_check(zone, path, "knotc", "-c", config, "zone-check", zone)
            finally:
                directory.remove(_CHECK_CONFIG)
        elif self.software == "nsd":
            self._run_check(zone, path, "nsd-checkzone", zone, path)
        else:
            self._run_check(zone, path, "named-checkzone", "-i", "local", zone, path)

    def _run_check(self, zone: str, path: str, *argv: str) -> None:
        ran = self.batch.run(argv, seconds=60.0)
        said = f"{ran.stdout} {ran.stderr}".replace(path, file_of(zone))
        if ran.code:
            raise Refused(f"{argv[0]} refuses zone {zone}: {shortened(said)}")

    def reload(self, zone: str) -> str | None:
        """Tell the server that a zone's file is another now; what it said against it."""
        view = ("IN", self.view) if self.view else ()
        argv = {
            "bind-files": ("rndc", "reload", zone, *view),
            "nsd": ("nsd-control", "reload", zone),
            "knot": ("knotc", "-b", "zone-reload", zone),
        }
        return self._said(*argv[self.software])

    def reconfigure(self) -> str | None:
        """Tell the server that the list of its zones is another now; what it said against it."""
        argv = {
            "bind-files": ("rndc", "reconfig"),
            "nsd": ("nsd-control", "reconfig"),
            "knot": ("knotc", "reload"),
        }
        return self._said(*argv[self.software])

    def _said(self, *argv: str) -> str | None:
        ran = self.batch.run(argv, seconds=30.0)
        return f"{' '.join(argv[:2])} says: {ran.complaint}" if ran.code else None
