"""Judge what a checkup saw of a host."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.quantity import parse_size
from reconciler.plan.checkup.finding import Finding, Level
from reconciler.plan.checkup.observation import (
    HostFacts,
    HostKey,
    HostObservation,
    Room,
    Stage,
    Trouble,
)

SKEW_WARN_SECONDS, SKEW_BAD_SECONDS = 2.0, 30.0
OLDEST_PYTHON = (3, 9)
FREE_WARN_PERCENT = 5
FREE_WARN_BYTES, FREE_BAD_BYTES = parse_size("2 GiB"), parse_size("256 MiB")
OF_GUESTS = ("qemu-img",)  # tools that nothing else needs
STATE_DIRECTORY = "/var/lib/reconciler"
_CONSOLE = "on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
_BOOTSTRAP = "run reconciler host bootstrap {host}, or install {what} there"
_STAGES: dict[Stage, tuple[str, str]] = {
    "look": (
        "address",
        "see that it runs, that its Host document has the right address, and that ssh gets through",
    ),
    "key": ("host key", "see that the known_hosts file of the settings can be read"),
    "login": (
        "access",
        "add our public key to its authorized_keys, or run reconciler host bootstrap {host}",
    ),
    "ask": ("answers", "log in by hand and see what keeps it from running commands"),
}


def judge_host(seen: HostObservation) -> Iterator[Finding]:
    """Every finding about one host, in the order in which it has to be mended."""
    if seen.trouble is None or seen.trouble.stage != "look":
        yield Finding(seen.host, "address", Level.OK, f"ssh answers at {seen.address}")
    if seen.key is not None:
        yield _host_key(seen.host, seen.key)
    if seen.trouble is not None:
        yield _trouble(seen.host, seen.trouble)
    if seen.facts is not None:
        yield from _judge_facts(seen, seen.facts)


def _host_key(host: str, key: HostKey) -> Finding:
    if key.verdict == "pinned":
        return Finding(host, "host key", Level.OK, f"it is the pinned one, {key.shown}")
    if key.verdict == "unknown":
        return Finding(
            host,
            "host key",
            Level.BAD,
            f"{key.file} has none for it; it shows {key.shown}",
            f"compare that {_CONSOLE}; then add the line {key.line}",
        )
    return Finding(
        host,
        "host key",
        Level.BAD,
        f"it shows {key.shown}, but {key.file} pins {', '.join(key.pinned)}: somebody may be in "
        "between, or it was installed anew",
        f"compare {_CONSOLE}; if it is right, replace the line by {key.line}",
    )


def _trouble(host: str, trouble: Trouble) -> Finding:
    name, remedy = _STAGES[trouble.stage]
    return Finding(host, name, Level.BAD, trouble.cause, remedy.format(host=host))


def _judge_facts(seen: HostObservation, facts: HostFacts) -> Iterator[Finding]:
    yield _access(seen.host, facts)
    yield _clock(seen.host, facts)
    yield _systemd(seen.host, facts)
    yield _python(seen.host, facts)
    if seen.accelerator:
        yield from _libvirt(seen.host, facts)
        yield _kvm(seen, facts)
    yield _tools(seen, facts)
    yield _packages(seen.host, facts)
    yield _directory(seen.host, facts)
    yield from _marks(seen.host, facts)
    for room in facts.rooms:
        yield _room(seen.host, room)


def _access(host: str, facts: HostFacts) -> Finding:
    if facts.is_root:
        return Finding(host, "access", Level.OK, f"it lets us in as root ({facts.system})")
    return Finding(
        host,
        "access",
        Level.BAD,
        "it lets us in, but not as root",
        "set hosts.user to root, or give that account the user id 0",
    )


def _clock(host: str, facts: HostFacts) -> Finding:
    ahead = facts.clock_ahead_seconds
    if ahead is None:
        return Finding(host, "clock", Level.WARN, "it does not tell its time", "run date there")
    off = max(abs(ahead) - facts.clock_uncertain_seconds, 0)
    side = "ahead of" if ahead > 0 else "behind"
    text = f"it is {abs(ahead):.1f} s {side} ours"
    if off <= SKEW_WARN_SECONDS:
        return Finding(host, "clock", Level.OK, text)
    level = Level.WARN if off <= SKEW_BAD_SECONDS else Level.BAD
    text += "; certificates, logs and packages go by it"
    return Finding(host, "clock", level, text, "see that chrony or ntp runs there, and here")


def _systemd(host: str, facts: HostFacts) -> Finding:
    state = facts.systemd or "not there"
    if state == "running":
        return Finding(host, "systemd", Level.OK, "it runs")
    if state in {"degraded", "starting", "initializing", "maintenance", "stopping"}:
        failed = f" ({', '.join(facts.failed_units)} failed)" if facts.failed_units else ""
        remedy = "see systemctl --failed there"
        return Finding(host, "systemd", Level.WARN, f"its state is {state}{failed}", remedy)
    return Finding(
        host,
        "systemd",
        Level.BAD,
        f"its state is {state}; services cannot be managed",
        "boot the host with systemd",
    )


def _python(host: str, facts: HostFacts) -> Finding:
    oldest = ".".join(map(str, OLDEST_PYTHON))
    remedy = _BOOTSTRAP.format(host=host, what="python3")
    if facts.python is None:
        return Finding(host, "python", Level.BAD, "it has no python3, which looks run by", remedy)
    found = ".".join(map(str, facts.python))
    if facts.python < OLDEST_PYTHON:
        text = f"it has {found}, and at least {oldest} is needed"
        return Finding(host, "python", Level.BAD, text, "upgrade its system")
    return Finding(host, "python", Level.OK, f"it has {found}")


def _libvirt(host: str, facts: HostFacts) -> Iterator[Finding]:
    if facts.libvirt:
        qemu = f" with {facts.qemu}" if facts.qemu else ""
        yield Finding(host, "libvirt", Level.OK, f"libvirt {facts.libvirt} answers{qemu}")
    else:
        yield Finding(
            host,
            "libvirt",
            Level.BAD,
            facts.libvirt_complaint or "libvirt does not answer",
            "run systemctl status libvirtd there, or "
            + _BOOTSTRAP.format(host=host, what="libvirt-daemon-system"),
        )
    if not facts.qemu:
        yield Finding(
            host,
            "qemu",
            Level.BAD,
            "it has no QEMU, so it runs no guests",
            _BOOTSTRAP.format(host=host, what="qemu-system-x86"),
        )


def _kvm(seen: HostObservation, facts: HostFacts) -> Finding:
    if facts.has_kvm:
        return Finding(seen.host, "kvm", Level.OK, "it can accelerate guests")
    if seen.accelerator != "kvm":
        return Finding(seen.host, "kvm", Level.OK, "it is not there, and not asked for")
    return Finding(
        seen.host,
        "kvm",
        Level.BAD,
        facts.kvm_reason or "there is no /dev/kvm",
        "switch virtualization on in its firmware and load kvm_intel or kvm_amd, or write "
        "accelerator: qemu in its Host document, which is slow",
    )


def _tools(seen: HostObservation, facts: HostFacts) -> Finding:
    host, unused = seen.host, () if seen.accelerator else OF_GUESTS
    lacking = tuple(each for each in facts.missing_tools if each not in unused)
    if not lacking:
        return Finding(host, "tools", Level.OK, "all programs that we run are there")
    missing = ", ".join(lacking)
    only_watching = lacking == ("inotifywait",)
    text = f"{missing} missing" + ("; changes by hand are seen later" if only_watching else "")
    remedy = _BOOTSTRAP.format(host=host, what="what has them")
    return Finding(host, "tools", Level.WARN if only_watching else Level.BAD, text, remedy)


def _packages(host: str, facts: HostFacts) -> Finding:
    if facts.is_dpkg_interrupted:
        text = "an installation was interrupted, and nothing can be installed before it is ended"
        return Finding(host, "packages", Level.WARN, text, "run dpkg --configure -a there")
    if facts.apt_holder:
        text = f"{facts.apt_holder} is installing; we would wait for it"
        return Finding(host, "packages", Level.WARN, text, "wait, or see what it is doing")
    return Finding(host, "packages", Level.OK, "nobody else is installing")


def _directory(host: str, facts: HostFacts) -> Finding:
    place = facts.directory
    if not place.is_there:
        text = f"{STATE_DIRECTORY} is not there; it is made when something is changed"
        return Finding(host, "state", Level.OK, text)
    if (place.kind, place.mode, place.owner) == ("directory", "700", "root"):
        return Finding(host, "state", Level.OK, f"{STATE_DIRECTORY} is for root only")
    return Finding(
        host,
        "state",
        Level.BAD,
        f"{STATE_DIRECTORY} is a {place.kind} of {place.owner} with mode {place.mode}; others "
        "may tell us lies through it",
        f"look what is in it; then chown root: {STATE_DIRECTORY} and chmod 700 {STATE_DIRECTORY}",
    )


def _marks(host: str, facts: HostFacts) -> Iterator[Finding]:
    for each in facts.manifests:
        if each.is_readable is False:
            yield Finding(
                host,
                "marks",
                Level.BAD,
                f"{each.path}, which tells what is ours there, cannot be read",
                "look at it; taken away, the next sync adopts what is declared and forgets the "
                "rest",
            )
        elif (each.place.mode, each.place.owner) != ("600", "root"):
            yield Finding(
                host,
                "marks",
                Level.BAD,
                f"{each.path} is of {each.place.owner} with mode {each.place.mode}",
                f"see who did that; then chmod 600 and chown root: {each.path}",
            )
    if facts.is_switch_armed:
        yield Finding(
            host,
            "switch",
            Level.WARN,
            "a change that may cut it off is being tried, and is taken back unless confirmed",
            "wait two minutes and look again",
        )
    holder = facts.fence or "nobody yet"
    yield Finding(host, "fence", Level.OK, f"last changed by {holder}")


def _room(host: str, room: Room) -> Finding:
    name = f"room {room.name}"
    if room.size_bytes is None or room.free_bytes is None:
        text, remedy = "it is not there", "a sync makes it, on what its Host document names"
        return Finding(host, name, Level.WARN, text, remedy)
    percent = 100 * room.free_bytes // max(room.size_bytes, 1)
    text = f"{_about(room.free_bytes)} of {_about(room.size_bytes)} free ({percent} %)"
    if room.free_bytes < FREE_BAD_BYTES:
        return Finding(host, name, Level.BAD, text, "make room; writing will fail")
    if percent < FREE_WARN_PERCENT or room.free_bytes < FREE_WARN_BYTES:
        return Finding(host, name, Level.WARN, text, "make room soon")
    return Finding(host, name, Level.OK, text)


def _about(size_bytes: int) -> str:
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB")):
        if size_bytes >= 1024**power:
            return f"{size_bytes / 1024**power:.1f} {unit}"
    return f"{size_bytes} B"
