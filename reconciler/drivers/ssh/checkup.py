"""Ask a host how it is, with nothing but a shell: also one that has no python3 yet.

One command asks everything. What comes back is read by pure functions that believe nothing of it:
lines of a known form are taken, cut to a length, and the rest is as if it had not been said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import HOST_DIRECTORY, Shell
from reconciler.drivers.ssh.trial import first_sight
from reconciler.errors import Denied, DriverError, Unreachable
from reconciler.plan.checkup.observation import (
    HostFacts,
    HostKey,
    HostObservation,
    Manifest,
    Place,
    Room,
    Stage,
    Trouble,
)
from reconciler.plan.show.escape import visible

DEADLINE = timedelta(seconds=40)
LONGEST_VALUE = 300
MOST_LINES = 500
MOST_UNITS = 5
_LINE = re.compile(r"\A([a-z-]{1,20})(?: (.*))?\Z")
_VERSION = re.compile(r"\A[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}\Z", re.ASCII)
_WHOLE = re.compile(r"\A[0-9]{1,19}\Z", re.ASCII)
_TIME = re.compile(r"\A([0-9]{1,12})\.([0-9]{1,9})\Z", re.ASCII)

_ASK = r"""
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec 2>/dev/null
say() { printf '%s %s\n' "$1" "$(printf %s "$2" | tr '\n\r' '  ' | cut -c 1-300)"; }
place() { # name, path
    [ -e "$2" ] || [ -L "$2" ] || return 0
    say "$1" "$(stat -c '%a %U %F' -- "$2")"
}
say uid "$(id -u)"
[ ! -r /etc/os-release ] || say system "$(. /etc/os-release; echo "$ID $VERSION_ID")"
say systemd "$(timeout 5 systemctl is-system-running)"
for unit in $(timeout 5 systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1); do
    say failed "$unit"
done
say python "$(python3 -I -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')"
for tool in flock timeout sha256sum mktemp python3 qemu-img inotifywait; do
    command -v "$tool" >/dev/null || say missing "$tool"
done
if command -v virsh >/dev/null; then
    told=$(timeout 12 virsh -q -c qemu:///system version --daemon 2>&1) || say complaint "$told"
    say libvirt "$(printf '%s\n' "$told" | sed -n 's/^Running against daemon: //p')"
    say qemu "$(printf '%s\n' "$told" | sed -n 's/^Running hypervisor: //p')"
elif [ -S /run/libvirt/libvirt-sock ] || [ -S /run/libvirt/virtqemud-sock ]; then
    say complaint 'its socket is there, but no virsh to ask it with'
else
    say complaint 'there is no libvirt'
fi
emulator=$(command -v qemu-system-x86_64 || command -v kvm) &&
    say emulator "$("$emulator" --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')"
if [ -c /dev/kvm ]; then
    say kvm yes
elif grep -qwE 'vmx|svm' /proc/cpuinfo; then
    say kvm 'no: the processor can, but /dev/kvm is not there'
else
    say kvm 'no: the processor cannot, or its firmware does not let it'
fi
for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
    inode=$(stat -c %i -- "$lock") || continue
    holder=$(sed -n "s/^[0-9]*: POSIX .* WRITE \([0-9]*\) [0-9a-f:]*:$inode .*/\1/p" /proc/locks)
    for each in $holder; do say apt "$(tr '\0' ' ' <"/proc/$each/cmdline" | cut -c 1-60)"; done
done
[ -z "$(ls -A /var/lib/dpkg/updates)" ] || say dpkg interrupted
place directory "$1"
for file in base.json volumes.json; do
    [ -e "$1/$file" ] || continue
    sound=unknown
    if command -v python3 >/dev/null; then
        python3 -I -c 'import json, sys; json.load(open(sys.argv[1]))' "$1/$file" && sound=yes ||
            sound=no
    fi
    say manifest "$sound $(stat -c '%a %U %F' -- "$1/$file") $1/$file"
done
[ ! -f "$1/fence" ] || say fence "$(head -c 200 -- "$1/fence")"
systemctl -q is-active reconciler-switch.timer && say switch armed
shift
room() { say room "$(df -P -k -- "$2" | awk 'NR == 2 { print $2, $4, "K" }') $1"; }
room / /
while [ $# -ge 3 ]; do
    case $2 in
        directory) if [ -d "$3" ]; then room "$1" "$3"; else say room "- - K $1"; fi ;;
        lvm) say room "$(vgs --noheadings --nosuffix --units b -o vg_size,vg_free -- "$3" |
            awk 'NF == 2 { print $1, $2, "B"; found = 1 } END { if (!found) print "- - B" }') $1" ;;
        zfs) say room "$(zpool list -Hp -o size,free "${3%%/*}" |
            awk 'NF == 2 { print $1, $2, "B"; found = 1 } END { if (!found) print "- - B" }') $1" ;;
    esac
    shift 3
done
say end .
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A host as its document describes it. `pools` are their names, types and targets.

    `accelerator` is empty if it runs no guests.
    """

    host: str
    address: str
    accelerator: str
    pools: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """The time of day, and the time that passes."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


def examine(target: Target, access: Access, watch: Watch) -> HostObservation:
    """See how a host is. Nothing is changed there, and nothing raised: what fails is told."""
    seen = HostObservation(target.host, target.address, target.accelerator)
    ends = watch.monotonic() + DEADLINE.total_seconds()
    seconds = min(access.connect_deadline, DEADLINE).total_seconds()
    try:
        sight = first_sight(target.host, target.address, access, seconds)
    except DriverError as error:
        stage: Stage = "key" if isinstance(error, Denied) else "look"
        return replace(seen, trouble=Trouble(stage, error.cause))
    shown = f"{sight.kind} {sight.fingerprint}"
    key = HostKey(sight.verdict, shown, sight.line, str(access.known_hosts), sight.pinned)
    if sight.verdict != "pinned":
        return replace(seen, key=key)
    shell = Shell(target.host, target.address, access)
    try:
        return replace(seen, key=key, facts=ask(shell, target.pools, watch, ends))
    except DriverError as error:
        stage = "login" if isinstance(error, Denied) else "ask"
        return replace(seen, key=key, trouble=Trouble(stage, error.cause))
    finally:
        shell.close()


def ask(
    shell: Shell, pools: Sequence[tuple[str, str, str]], watch: Watch, ends: float
) -> HostFacts:
    """Ask everything over a shell, until the monotonic time `ends`.

    Raises:
        DriverError: it does not answer, or does not let us in.
    """

    def run(*argv: str) -> bytes:
        left = timedelta(seconds=max(ends - watch.monotonic(), 0.1))
        return shell.run(argv, deadline=left, operation="ask how it is").stdout

    run("true")  # so that the time it takes to connect is not taken for the clock's
    before = watch.now()
    told = run("date", "+%s.%N")
    after = watch.now()
    words = (word for pool in pools for word in pool)
    lines = read_answer(run("sh", "-c", _ASK, "reconciler", HOST_DIRECTORY, *words))
    if "end" not in lines:
        raise Unreachable(shell.host, "ask how it is", "it stopped in the middle of its answer")
    return facts_of(lines, clock_ahead(told, before, after), (after - before).total_seconds() / 2)


def read_answer(answer: bytes) -> Mapping[str, tuple[str, ...]]:
    """What was said, by its first word; what is not of the form is left out."""
    found: dict[str, list[str]] = {}
    for line in answer.decode("utf-8", "replace").split("\n")[:MOST_LINES]:
        match = _LINE.match(line[: LONGEST_VALUE + 50])
        if match and match[2]:
            found.setdefault(match[1], []).append(visible(match[2].strip()))
    return {key: tuple(values) for key, values in found.items()}


def clock_ahead(told: bytes, before: datetime, after: datetime) -> float | None:
    """By how many seconds the host's clock is ahead of ours, which was read before and after."""
    match = _TIME.match(told.decode("ascii", "replace").strip())
    if match is None:
        return None
    middle = before.timestamp() + (after - before).total_seconds() / 2
    return float(f"{match[1]}.{match[2]}") - middle


def facts_of(
    lines: Mapping[str, tuple[str, ...]], ahead: float | None = None, uncertain: float = 0.0
) -> HostFacts:
    """The lines as facts."""

    def one(key: str) -> str:
        return next((value for value in lines.get(key, ()) if value), "")

    kvm = one("kvm")
    qemu = one("qemu") or (f"QEMU {one('emulator')}" if one("emulator") else "")
    return HostFacts(
        is_root=one("uid") == "0",
        clock_ahead_seconds=ahead,
        clock_uncertain_seconds=uncertain,
        system=one("system"),
        systemd=one("systemd"),
        failed_units=lines.get("failed", ())[:MOST_UNITS],
        python=_version(one("python")),
        libvirt=one("libvirt"),
        libvirt_complaint=one("complaint"),
        qemu=qemu,
        has_kvm=kvm == "yes",
        kvm_reason=kvm.removeprefix("no: "),
        missing_tools=tuple(sorted(set(lines.get("missing", ())))),
        apt_holder=one("apt"),
        is_dpkg_interrupted=bool(one("dpkg")),
        directory=_place(one("directory")),
        manifests=tuple(_manifest(value) for value in lines.get("manifest", ())),
        fence=_fence(one("fence")),
        is_switch_armed=bool(one("switch")),
        rooms=tuple(room for value in lines.get("room", ()) if (room := _room(value))),
    )


def _version(text: str) -> tuple[int, ...] | None:
    return tuple(map(int, text.split("."))) if _VERSION.match(text) else None


def _place(text: str) -> Place:
    mode, owner, kind = _split(text, 3)
    return Place(kind, mode, owner) if kind else Place()


def _manifest(text: str) -> Manifest:
    sound, mode, owner, rest = _split(text, 4)
    kind, _, path = rest.rpartition(" ")
    readable = {"yes": True, "no": False}.get(sound)
    return Manifest(path, Place(kind, mode, owner), readable)


def _room(text: str) -> Room | None:
    size, free, unit, name = _split(text, 4)
    if not name or unit not in {"K", "B"}:
        return None
    factor = 1024 if unit == "K" else 1
    return Room(name, _times(size, factor), _times(free, factor))


def _times(text: str, factor: int) -> int | None:
    return int(text) * factor if _WHOLE.match(text) else None


def _split(text: str, parts: int) -> list[str]:
    """The words of a line, the last one with all that follows; empty where there are too few."""
    words = text.split(" ", parts - 1)
    return words + [""] * (parts - len(words))


def _fence(text: str) -> str:
    try:
        told = json.loads(text)
        return f"{str(told['holder'])[:40]}, as number {int(told['token'])}"
    except (ValueError, TypeError, KeyError):
        return text
