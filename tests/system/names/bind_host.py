"""A named of a test's own on a lab host: private files, port and rndc key; killed and started."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update

from reconciler.config.nameserver import INSIDE, key_name
from reconciler.drivers.dns.access import Key, ServerAccess
from reconciler.drivers.dns.control import Control
from reconciler.drivers.dns.server import DynamicNameserver
from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import Shell
from reconciler.ports.nameserver import RecordSet
from tests.system.lab import Lab, LabHost, eventually

HOST = "virt7"
HOME = "/var/lib/bind/of-tests"
ROOM = f"{HOME}/room"  # what is /var/lib/reconciler elsewhere
RNDC = ("rndc", "-c", f"{HOME}/rndc.conf")
PORT, CONTROL_PORT = 5399, 9599
HOLDERS = ("development", "staging", "production", "dhcp")
VIEWS = ("inside", "outside")
SECONDS = 10

_KEY = 'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
_CONFIG = """\
{keys}
options {{
    directory "{home}"; pid-file "{home}/named.pid"; session-keyfile none;
    listen-on port {port} {{ any; }}; listen-on-v6 {{ none; }};
    allow-new-zones yes; recursion no; dnssec-validation no; notify no;
    allow-transfer {{ {readers} }};
}};
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ "control"; }}; }};
logging {{ channel file {{ file "{home}/log"; severity info; }}; category default {{ file; }}; }};
{views}
"""
_RNDC = """\
{key}
options {{ default-key "control"; default-server 127.0.0.1; default-port {port}; }};
"""
_STOP = f"""\
if [ -e {HOME}/named.pid ]; then
    pid=$(cat {HOME}/named.pid)
    kill "$1" "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
fi
rm -f {HOME}/named.pid
"""


def secret_of(name: str) -> str:
    """A secret that everybody may know."""
    return b64encode(name.encode().ljust(32, b"."))[:44].decode()


def key_of(holder: str, view: str = INSIDE) -> Key:
    """The key of an environment, or of `dhcp`."""
    name = key_name(holder, "outside" if view == "outside" else "inside")
    return Key(name, "hmac-sha256", secret_of(name))


@dataclass(frozen=True)
class Bind:
    """The named, and how the product gets to it."""

    host: LabHost
    shell: Shell

    def start(self) -> None:
        """Run it until `stop`."""
        self.host.run("named", "-u", "bind", "-c", f"{HOME}/named.conf")
        eventually(lambda: self.host.attempt(*RNDC, "status").code == 0 or None)

    def stop(self, *, by: str = "-TERM") -> None:
        """End it, also with `-KILL`."""
        self.host.run("sh", "-c", _STOP, "stop", by)

    def log(self) -> str:
        """What it says of itself."""
        return self.host.run("cat", f"{HOME}/log")

    def clear(self) -> None:
        """Serve no zones."""
        self.host.run("sh", "-c", f"rm -rf {HOME}/zones {HOME}/*.nzd* {HOME}/*.jnl {HOME}/log")

    def access(self, view: str | None = None, **changes: object) -> ServerAccess:
        """The way to it."""
        fields: dict[str, object] = {
            "name": "ns",
            "address": self.host.address,
            "port": PORT,
            "key": lambda holder: key_of(holder, view or INSIDE),
            "reader": "production",
            "view": view,
            "deadline": timedelta(seconds=SECONDS),
        }
        return ServerAccess(**{**fields, **changes})  # type: ignore[arg-type]

    def control(self, view: str | None = None) -> Control:
        """Its configuration."""
        return Control(self.shell, view, rndc=RNDC, directory=f"{HOME}/zones")

    def server(
        self,
        view: str | None = None,
        *,
        is_ours: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),  # noqa: TID251 - BIND checks it
        **changes: object,
    ) -> DynamicNameserver:
        """The driver, with nothing remembered."""
        control = self.control(view) if is_ours else None
        access = self.access(view, **changes)
        return DynamicNameserver(access, control, monotonic=time.monotonic, now=now)

    def put(self, zone: str, record: RecordSet, holder: str = "production") -> None:
        """Somebody puts a record set there, past the product."""
        update = _update(zone, holder)
        update.replace(record.name, record.ttl_seconds, record.type, *record.values)
        self._send(update)

    def remove(self, zone: str, key: str, holder: str = "production") -> None:
        """Somebody removes a record set, past the product."""
        name, _, kind = key.rpartition("/")
        update = _update(zone, holder)
        update.delete(name, kind)
        self._send(update)

    def _send(self, update: dns.update.UpdateMessage) -> None:
        answer = dns.query.tcp(update, self.host.address, port=PORT, timeout=SECONDS)
        assert answer.rcode() == dns.rcode.NOERROR, answer


def _update(zone: str, holder: str) -> dns.update.UpdateMessage:
    key = key_of(holder)
    tsig = dns.tsig.Key(key.name, key.secret, key.algorithm)
    return dns.update.UpdateMessage(f"{zone}.", keyring=tsig)


@contextmanager
def bind_on(lab: Lab, *, views: bool = False) -> Iterator[Bind]:
    """A named that runs on the host of these tests; nothing of it stays there."""
    host = lab.hosts[HOST]
    shell = Shell(HOST, host.address, Access(lab.ssh_key, lab.known_hosts), directory=ROOM)
    bind = Bind(host, shell)
    with closing(shell):
        bind.stop()
        host.run("sh", "-c", f"rm -rf {HOME} && mkdir {HOME} && chown bind: {HOME}")
        host.write_file(f"{HOME}/named.conf", _config(views=views).encode())
        rndc = _RNDC.format(key=_key("control"), port=CONTROL_PORT)
        host.write_file(f"{HOME}/rndc.conf", rndc.encode())
        bind.start()
        try:
            yield bind
        finally:
            bind.stop()
            host.run("rm", "-rf", HOME)


def _config(*, views: bool) -> str:
    named = [(each, view) for view in (VIEWS if views else (INSIDE,)) for each in HOLDERS]
    keys = [key_of(*each).name for each in named]
    return _CONFIG.format(
        keys="".join(_key(name) for name in [*keys, "control"]),
        home=HOME,
        port=PORT,
        control=CONTROL_PORT,
        readers=" ".join(f'key "{name}";' for name in keys if "dhcp" not in name),
        views="".join(map(_view, VIEWS)) if views else "",
    )


def _view(view: str) -> str:
    keys = " ".join(f'key "{key_of(holder, view).name}";' for holder in HOLDERS)
    return f'view "{view}" {{ match-clients {{ {keys} }}; allow-new-zones yes; }};\n'


def _key(name: str) -> str:
    return _KEY.format(name=name, secret=secret_of(name))
