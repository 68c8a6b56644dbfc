"""Servers of zone files on a lab host: NSD, Knot and named, each as its document would have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.config.nameserver import Nameserver as Document
from reconciler.drivers.nameserver_access import ServerAccess
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.zonefiles.server import ZoneFileNameserver
from reconciler.ports.nameserver import RecordSet
from tests.system.lab import LabHost, eventually

ADDRESS = "127.0.0.1"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEADLINE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Software:
    """How a server is set up beside what a test host has, and taken away again."""

    name: str
    home: str
    unit: str
    port: int
    config: str
    """The file that is ours while the test runs; the host's own is kept beside it."""
    text: str
    reload: tuple[str, ...]


NSD = Software(
    "nsd",
    "nsd",
    "nsd",
    5301,
    "/etc/nsd/nsd.conf",
    """\
server:
    ip-address: 127.0.0.1@5301
    database: ""
remote-control:
    control-enable: yes
    control-interface: /run/nsd/control
pattern:
    name: "reconciler"
    provide-xfr: 127.0.0.1 NOKEY
include: "/etc/nsd/reconciler-zones/*.conf"
""",
    ("nsd-control", "reload"),
)
KNOT = Software(
    "knot",
    "knot",
    "knot",
    5302,
    "/etc/knot/knot.conf",
    """\
server:
    rundir: "/run/knot"
    user: knot:knot
    listen: 127.0.0.1@5302
acl:
  - id: here
    address: 127.0.0.1
    action: transfer
template:
  - id: reconciler
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    acl: here
include: "/etc/knot/reconciler-zones/*.conf"
""",
    ("knotc", "-b", "zone-reload"),
)
BIND = Software(
    "bind-files",
    "bind",
    "named",
    53,
    "/etc/bind/named.conf.local",
    'include "/etc/bind/reconciler-zones/*.conf";\n',
    ("rndc", "reload"),
)
VIEWS = Software(
    "bind-files",
    "bind",
    "named",
    53,
    "/etc/bind/named.conf",
    """\
include "/etc/bind/named.conf.options";
view "inside" { match-clients { 127.0.0.1; }; include "/etc/bind/reconciler-zones/*.conf"; };
view "outside" { match-clients { any; };
    include "/etc/bind/reconciler-zones-outside/*.conf"; };
""",
    ("rndc", "reload"),
)
EVERY = {each.name: each for each in (NSD, KNOT, BIND)}

_BY_HAND = """\
import re, sys
path, name, kind, *lines = sys.argv[1:]
old = open(path).read().splitlines()
gone = [line for line in old if not re.match(rf"{re.escape(name)} \\d+ IN {kind} ", line)]
text = "\\n".join([*gone, *lines]) + "\\n"
open(path, "w").write(re.sub(r"( SOA \\S+ \\S+ )(\\d+)", lambda m: m[1] + str(int(m[2]) + 1), text))
"""
_BEGIN = """\
set -e
home=$1 config=$2 unit=$3
for suffix in '' -outside; do
    rm -rf /var/lib/$home/reconciler-zones$suffix /etc/$home/reconciler-zones$suffix
    mkdir -p /etc/$home/reconciler-zones$suffix
    echo '# none' >/etc/$home/reconciler-zones$suffix/none.conf
done
if [ -e "$config" ] && ! [ -e "$config.of-test" ]; then cp -a "$config" "$config.of-test"; fi
cat >"$config"
systemctl reset-failed $unit 2>/dev/null || :
systemctl restart $unit
"""
_END = """\
home=$1 config=$2 unit=$3
rm -f "$config"
if [ -e "$config.of-test" ]; then mv "$config.of-test" "$config"; fi
rm -rf /var/lib/$home/reconciler-zones* /etc/$home/reconciler-zones*
systemctl reset-failed $unit 2>/dev/null || :
if [ $unit = named ]; then systemctl restart $unit; else systemctl stop $unit; fi
"""


@dataclass(frozen=True, slots=True)
class ZoneFileHost:
    """A host with one such server."""

    host: LabHost
    software: Software
    shell: Shell

    def server(
        self, *, view: str = "inside", now: Callable[[], datetime] = lambda: NOON
    ) -> ZoneFileNameserver:
        """The driver, which has not looked at anything yet."""
        return ZoneFileNameserver(access_to(self.software, self.shell, view=view, now=now))

    def path(self, zone: str, suffix: str = "") -> str:
        """The file of a zone."""
        return f"/var/lib/{self.software.home}/reconciler-zones{suffix}/{zone}.db"

    def served(self, name: str, kind: str = "SOA") -> list[str]:
        """What dig gets, sorted, asked on the host."""
        where = f"@{ADDRESS}", "-p", str(self.software.port)
        return sorted(self.host.run("dig", "+short", *where, name, kind).splitlines())

    def by_hand(self, zone: str, put: RecordSet | None = None, remove: str = "") -> None:
        """Edit the file of a zone, with its serial, and let the server read it."""
        key = put.key if put else remove
        name, _, kind = key.rpartition("/")
        lines = (
            [f"{name} {put.ttl_seconds} IN {kind} {value}" for value in put.values] if put else []
        )
        before = self.served(zone)
        self.host.run("python3", "-c", _BY_HAND, self.path(zone), name, kind, *lines)
        self.host.run(*self.software.reload, zone)
        eventually(lambda: self.served(zone) != before or None, every_seconds=0.05)

    def restart(self) -> None:
        """Let it begin anew, and wait until it answers."""
        self.host.run("systemctl", "restart", self.software.unit)
        self.await_answer()

    def await_answer(self) -> None:
        """Until it answers anything at all."""
        asked = ("dig", "+tries=1", "+time=1", f"@{ADDRESS}", "-p", str(self.software.port), "x.")
        eventually(lambda: self.host.attempt(*asked).code == 0 or None)


def access_to(
    software: Software, shell: Shell, *, view: str, now: Callable[[], datetime]
) -> ServerAccess:
    """The way to it, as the farm would give it."""
    document: dict[str, Any] = {
        "kind": "Nameserver",
        "name": "ns1",
        "software": software.name,
        "hosts": ({"name": shell.host},),
        "port": software.port,
        "outside": software is VIEWS,
    }
    return ServerAccess(
        server="ns1" if view == "inside" else "ns1/outside",
        document=Document.model_validate(document),
        environment="production",
        view="inside" if view == "inside" else "outside",
        address=ADDRESS,
        shell=shell,
        key=_no_key,
        deadline=DEADLINE,
        now=now,
        monotonic=lambda: 0.0,
        sleep=lambda _: None,
    )


def _no_key(holder: str) -> Any:
    raise AssertionError(holder)


@contextmanager
def set_up(host: LabHost, software: Software, shell: Shell) -> Iterator[ZoneFileHost]:
    """The server runs with nothing of ours, and is gone afterwards."""
    words = (software.home, software.config, software.unit)
    made = ZoneFileHost(host, software, shell)
    try:
        host.run("bash", "-c", _BEGIN, "begin", *words, stdin=software.text.encode())
        made.await_answer()
        yield made
    finally:
        host.run("bash", "-c", _END, "end", *words)
