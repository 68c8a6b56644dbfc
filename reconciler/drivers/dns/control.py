"""The configuration of a BIND that is ours: zones and their rules, by rndc on its host.

What takes several steps is one command there, so that nobody else comes in between, and each can be
repeated after a crash between two of its steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from reconciler.drivers.dns.files import file_name, zone_of, zone_text
from reconciler.drivers.dns.rules import (
    METHOD,
    POLICY,
    Statement,
    parse,
    quoted,
    read_rules,
    rule_statements,
)
from reconciler.drivers.refusal import Refused
from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.files import IS_CUT, sum_of
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from reconciler.ports.nameserver import NewZone, Rules

DIRECTORY = "/var/lib/bind/reconciler"
IS_SERVED, IS_WRONG = 190, 191
_NOT_FOUND, _REFUSED = "failed: not found", "connection refused"
_OURS = frozenset({POLICY, METHOD, "allow-update"})

# $1 the zone, $2 its view or nothing, $3 its file; then what is special; then how rndc is called.
_MAKE = """\
set -u
zone=$1 view=$2 file=$3 statement=$4 sum=$5 room=$6
shift 6
where="${view:+IN }$view"
said=$("$@" zonestatus "\\"$zone\\"" $where 2>&1) && exit 190
case $said in *"failed: not found"*) ;; *) printf '%s\\n' "$said" >&2; exit 1 ;; esac
own() { # a directory, which is made as the one that it is in
    [ -d "$1" ] && return
    own "$(dirname -- "$1")"
    mkdir -- "$1" && chown --reference="$1/.." -- "$1" && chmod --reference="$1/.." -- "$1"
}
own "$(dirname -- "$file")" || exit 1
mkdir -p -m 700 -- "$room" && new=$(mktemp -- "$room/.zone-XXXXXXXXXX") || exit 1
trap 'rm -f -- "$new"' EXIT
cat >"$new"
[ "$(sha256sum <"$new" | cut -c 1-64)" = "$sum" ] || exit 196
said=$(named-checkzone -i local "$zone" "$new" 2>&1) || { printf '%s\\n' "$said" >&2; exit 191; }
chmod 644 -- "$new" && sync -- "$new" && rm -f -- "$file.jnl" && mv -fT -- "$new" "$file" || exit 1
sync -- "$(dirname -- "$file")"
"$@" addzone "\\"$zone\\"" $where "$statement"
"""

# The server deletes the files by itself, a moment after it has answered.
_DELETE = """\
set -u
zone=$1 view=$2 file=$3
shift 3
where="${view:+IN }$view"
said=$("$@" delzone -clean "\\"$zone\\"" $where 2>&1)
code=$?
case $code:$said in 0:* | *"failed: not found"*) ;; *) printf '%s\\n' "$said" >&2; exit 1 ;; esac
turns=0
while [ "$code" = 0 ] && [ -e "$file" ] && [ "$turns" -lt 40 ]; do
    sleep 0.05
    turns=$((turns + 1))
done
rm -f -- "$file" "$file.jnl"
"""

_LIST = """\
[ -d "$1" ] || exit 0
exec find "$1" -maxdepth 1 -type f -name '*.db' -printf '%f\\n'
"""


class Commands(Protocol):
    """The host's shell, as far as it is needed here."""

    host: str
    directory: str

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = ...,
        deadline: timedelta | None = ...,
        exclusive: bool = ...,
        operation: str = ...,
    ) -> Result:
        """Run a command and wait for it."""
        ...


class Control:
    """Zones of one view of the server on a host."""

    def __init__(
        self,
        shell: Commands,
        view: str | None = None,
        *,
        rndc: Sequence[str] = ("rndc",),
        directory: str = DIRECTORY,
    ) -> None:
        """`rndc` is how it is called on the host, `directory` there holds our zones."""
        self._shell = shell
        self._view = view
        self._rndc = tuple(rndc)
        self._home = directory
        self._directory = f"{directory}/{view}" if view else directory

    def zones(self) -> tuple[str, ...]:
        """The zones that we have made files for."""
        operation = "list our zones"
        result = self._run(["sh", "-c", _LIST, "reconciler", self._directory], operation)
        names = map(zone_of, result.stdout.decode(errors="replace").splitlines())
        return tuple(sorted(name for name in names if name))

    def has_begun(self) -> bool:
        """Whether the server has been set up for zones of ours: their directory is there."""
        argv = ["test", "-d", self._home]
        return self._shell.run(argv, operation="look for our zones").exit_code == 0

    def create(self, zone: NewZone) -> None:
        """Serve a new zone, which has all its records at once.

        Raises:
            Conflict: it is served already, or is no zone.
            DriverError: the server or its host does not do it.
        """
        operation = f"create zone {zone.name}"
        try:
            file, content = self._file(zone.name), zone_text(zone)
            rules = rule_statements(zone.rules or Rules(), zone.name, self._view)
            primary = (Statement(("type", "primary")), Statement(("file", file)))
            statement = _braced((*primary, *rules))
            words = (quoted(zone.name).strip('"'), self._view or "", file, statement)
        except (Refused, ValueError) as error:
            raise Conflict(self._shell.host, operation, str(error)) from None
        argv = ["sh", "-c", _MAKE, "reconciler", *words, sum_of(content), self._shell.directory]
        result = self._shell.run(
            [*argv, *self._rndc], stdin=content, exclusive=True, operation=operation
        )
        if result.exit_code == IS_SERVED:
            cause = f"zone {zone.name} is served already"
            raise Conflict(self._shell.host, operation, cause)
        if result.exit_code == IS_CUT:
            raise Unreachable(self._shell.host, operation, "the zone did not arrive whole")
        if result.exit_code == IS_WRONG:
            cause = f"named-checkzone: {result.complaint}"
            raise Conflict(self._shell.host, operation, cause)
        self._check(result, operation)

    def rules(self, zone: str) -> Rules | None:
        """The rules of a zone; None if somebody else has configured it."""
        statements = self._statements(zone, f"read the rules of zone {zone}")
        if _file_of(statements) != self._file(zone):
            return None
        return read_rules(statements, zone, self._view)

    def set_rules(self, zone: str, rules: Rules) -> None:
        """Give a zone other rules; what else was configured about it stays.

        Raises:
            NotFound: it is not served.
            Denied: somebody else has configured it.
            DriverError: the server or its host does not do it.
        """
        operation = f"set the rules of zone {zone}"
        statements = self._statements(zone, operation)
        self._check_ours(zone, statements, operation)
        if read_rules(statements, zone, self._view) == rules:
            return
        kept = tuple(each for each in statements if each.words[0] not in _OURS)
        try:
            wanted = _braced((*kept, *rule_statements(rules, zone, self._view)))
        except ValueError as error:
            raise Conflict(self._shell.host, operation, str(error)) from None
        self._rndc_about("modzone", zone, operation, wanted)
        if read_rules(self._statements(zone, operation), zone, self._view) != rules:
            raise Conflict(self._shell.host, operation, "it tells other rules than it was given")

    def delete(self, zone: str) -> None:
        """Serve a zone no more, and delete its files. Idempotent.

        Raises:
            Denied: somebody else has configured it.
            DriverError: the server or its host does not do it.
        """
        operation = f"delete zone {zone}"
        with suppress(NotFound):  # its files may be left all the same
            self._check_ours(zone, self._statements(zone, operation), operation)
        words = (zone, self._view or "", self._file(zone))
        argv = ["sh", "-c", _DELETE, "reconciler", *words, *self._rndc]
        self._check(self._shell.run(argv, exclusive=True, operation=operation), operation)

    def _statements(self, zone: str, operation: str) -> tuple[Statement, ...]:
        """What is configured about a zone."""
        text = self._rndc_about("showzone", zone, operation)
        try:
            (statement,) = parse(text)
        except ValueError as error:
            cause = f"rndc showzone prints what is not understood: {error}"
            raise Conflict(self._shell.host, operation, cause) from None
        return statement.body or ()

    def _check_ours(self, zone: str, statements: Sequence[Statement], operation: str) -> None:
        if (file := _file_of(statements)) != self._file(zone):
            cause = (
                f"its configuration is not ours: it has the file {file or '?'}; take the zone out "
                "of named.conf there, and it is made anew with the same records"
            )
            raise Denied(self._shell.host, operation, cause)

    def _rndc_about(self, command: str, zone: str, operation: str, *more: str) -> str:
        where = ("IN", self._view) if self._view else ()
        try:
            argv = [*self._rndc, command, quoted(zone), *where, *more]
        except ValueError as error:
            raise NotFound(self._shell.host, operation, str(error)) from None
        result = self._shell.run(argv, exclusive=bool(more), operation=operation)
        self._check(result, operation)
        return result.stdout.decode(errors="replace")

    def _run(self, argv: Sequence[str], operation: str) -> Result:
        result = self._shell.run(argv, operation=operation)
        self._check(result, operation)
        return result

    def _check(self, result: Result, operation: str) -> None:
        if result.exit_code:
            kind, cause = _meaning(result.complaint)
            raise kind(self._shell.host, operation, cause or f"exit code {result.exit_code}")

    def _file(self, zone: str) -> str:
        try:
            return f"{self._directory}/{file_name(zone)}"
        except Refused as error:
            raise Conflict(self._shell.host, f"find the file of {zone}", str(error)) from None


def _meaning(complaint: str) -> tuple[type[DriverError], str]:
    """What rndc said, as an error and in words."""
    said = complaint.lower()
    if _REFUSED in said or "timed out" in said:
        return Unreachable, f"named does not run there, or not for rndc: {complaint}"
    if "permission denied" in said or "not allowed" in said:
        return Denied, f"{complaint}; its options must say allow-new-zones yes"
    if _NOT_FOUND in said:
        return NotFound, complaint
    if "already exists" in said:
        return Conflict, f"the zone is served already: {complaint}"
    return Conflict, complaint


def _braced(statements: Sequence[Statement]) -> str:
    return str(Statement((), tuple(statements)))


def _file_of(statements: Sequence[Statement]) -> str:
    return next((each.words[1] for each in statements if each.words[0] == "file"), "")
