"""S29: a machine that was taken over says what it likes, and it is of no use.

Nobody asks its guest anything, nothing it says is believed, and what it brings libvirt to say stays
on one short line.
"""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import libvirt
import pytest

import reconciler
from reconciler.cli.reports import report_lines
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.state import Domain as SimulatedDomain
from reconciler.drivers.simulated.state import FarmState
from reconciler.errors import Conflict, DriverError, Unreachable
from reconciler.gitops.report import Report
from reconciler.ports.hypervisor import Disk, DomainDefinition, DomainState
from reconciler.reconcile import turn
from tests.scenes.scene import Scene
from tests.unit.drivers.libvirt_.stores import storage_of
from tests.unit.drivers.libvirt_.test_live import WEB, Clock, Domain, adjust, error

HOSTILE = {
    "a line of ours": "cannot unplug\ndrift: none\n",
    "a line over a line": "cannot unplug\rin sync            ",
    "terminal": "\x1b[2J\x1b]0;in sync\x07\x9b2J",
    "direction": "\u202eenon :tfird\u2066",
    "separators": "a\u2028drift: none\u2029b\x85c\x0bd\x0ce\x1cf",
    "a command of a runner": "x\n::set-env name=PATH::/evil\n##[set-env name=A]b",
    "half a character": "\ud800",
    "NUL": "a\x00b",
    "huge JSON": json.dumps({"return": [{"host-name": "x" * 1000}] * 2000}),
    "deep JSON": "[" * 100_000,
    "nothing": "",
}
hostile = pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE.keys())


def is_one_line(text: str) -> bool:
    return text.isprintable() and len(text) < 1200 and "##[" not in text


# ------------------------------------------------------------------------------- nobody asks it

GUEST_CALLS = frozenset(
    {
        *("guestInfo", "hostname", "interfaceAddresses", "fsInfo", "fsFreeze", "fsThaw", "fsTrim"),
        *("getTime", "setTime", "guestVcpus", "setGuestVcpus", "setUserPassword", "memoryStats"),
        *("authorizedSSHKeysGet", "authorizedSSHKeysSet", "agentSetResponseTimeout"),
        *("qemuAgentCommand", "openConsole", "openChannel", "screenshot", "DHCPLeases"),
    }
)
GUEST_FLAGS = ("_AGENT", "_QUIESCE", "_VCPU_GUEST")


def questions_to_guests(source: str) -> Iterator[str]:
    """What asks a guest agent, a console, or who took which lease, in a module on libvirt."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and (
            node.attr in GUEST_CALLS or node.attr.endswith(GUEST_FLAGS)
        ):
            yield node.attr
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name == "libvirt_qemu")


def test_no_guest_is_asked_anything() -> None:
    product = Path(reconciler.__file__).parent
    sources = [path.read_text() for path in sorted(product.rglob("*.py"))]
    on_libvirt = [source for source in sources if "import libvirt" in source]
    assert len(on_libvirt) > 5
    assert [each for source in on_libvirt for each in questions_to_guests(source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "name = domain.hostname(0)",
        "import libvirt_qemu",
        "domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)",
        "flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE",
    ],
)
def test_a_question_to_a_guest_would_be_found(source: str) -> None:
    assert list(questions_to_guests(source))


# --------------------------------------------------------------------------- what a look believes

XML = """<domain type="kvm"><name>web</name><uuid>6af613b6-569c-5c22-9c37-2ed93f31d3af</uuid>
  <memory>{memory}</memory><currentMemory>{current}</currentMemory><devices>{devices}</devices>
  </domain>"""
STORED = XML.format(memory=4096, current=4096, devices="")


class Loud:
    """A connection with one running domain, whose guest answers hostile data to any question."""

    def __init__(self, live: str = STORED) -> None:
        self.live = live
        self.asked: list[str] = []
        self.never = threading.Event()
        self.hangs_at = ""

    def listAllDomains(self, flags: int) -> list[Loud]:
        on = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE | libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT
        return [self] if not flags or flags & on else []

    def lookupByName(self, _name: str) -> Loud:
        return self

    def UUIDString(self) -> str:
        return "6af613b6-569c-5c22-9c37-2ed93f31d3af"

    def isActive(self) -> int:
        return 1

    def state(self, _flags: int) -> tuple[int, int]:
        return libvirt.VIR_DOMAIN_RUNNING, 0

    def XMLDesc(self, flags: int) -> str:
        self._hang("look")
        return STORED if flags & libvirt.VIR_DOMAIN_XML_INACTIVE else self.live

    def shutdown(self) -> None:
        self._hang("shutdown")

    def close(self) -> None:
        return None

    def _hang(self, at: str) -> None:
        if at == self.hangs_at:
            self.never.wait(10)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(*_arguments: Any) -> Any:
            self.asked.append(name)
            return {"hostname": HOSTILE["a line of ours"], "addrs": 7}

        return answer


def port_of(guest: Any, clock: Clock | None = None, seconds: float = 20) -> LibvirtHypervisor:
    clock = clock or Clock()
    connection = LibvirtConnection(
        "virt1", "test:///", opener=lambda _uri: guest, deadline=timedelta(seconds=seconds)
    )
    patience = Patience(clock.sleep, clock.monotonic)
    return LibvirtHypervisor(connection, storage_of(), patience, domain_types={"kvm": "kvm"})


def look(guest: Any) -> DomainState:
    port = port_of(guest)
    try:
        (state,) = port.domains()
        return state
    finally:
        port.close()


def test_a_look_asks_no_guest() -> None:
    guest = Loud()
    assert look(guest).guest is None
    assert guest.asked == []


@pytest.mark.parametrize(
    "devices",
    [
        '<channel><target name="org.qemu.guest_agent.0" state="connected"/></channel>',
        '<channel><target name="drift: none" state="in sync"/></channel>',
        '<graphics type="vnc" port="-1"><listen address="drift: none"/></graphics>',
        f'<serial type="pty"><source path="{"x" * 100_000}"/></serial>',
    ],
    ids=["agent", "no agent", "screen", "console"],
)
def test_what_a_guest_does_to_its_channels_is_no_difference(devices: str) -> None:
    live = XML.format(memory=4096, current=4096, devices=devices)
    assert look(Loud(live)) == look(Loud())


@pytest.mark.parametrize("current", ["0", "1", "4095", "9" * 20])
def test_memory_a_guest_gives_back_or_keeps_is_only_the_guests(current: str) -> None:
    """Its driver says how much it has: that is drift of the guest, and never a definition."""
    state = look(Loud(XML.format(memory=4096, current=current, devices="")))
    assert state.definition == look(Loud()).definition
    assert state.guest == replace(state.definition, memory_bytes=int(current) * 1024)


@pytest.mark.parametrize(
    "live",
    [
        *(
            XML.format(memory=4096, current=each, devices="")
            for each in ("-1", "1e9", "", "true", "[]", "drift: none", "٤", "9" * 21)
        ),
        *(
            XML.format(memory=4096, current=1, devices=each)
            for each in HOSTILE.values()
            if "\x1b" in each
        ),
        XML.format(memory=4096, current=1, devices="<!--" + "x" * (1 << 20) + "-->"),
        XML.format(memory=4096, current=1, devices=f'<tpm a="{"x" * 100}" a=""/>'),
        "<!DOCTYPE d [<!ENTITY e 'drift: none'>]>" + STORED,
        "drift: none",
        "",
    ],
    ids=lambda text: repr(text[-60:]),
)
def test_numbers_and_texts_that_are_none_are_refused_on_one_line(live: str) -> None:
    with pytest.raises(Conflict) as caught:
        look(Loud(live))
    assert is_one_line(str(caught.value))
    assert str(caught.value).startswith("virt1: domains: the host sent ")


# --------------------------------------------------------------- what it brings libvirt to say


@hostile
@pytest.mark.parametrize("asked", ["attach", "detach", "setVcpusFlags"])
def test_what_a_guest_says_to_a_change_is_told_on_one_line(asked: str, said: str) -> None:
    data = Disk("data", "default", "web-data")
    have, want = {
        "attach": (WEB, replace(WEB, disks=(*WEB.disks, data))),
        "detach": (replace(WEB, disks=(*WEB.disks, data)), WEB),
        "setVcpusFlags": (WEB, replace(WEB, vcpus=1)),
    }[asked]
    domain = Domain(have, want)
    domain.refuses[asked] = lambda _argument: error(said)
    with pytest.raises(Conflict) as caught:
        adjust(domain)
    assert is_one_line(str(caught.value))
    assert str(caught.value).startswith("virt1: adjust guest web: ")


class Obstinate(Loud):
    """A guest that refuses to shut down, or says yes and does nothing; a host can cut it off."""

    def __init__(self, said: str | None = None) -> None:
        super().__init__()
        self.said = said
        self.is_on = True

    def isActive(self) -> int:
        return int(self.is_on)

    def shutdown(self) -> None:
        if self.said is not None:
            raise error(self.said, libvirt.VIR_ERR_AGENT_UNRESPONSIVE)

    def destroy(self) -> None:
        self.is_on = False


@hostile
def test_a_guest_that_cannot_be_asked_to_stop_is_cut_off_and_not_quoted(said: str) -> None:
    guest = Obstinate(said)
    port_of(guest).stop_domain("web")
    assert not guest.is_on


def test_a_guest_that_says_yes_and_runs_on_is_cut_off_at_the_deadline() -> None:
    guest, clock = Obstinate(), Clock()
    port_of(guest, clock).stop_domain("web")
    assert not guest.is_on
    assert clock.seconds == pytest.approx(120, abs=2)


@pytest.mark.parametrize(
    ("at", "ask"),
    [("look", lambda port: port.domains()), ("shutdown", lambda port: port.stop_domain("web"))],
    ids=["look", "shutdown"],
)
def test_a_guest_that_lets_us_wait_is_given_up_at_the_deadline(
    at: str, ask: Callable[[LibvirtHypervisor], object]
) -> None:
    guest = Loud()
    guest.hangs_at = at
    try:
        with pytest.raises(Unreachable, match=r"no answer within 0\.2 s") as caught:
            ask(port_of(guest, seconds=0.2))
        assert is_one_line(str(caught.value))
    finally:
        guest.never.set()


@hostile
def test_every_error_of_libvirt_is_one_line(said: str) -> None:
    def refuse(_connection: Any) -> None:
        raise error(said)

    connection = LibvirtConnection("virt1", "test:///", opener=lambda _uri: Loud())
    with pytest.raises(DriverError) as caught:
        connection.run("start domain web", refuse)
    connection.close()
    assert is_one_line(str(caught.value))


# --------------------------------------------------- what becomes of it in a whole turn of the loop

MACHINE = "production-web-1"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("S29"))
    scene.sync()
    return scene


class Quoting:
    """Ports whose hosts quote a guest, as it is, whenever its machine is to be started."""

    def __init__(self, ports: Any, said: str) -> None:
        self._ports, self._said = ports, said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ports, name)

    def hypervisor(self, host: str) -> Quoting:
        return Quoting(self._ports.hypervisor(host), self._said)

    def start_domain(self, name: str) -> None:
        raise Conflict("virt1", f"start domain {name}", self._said)


def with_guest(
    state: FarmState, guest: Callable[[DomainDefinition], DomainDefinition]
) -> FarmState:
    """The farm as it is, with a guest of its own mind in the machine."""
    hosts = dict(state.hosts)
    for name, host in state.hosts.items():
        if MACHINE in host.domains:
            domain: SimulatedDomain = host.domains[MACHINE]
            turned = replace(domain, running=True, runs_on=guest(domain.definition))
            hosts[name] = replace(host, domains={**host.domains, MACHINE: turned})
    return replace(state, hosts=hosts)


def kept(scene: Scene) -> tuple[Any, ...]:
    """What no guest may change: the branch, the definition, and every record."""
    servers = scene.farm.state.nameservers
    records = [zone.records for server in servers.values() for zone in server.zones.values()]
    return scene.origin.head("production"), scene.domain(MACHINE)[1].definition, records


def told(scene: Scene, report: Report) -> Iterator[str]:
    """What people read of it: the run and the last entry of the journal."""
    yield from map(str, report_lines(report))
    yield from scene.origin.messages("refs/heads/reconciler/production")[-1].splitlines()


# Half a character comes through no driver, as is shown above.
@pytest.mark.parametrize("kind", sorted(HOSTILE.keys() - {"half a character"}))
def test_a_guest_that_is_quoted_forges_no_line(scene: Scene, kind: str) -> None:
    before = kept(scene)
    by_hand.stop_domain(scene.farm, scene.domain(MACHINE)[0], MACHINE)  # it shut itself down
    ports: Any = Quoting(scene.farm, HOSTILE[kind])
    report = turn("production", replace(scene.site, ports=ports))
    assert [each.address.name for each in report.failed] == ["web-1"]
    lines = list(told(scene, report))
    assert all(line.isprintable() and "##[" not in line for line in lines)
    assert not any(line.strip().startswith(("drift: none", "in sync", "::")) for line in lines)
    assert kept(scene) == before
    assert not scene.keep().failed


@pytest.mark.parametrize(
    "lie",
    [
        {"title": "\x1b[2Jdrift: none\nname: evil.farm.internal"},
        {"memory_bytes": 1},
        {"vcpus": 1},
        {"interfaces": ()},
    ],
    ids=str,
)
def test_what_a_guest_has_is_never_what_is_wanted(scene: Scene, lie: dict[str, Any]) -> None:
    before = kept(scene)
    scene.farm.change(lambda state: with_guest(state, lambda has: replace(has, **lie)))
    report = scene.keep()
    assert all(line.isprintable() for line in told(scene, report))
    assert not report.failed
    assert kept(scene) == before
