"""A farm whose name servers, zones and machines are declared in git, and the program on it.

One host is the primary and has the machines, the other the secondary. Production makes the zones;
development has names in two of them.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.remotes.origin import Origin
from tests.sealed.sealing import Reader, seal
from tests.system.lab import CHECKOUT, Lab, LabHost, eventually, taken

PROGRAM = CHECKOUT / ".venv/bin/reconciler"
CLEANUP = Path(__file__).with_name("clean-names")
PRIMARY, SECONDARY = "virt7", "virt8"
LONG = timedelta(seconds=90)
DOMAIN, MANY, CATALOG = "lab.internal", "many.internal", "catalog.ns.invalid"
NAMES_IN_MANY = 100
ENVIRONMENTS = ("production", "development")
REST_SECONDS = 1.5
ALLOWED = "Reconciler-Allow: mass-record-change"
SETTINGS = """\
repository: {{url: {url}}}
environments: [production, development]
state_directory: {state}
hosts: {{ssh_key: {lab.ssh_key}, known_hosts: {lab.known_hosts}, deadline: 10s}}
secrets: {{identity: {identity}}}
"""
Document = Mapping[str, Any]
FARM: Document = {"kind": "Farm", "name": "lab", "domain": DOMAIN, "contact": f"noc@{DOMAIN}"}
LAN: Document = {
    "kind": "Network",
    "name": "lan",
    "environment": "production",
    "subnet": "10.213.8.0/24",
    "bridge": "br-lan",
    "gateway": "10.213.8.1",
}
# What every machine is called, by its address. Those of development are under `dev`.
MACHINES = {
    "web-1": ("production", "10.213.8.171"),
    "web-2": ("production", "10.213.8.172"),
    "try-1": ("development", "10.213.8.181"),
}
POOL: Document = {"name": "default", "size": "1 GiB", "target": "/var/lib/libvirt/images"}
GUESTS: Document = {
    "accelerator": "qemu",
    "pools": [POOL],
    "share": {"development": {"memory": "256 MiB", "cpus": 2}},
}
WIKI: Document = {"name": "wiki", "port": 443}
SERVED: Document = {
    "primary": f"ns1.{DOMAIN}.",
    "nameservers": [f"ns1.{DOMAIN}.", f"ns2.{DOMAIN}."],
}
SHARED: Document = {"development": {"below": ["dev"], "networks": ["lan"]}}


def zone(name: str, **fields: Any) -> Document:
    """The document of a zone that production makes."""
    head = {"kind": "Zone", "name": name, "environment": "production", "server": "ns"}
    return {**head, **SERVED, **fields}


def record(name: str, kind: str, *values: str) -> Document:
    """A record set written by hand."""
    return {"name": name, "type": kind, "values": list(values)}


def machine(name: str, address: str, **fields: Any) -> Document:
    """The document of a machine: defined on the primary's host, and never started."""
    return {
        "kind": "VirtualMachine",
        "name": name,
        "memory": "32 MiB",
        "disks": [{"name": "root", "size": "1 MiB"}],
        "networks": [{"network": "lan", "address": address}],
        "host": PRIMARY,
        "running": False,
        "autostart": False,
        **fields,
    }


def many(first: int) -> Document:
    """A zone with very many names, whose addresses depend on a number."""
    names = (f"n{number}" for number in range(NAMES_IN_MANY))
    found = [record(name, "A", f"192.0.2.{first}", f"198.51.100.{first}") for name in names]
    return zone(MANY, records=found)


class NamesFarm:
    """The repository, the two hosts, and the program. Use it inside `named`."""

    def __init__(self, root: Path, lab: Lab, primary: LabHost, secondary: LabHost) -> None:
        self.primary, self.secondary = self.servers = (primary, secondary)
        self.origin = Origin(root / "origin.git")
        self.log = root / "log"
        reader = Reader()
        self.keys = {
            name: base64.b64encode(name.ljust(32, ".").encode()).decode() for name in ENVIRONMENTS
        }
        self.settings = root / "reconciler.yaml"
        identity = reader.write(root / "age.txt")
        text = SETTINGS.format(
            url=self.origin.url, state=root / "state", lab=lab, identity=identity
        )
        self.settings.write_text(text)
        sealed = seal(self.keys, [reader.recipient])
        self._first = {**_contents(self._documents()), "secrets/names.sops.yaml": sealed.encode()}
        self._touched: dict[str, set[str]] = defaultdict(set)
        self._unsettled, self._since = {*ENVIRONMENTS}, ""
        self.origin.commit("production", self._first, message="Describe the farm")
        self.origin.git("branch", "development", "production")

    def declare(
        self,
        documents: Mapping[str, Document | None],
        message: str = "Change",
        branch: str = "production",
    ) -> str:
        """Commit documents by their paths, besides those that are there; None takes one away."""
        self._touched[branch] |= documents.keys()
        self._unsettled.add(branch)
        return self.origin.commit(branch, _contents(documents), message=message)

    def run(self, *arguments: str, within: float = 200) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, whatever that is."""
        return subprocess.run(
            [PROGRAM, "--config", self.settings, *arguments],
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def sync(self, environment: str = "production", *, expects: int = 0) -> str:
        """Sync an environment, which must end so; what it said."""
        done = self.run("sync", "-e", environment)
        said = done.stdout + done.stderr
        assert done.returncode == expects, said
        return said

    def settle(self) -> None:
        """Make the farm what it was described as at first, as far as it may not be."""
        for branch, paths in self._touched.items():
            first = {path: self._first.get(path) for path in paths}
            self.origin.commit(branch, first, message=f"Describe it as at first\n\n{ALLOWED}")
        self._touched.clear()
        if not self._since:  # the zones can be looked at when their server was made
            self.run("sync", "-e", "production")
        for environment in sorted(self._unsettled, key=ENVIRONMENTS.index):
            self.sync(environment)
        self._unsettled.clear()
        self._since = self.origin.head("reconciler/production") or ""

    def _is_followed(self, environment: str) -> bool:
        head = self.origin.head(environment) or ""
        return f"{environment} at {head[:7]}" in self.log.read_text()

    def changes(self, environment: str = "production") -> list[str]:
        """The addresses of what a sync would change."""
        done = self.run("plan", "-e", environment, "--format", "json")
        assert done.returncode in {0, 2}, done.stdout + done.stderr
        return [each["address"] for each in json.loads(done.stdout)["changes"]]

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The program while it runs, and it tells the log; at the end it is told to stop."""
        argv = [str(PROGRAM), "--config", str(self.settings), *arguments]
        self.touch_by_hand()
        with self.log.open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.wait(60)

    def await_rest(self) -> None:
        """Wait until the program that runs has followed both branches, and tells nothing more."""
        eventually(lambda: True if all(map(self._is_followed, ENVIRONMENTS)) else None)
        told, since = -1, 0.0

        def rests() -> bool | None:
            nonlocal told, since
            if (now := self.log.stat().st_size) != told:
                told, since = now, time.monotonic()
            return time.monotonic() - since > REST_SECONDS or None

        eventually(rests)

    def entries(self, event: str) -> list[str]:
        """What detected the drift of each entry of this test in production's journal."""
        form = "--format=%x01%s%x02%(trailers:key=Reconciler-Detected,valueonly)"
        log = ("log", "--reverse", form, f"{self._since}..refs/heads/reconciler/production")
        entries = (each.partition("\x02") for each in self.origin.git(*log).split("\x01")[1:])
        return [seen.strip() for subject, _, seen in entries if subject.startswith(event)]

    def serial(self, zone_name: str) -> int:
        """The serial of a zone on the primary; 0 if that does not answer."""
        answer = self.ask(self.primary, zone_name, "SOA")
        return int(answer[0].split()[2]) if answer else 0

    def numbers(self) -> set[int]:
        """The numbers that the addresses in the zone of very many names depend on, in one look.

        None at all if the server does not answer; -1 beside them if an address is missing.
        """
        key = f"hmac-sha256:reconciler-production:{self.keys['production']}"
        argv = ["dig", "+noall", "+answer", "+time=2", "+tries=1", "-y", key]
        argv += [f"@{self.primary.address}", MANY, "AXFR"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        found = re.findall(r"\sA\s(?:192\.0\.2|198\.51\.100)\.(\d+)$", done.stdout, re.MULTILINE)
        is_whole = len(found) in {0, 2 * NAMES_IN_MANY}
        return {*map(int, found)} | (set() if is_whole else {-1})

    def ask(self, host: LabHost, name: str, kind: str = "A") -> list[str]:
        """What a server answers from its own zones, in order; nothing if it knows nothing."""
        argv = [
            "dig",
            "+short",
            "+norecurse",
            "+time=2",
            "+tries=2",
            f"@{host.address}",
            name,
            kind,
        ]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        return [] if done.returncode else sorted(done.stdout.split("\n")[:-1])

    def await_answer(self, host: LabHost, name: str, kind: str, *values: str) -> None:
        """Wait until a server answers just that."""
        eventually(lambda: self.ask(host, name, kind) == sorted(values) or None)

    def touch_by_hand(self) -> None:
        """Something of production is changed, and perhaps not by a sync to its end."""
        self._unsettled.add("production")

    def by_hand(self, zone_name: str, *lines: str) -> None:
        """Change a zone on its primary as root can, with a key that is there."""
        self.touch_by_hand()
        self.primary.run("nsupdate", stdin=self._update("production", zone_name, lines))

    def forced(self, environment: str, zone_name: str, *lines: str) -> str:
        """Change a zone with the key of an environment; what nsupdate complains about."""
        script = self._update(environment, zone_name, lines)
        return self.primary.attempt("nsupdate", stdin=script).stderr

    def _update(self, environment: str, zone_name: str, lines: Sequence[str]) -> bytes:
        key = f"key hmac-sha256:reconciler-{environment} {self.keys[environment]}"
        head = ("server 127.0.0.1", key, f"zone {zone_name}")
        return "\n".join((*head, *lines, "send", "")).encode()

    def path_of(self, host: LabHost) -> str:
        """Where the document of a host is."""
        return f"hosts/{host.name}.yaml"

    def document_of(self, host: LabHost, **fields: Any) -> Document:
        """The document of a host; the primary runs the machines, the secondary provides a wiki."""
        head = {"kind": "Host", "name": host.name, "environment": "production"}
        more = GUESTS if host is self.primary else {"guests": False, "provides": [WIKI]}
        return {**head, "address": host.address, "memory": "2 GiB", **more, **fields}

    def policy(self, environment: str = "production", **fields: Any) -> Mapping[str, Document]:
        """The file of an environment's policy."""
        domain = DOMAIN if environment == "production" else f"dev.{DOMAIN}"
        head = {"kind": "Environment", "name": environment, "domain": domain, "drift": "heal"}
        return {f"environments/{environment}/environment.yaml": {**head, **fields}}

    def names(self, **fields: Any) -> Document:
        """The zone of the farm, with the records of the name servers and some others."""
        records = [
            record("ns1", "A", self.primary.address),
            record("ns2", "A", self.secondary.address),
            record("@", "MX", f"10 mail.{DOMAIN}."),
            record("mail", "A", "192.0.2.25"),
        ]
        whole = {"records": records, "reverse": ["10.213.7.0/24", "lan"], "share": SHARED}
        return zone(DOMAIN, **{**whole, **fields})

    def _documents(self) -> Mapping[str, Document]:
        keys = {name: f"secret://names/{name}" for name in self.keys}
        server = {
            "kind": "Nameserver",
            "name": "ns",
            "environment": "production",
            "hosts": [{"name": self.primary.name}, {"name": self.secondary.name}],
            "keys": keys,
            "inside": ["10.213.7.0/24", "lan"],
            "recursion": False,
        }
        return {
            "farm.yaml": FARM,
            "networks/lan.yaml": LAN,
            "nameservers/ns.yaml": server,
            "zones/lab.yaml": self.names(),
            "zones/many.yaml": many(1),
            **{self.path_of(host): self.document_of(host) for host in self.servers},
            **self.policy(),
            **self.policy("development"),
            **{
                f"environments/{environment}/vms/{name}.yaml": machine(name, address)
                for name, (environment, address) in MACHINES.items()
            },
        }


def _contents(documents: Mapping[str, Document | None]) -> dict[str, bytes | None]:
    return {
        path: None if each is None else json.dumps(each).encode()
        for path, each in documents.items()
    }


@contextmanager
def named(lab: Lab, root: Path) -> Iterator[NamesFarm]:
    """Two hosts with Debian's own name server for one module; just that again afterwards."""
    primary, secondary = lab.hosts[PRIMARY], lab.hosts[SECONDARY]
    with ExitStack() as stack:
        for host in (primary, secondary):
            stack.enter_context(taken(lab.directory, host.name))
            clean(host)
            stack.callback(clean, host)
        yield NamesFarm(root, lab, primary, secondary)


def clean(host: LabHost) -> None:
    """Leave nothing of all this on a host."""
    host.run("bash", "-s", stdin=CLEANUP.read_bytes(), within=LONG)
    host.clean()
