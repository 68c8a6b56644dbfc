"""A host as the programs of the dead man's switch see it, and the reconciler's way to it.

Files are below a directory; systemd, nft and the time are its own. Connections are kept, and
a new one is let in or not.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.onhost.host import Batch, Ran
from reconciler.drivers.ssh.onhost.switch import act_on_trial
from reconciler.drivers.ssh.onhost.switch_arm import Refused, arm
from reconciler.drivers.ssh.onhost.switch_restore import fire
from reconciler.drivers.ssh.onhost.switch_settle import settle
from reconciler.drivers.ssh.onhost.switch_site import FIRING, Site
from reconciler.errors import Unreachable
from tests.scenes.ip_of_kernel import Kernel, Link, address

RULES = "/etc/nftables.conf"
SSHD = "/etc/ssh/sshd_config"
OPEN = "table inet filter {\n}\n"
SHUT = "table inet filter {\n\tpolicy drop\n}\n"
WAY_IN = "10.0.0.2"
_TIMER, _SERVICE = "reconciler-switch.timer", "reconciler-switch.service"
_BOOT = "reconciler-switch-boot.service"


@dataclass
class Unit:
    """A unit of the host's systemd."""

    is_active: bool = False
    enabled: str = "disabled"
    run: str = ""
    starts: int = 0
    is_broken: bool = False

    def start(self) -> int:
        if self.is_broken:
            self.is_active = False
            return 1
        self.is_active, self.run = True, uuid.uuid4().hex
        self.starts += 1
        return 0


@dataclass
class SwitchedHost:
    """`now` is its monotonic time, `due` when the timer goes off.

    People come in by an address of `kernel`'s interfaces, if those are looked at at all.
    """

    root: Path
    rules: str = OPEN
    now: float = 0.0
    due: float | None = None
    is_booting: bool = False
    timer_works: bool = True
    sshd: str = "Port 22\n"
    runs: str = _SERVICE
    units: dict[str, Unit] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    kernel: Kernel = field(default_factory=lambda: Kernel({"eth0": _way_in()}))

    def __post_init__(self) -> None:
        self.units |= {
            "ssh.service": Unit(True, "enabled", "first"),
            "nftables.service": Unit(True, "enabled", "first"),
        }
        for place in ("etc/ssh", "etc/systemd/system", "var/lib", "proc/sys/kernel/random"):
            (self.root / place).mkdir(parents=True)
        self.put(RULES, OPEN)
        self.put(SSHD, "Port 22\n")
        self.boot_id("boot-1")

    @property
    def site(self) -> Site:
        return Site(self.run, root=str(self.root), pause=lambda _: None)

    def put(self, path: str, text: str) -> None:
        (self.root / path[1:]).write_text(text)

    def text(self, path: str) -> str:
        return (self.root / path[1:]).read_text()

    def boot_id(self, name: str) -> None:
        self.put("/proc/sys/kernel/random/boot_id", name)

    def own(self, name: str) -> Any:
        """A file of the switch."""
        return self.site.read(name)

    @property
    def lets_in(self) -> bool:
        """Whether a new connection is made: the firewall, sshd and the network must want it."""
        return "drop" not in self.rules and "nobody" not in self.sshd and self._is_connected

    @property
    def _is_connected(self) -> bool:
        ways = (link for link in self.kernel.links.values() if link.is_up and not link.master)
        return any(each["local"] == WAY_IN for link in ways for each in link.addresses)

    # ---------------------------------------------------------------------------------- its life

    def wait(self, seconds: float) -> None:
        """Let time pass; what is due happens."""
        self.now += seconds
        if self.due is not None and self.now >= self.due:
            self.due = None
            self.start_switch()

    def start_switch(self) -> int:
        """As systemd does: only with a change on trial, and again if it fails."""
        for _ in range(10):
            if not (self.own("armed.json") or self.own(FIRING)):
                return 0
            if fire(self.site) == 0:
                return 0
        return 1

    def restart(self, *, rules_stay: bool = False) -> None:
        """The power fails, and comes back: first our unit, then what is enabled."""
        self.due, self.is_booting = None, True
        self.rules = self.rules if rules_stay else ""
        self.kernel.links = {"eth0": Link(is_up=False)}
        self.boot_id(uuid.uuid4().hex)
        for unit in self.units.values():
            unit.is_active = False
        self.runs = _BOOT
        if os.path.lexists(f"{self.root}/etc/systemd/system/sysinit.target.wants/{_BOOT}"):
            self.start_switch()
        for name, unit in self.units.items():
            if unit.enabled == "enabled":
                self._start(name)
        self.kernel.links["eth0"] = _way_in()
        self.is_booting, self.runs = False, _SERVICE

    def _keep(self) -> None:
        kept = {"rules": self.rules, "sshd": self.sshd, "due": self.due}
        units = {name: asdict(unit) for name, unit in self.units.items()}
        (self.root / "kernel").write_text(json.dumps({**kept, "units": units}))

    def recall(self) -> None:
        """Be as another process left the host, which has run programs on it."""
        if not (self.root / "kernel").exists():
            return
        kept = json.loads((self.root / "kernel").read_text())
        self.rules, self.sshd, self.due = kept["rules"], kept["sshd"], kept["due"]
        self.units = {name: Unit(**unit) for name, unit in kept["units"].items()}

    # ------------------------------------------------------------------------------- its programs

    def run(self, argv: list[str], stdin: bytes, seconds: float) -> tuple[int, str]:
        """A program of the host."""
        del seconds
        self.asked.append(argv)
        try:
            return self._answer(argv, stdin)
        finally:
            self._keep()

    def _answer(self, argv: list[str], stdin: bytes) -> tuple[int, str]:
        if argv[0] == "nft":
            return self._nft(argv[1:], stdin.decode())
        if argv[0] == "systemctl":
            return self._systemctl([word for word in argv[1:] if word != "--"])
        if argv[:2] == ["ip", "-brief"]:
            return 0, "lo UNKNOWN 127.0.0.1/8\n"
        return self.kernel.ip(argv[1:]) if argv[0] == "ip" else (127, "no such program")

    def batch(self) -> Batch:
        def ran(argv: Sequence[str], *, seconds: float = 0) -> Ran:
            code, output = self.run(list(argv), b"", seconds)
            return Ran(code, output)

        directory = f"{self.root}/var/lib/reconciler"
        return Batch(root=str(self.root), directory=directory, run=ran)

    def _nft(self, words: list[str], text: str) -> tuple[int, str]:
        if "list" in words:
            return 0, self.rules
        if "nonsense" in text:
            return 1, "Error: syntax error"
        if "-c" not in words:
            self.rules = "" if text.startswith("delete") else text.removeprefix("flush ruleset\n")
        return 0, ""

    def _systemctl(self, words: list[str]) -> tuple[int, str]:
        flags = [word for word in words if word.startswith("--")]
        verb, *names = [word for word in words if not word.startswith("--")]
        if verb == "show":
            return self._show(flags, names)
        assert not (self.is_booting and "--no-block" not in flags and verb.endswith("start")), words
        return next((done for done in (self._do(verb, name) for name in names) if done[0]), (0, ""))

    def _do(self, verb: str, name: str) -> tuple[int, str]:
        if name == _TIMER:
            self._time(verb)
            return 0, ""
        if name == _SERVICE:
            return self.start_switch(), ""
        if verb == "is-active":
            return 0 if self.units.get(self._full(name), Unit()).is_active else 3, ""
        unit = self.units[self._full(name)]
        states = {
            "enable": "enabled",
            "disable": "disabled",
            "mask": "masked",
            "unmask": "disabled",
        }
        unit.enabled = states.get(verb, unit.enabled)
        if verb == "stop":
            unit.is_active = False
            self.rules = "" if "nftables" in name else self.rules
        if verb == "restart" and self._waits_for_us(self._full(name)):
            return 124, "it was not done in time"
        if verb in {"start", "restart"} or (verb.startswith("try-re") and unit.is_active):
            return self._start(self._full(name)), "it did not start"
        return 0, ""

    def _waits_for_us(self, name: str) -> bool:
        """As systemd orders jobs: nothing starts while what is before it is still starting."""
        ours = self.text(f"/etc/systemd/system/{self.runs}").splitlines()
        return any(line.startswith("Before=") and name in line for line in ours)

    def _start(self, name: str) -> int:
        if self.units[name].start():
            return 1
        if name == "nftables.service":
            self.rules = self.text(RULES)
        elif name == "ssh.service":
            self.sshd = self.text(SSHD)
        return 0

    def _time(self, verb: str) -> None:
        self.due = None
        if verb == "restart" and self.timer_works:
            timer = self.text(f"/etc/systemd/system/{_TIMER}")
            self.due = self.now + float(timer.partition("OnActiveSec=")[2].splitlines()[0])

    def _show(self, flags: list[str], names: list[str]) -> tuple[int, str]:
        asked = next(flag for flag in flags if flag.startswith("--property="))
        properties = asked.partition("=")[2].split(",")
        told = [self._properties(name) for name in names]
        if "--value" in flags:
            return 0, "".join(f"{each[key]}\n" for each in told for key in properties)
        return 0, "\n".join("".join(f"{key}={each[key]}\n" for key in properties) for each in told)

    def _properties(self, name: str) -> dict[str, str]:
        if name == _TIMER:
            on = self.due is not None
            return {
                "ActiveState": "active" if on else "inactive",
                "SubState": "waiting" if on else "dead",
            }
        full = self._full(name)
        unit = self.units.get(full, Unit())
        is_masked = unit.enabled == "masked"
        loaded = "loaded" if full in self.units else "not-found"
        return {
            "Id": full,
            "LoadState": "masked" if is_masked else loaded,
            "ActiveState": "active" if unit.is_active else "inactive",
            "UnitFileState": unit.enabled if full in self.units else "",
            "InvocationID": unit.run,
            "NeedDaemonReload": "no",
        }

    def _full(self, name: str) -> str:
        full = name if "." in name else f"{name}.service"
        return "ssh.service" if full == "sshd.service" else full


def _way_in() -> Link:
    return Link(addresses=[address(f"{WAY_IN}/24")])


@dataclass
class Way:
    """The reconciler's way to the host. `at_exchange` is what happens after that exchange."""

    switched: SwitchedHost
    host: str = "virt1"
    directory: str = "/var/lib/reconciler"
    is_connected: bool = False
    exchanges: list[str] = field(default_factory=list)
    at_exchange: dict[int, Callable[[], None]] = field(default_factory=dict)

    def close(self) -> None:
        self.is_connected = False

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        deadline: timedelta | None = None,
        exclusive: bool = False,
        operation: str = "",
    ) -> Result:
        del deadline
        if not self.is_connected and not self.switched.lets_in:
            self.switched.wait(5)
            raise Unreachable(self.host, operation, "no answer from ssh")
        self.is_connected = True
        entry = argv[-1].rpartition(".")[2]
        self.exchanges.append(entry)
        if entry == "true":
            return Result(0, b"", b"")
        assert exclusive
        length, _, rest = stdin.partition(b"\n")
        task = json.loads(rest[int(length) :])
        answer = self._switch(task) if entry == "switch" else self._settle(task)
        self.at_exchange.get(len(self.exchanges), lambda: None)()
        return Result(0 if "refused" not in answer else 1, json.dumps(answer).encode(), b"")

    def _switch(self, task: dict[str, Any]) -> dict[str, Any]:
        site = self.switched.site
        try:
            arm(site, task["switch"], python="/usr/bin/python3")
        except Refused as refusal:
            return {"refused": str(refusal)}
        with actor_elsewhere(site), contextlib.redirect_stdout(io.StringIO()):
            batch = self.switched.batch()
            act_on_trial(site, task["switch"]["token"], batch, task["acts"])
        return {"armed": task["switch"]["token"]}

    def _settle(self, task: dict[str, Any]) -> dict[str, Any]:
        return settle(self.switched.site, task["token"])


@contextlib.contextmanager
def actor_elsewhere(site: Site) -> Any:
    """Let the record name another process than the test's, which is not to be ended."""
    record = site.read("armed.json")
    site.write("armed.json", {**record, "actor": {"pid": 0, "started": "never"}})
    yield


def put_file(path: str, content: str) -> dict[str, Any]:
    """The act, as the host reads it."""
    ours = {"owner": str(os.getuid()), "group": str(os.getgid())}
    return {"act": "put_file", "path": path, "content": content, "mode": "0644", **ours}


def mark_file(path: str, name: str, digest: str) -> dict[str, Any]:
    """The act that marks a file, as the host reads it."""
    owner = {"environment": "production", "name": name, "digest": digest}
    question = {"about": "file", "name": path, "details": []}
    return {
        "act": "put_mark",
        "mark": {"kind": "file", "owner": owner, "question": question, "note": ""},
    }


def set_up(*commands: str) -> list[dict[str, Any]]:
    """Acts that change the network, as the host reads them."""
    return [
        {"act": "run_command", "name": line, "argv": ["ip", *line.split()], "seconds": 5}
        for line in commands
    ]


def restart(unit: str) -> dict[str, Any]:
    """The act, as the host reads it."""
    return {"act": "restart_service", "unit": unit, "how": "restart"}
