"""A name server that reads zone files: NSD, Knot, or BIND with static zones.

What is looked at and what is done happens in one exchange with the host, where `onhost.zonefiles`
checks, replaces and reloads one file at a time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from reconciler.drivers.dns.updates import is_after, next_serial
from reconciler.drivers.nameserver_access import ServerAccess
from reconciler.drivers.refusal import Forbidden, Refused
from reconciler.drivers.ssh.program import command_of, input_of
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.zonefiles.changes import created, updated
from reconciler.drivers.zonefiles.reading import read_zone
from reconciler.drivers.zonefiles.text import rules_of, zone_text
from reconciler.errors import ConfigError, Conflict, Denied, NotFound, Unreachable
from reconciler.ports.nameserver import (
    Nameserver,
    NewZone,
    Rules,
    ZoneState,
    ZoneUpdate,
)

CHANGE_DEADLINE = timedelta(seconds=120)
_LOOK = "look at its zone files"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A zone as it was looked at.

    `state` is what is served. The file may be another; `latest` is the later of the two serials.
    """

    state: ZoneState
    sum: str | None
    is_served: bool
    latest: int


class ZoneFileNameserver:
    """The zones of one server, or of one of its views, that stand in files of ours."""

    def __init__(self, access: ServerAccess) -> None:
        """Nothing is looked at yet.

        Raises:
            NotFound: the server is on no host of ours.
        """
        if access.shell is None:
            cause = "zone files need a host: name it in hosts of its Nameserver document"
            raise NotFound(access.server, "find", cause)
        self._shell: Shell = access.shell
        self._access = access
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def zones(self) -> tuple[str, ...]:
        """The names of the zones in our files that it serves."""
        return tuple(sorted(self._ask("look", _LOOK)["serials"]))

    def serials(self, names: Iterable[str]) -> Mapping[str, int]:
        """The serial of each of these zones that it serves, in one exchange."""
        return {
            name: int(serial)
            for name, serial in self._ask("look", _LOOK, zones=list(names))["serials"].items()
        }

    def zone(self, name: str) -> ZoneState:
        """The whole zone as it is served.

        Raises:
            NotFound: it does not serve the zone.
            Conflict: it serves what no file of ours says.
        """
        return self._look(name).state

    def create_zone(self, zone: NewZone) -> None:
        """Begin to serve a zone. Its rules are ours to keep: the server knows nothing of them.

        Raises:
            Conflict: it serves the zone already, or would not load it; all is as before.
        """
        what = f"create zone {zone.name}"
        try:
            made = created(zone)
        except Refused as error:
            raise Conflict(self._access.server, what, str(error)) from None
        self._put(what, made, None)

    def update_zone(self, update: ZoneUpdate) -> None:
        """Change a zone, wholly or not at all.

        Raises:
            NotFound: it does not serve the zone.
            Denied: the rules do not let the environment do that.
            Conflict: the serial has moved on, the file was changed since it was looked at, or the
                server would not load the zone.
        """
        what = f"update zone {update.zone}"
        with self._lock:
            seen = self._seen.get(update.zone)
        if seen is None or seen.state.serial != update.serial:
            seen = self._look(update.zone)
        before = seen.state
        try:
            after = updated(before, update)
        except Forbidden as error:
            raise Denied(self._access.server, what, str(error)) from None
        except Refused as error:
            raise Conflict(self._access.server, what, str(error)) from None
        if after == before and seen.is_served:
            return
        rules = before.rules or Rules()
        serial = next_serial(seen.latest, rules.serials, self._access.now())
        self._put(what, replace(after, serial=serial), seen)

    def set_rules(self, name: str, rules: Rules) -> None:
        """Treat a zone by other rules from now on; its serial stays.

        Raises:
            NotFound: it does not serve the zone.
        """
        seen = self._look(name)
        if seen.state.rules != rules:
            text = zone_text(replace(seen.state, rules=rules))
            what = f"set the rules of zone {name}"
            self._change("set_text", what, zone=name, text=text, **_expected(seen))

    def delete_zone(self, name: str) -> None:
        """Serve the zone no more. Idempotent."""
        self._change("drop", f"delete zone {name}", zone=name)

    def _look(self, name: str) -> _Seen:
        """The zone as it is served, whose text is fetched only if it is another than last time."""
        with self._lock:
            known = self._seen.get(name)
        contents = {name: known.sum if known else None}
        told = self._ask("look", _LOOK, zones=[name], contents=contents)
        serial, file = told["serials"].get(name), told["files"][name]
        if serial is None:
            raise NotFound(self._access.server, _LOOK, f"zone {name} is not served here")
        if known and "text" not in file and known.sum == file["sum"]:
            if known.is_served and known.state.serial == serial:
                return known
            contents = {name: None}
            told = self._ask("look", _LOOK, zones=[name], contents=contents)
            serial, file = told["serials"].get(name), told["files"][name]
        seen = self._made_sense_of(name, int(serial), file)
        with self._lock:
            self._seen[name] = seen
        return seen

    def _made_sense_of(self, name: str, serial: int, file: Mapping[str, Any]) -> _Seen:
        """Which of the file and what was last taken of it the server serves.

        Raises:
            Conflict: neither.
        """
        text, complaint = file.get("text") or "", ""
        latest = serial
        for each in (text, file.get("kept") or ""):
            try:
                state = read_zone(each, name, f"{name}.db").state
            except ConfigError as error:
                complaint = complaint or str(error.problems[0])
                continue
            latest = state.serial if is_after(state.serial, latest) else latest
            if state.serial == serial:
                known = replace(state, rules=rules_of(each))
                return _Seen(known, file["sum"], each is text, latest)
        cause = f"it serves serial {serial} of zone {name}, and no file of ours says what that is"
        cause += f" ({complaint})" if complaint else ""
        raise Conflict(self._access.server, _LOOK, f"{cause}; let it reload the zone")

    def _put(self, what: str, zone: ZoneState, seen: _Seen | None) -> None:
        try:
            text = zone_text(zone)
        except ValueError as error:
            raise Conflict(self._access.server, what, str(error)) from None
        task = {"zone": zone.name, "text": text, "serial": zone.serial, **_expected(seen)}
        self._change("put", what, **task, is_served=bool(seen and seen.is_served))

    def _change(self, do: str, what: str, **task: Any) -> None:
        with self._lock:
            self._seen.pop(task["zone"], None)
        self._ask(do, what, CHANGE_DEADLINE, **task)

    def _ask(
        self, do: str, what: str, deadline: timedelta | None = None, **task: Any
    ) -> dict[str, Any]:
        """What the host says.

        Raises:
            Unreachable: the host, or the server on it, does not answer.
            Conflict: it refuses, or cannot do it.
        """
        access = self._access
        given = {
            "do": do,
            "software": access.document.software,
            "view": access.configured_view,
            "address": access.address,
            "port": access.document.port,
            **task,
        }
        result = self._shell.run(
            command_of("zonefiles"),
            stdin=input_of("zonefiles", json.dumps(given).encode()),
            deadline=deadline or access.deadline,
            operation=what,
        )
        if result.exit_code:
            cause = result.complaint or f"exit code {result.exit_code}"
            raise Conflict(access.server, what, cause)
        return _answer(access.server, what, result.stdout)


def _answer(server: str, what: str, stdout: bytes) -> dict[str, Any]:
    try:
        told = json.loads(stdout)
    except ValueError:
        raise Conflict(server, what, "what the host says cannot be understood") from None
    if "refused" in told:
        raise Conflict(server, what, str(told["refused"]))
    if "silent" in told:
        raise Unreachable(server, what, str(told["silent"]))
    found: dict[str, Any] = told
    return found


def _expected(seen: _Seen | None) -> dict[str, Any]:
    """What must still be so when something is written."""
    if seen is None:
        return {"expected_sum": None, "expected_serial": None}
    return {"expected_sum": seen.sum, "expected_serial": seen.state.serial}


def _is_a_nameserver(server: ZoneFileNameserver) -> Nameserver:
    return server
