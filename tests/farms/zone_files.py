"""Zones as text: for people, as master files, and judged by BIND's own checker."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.ports.nameserver import Rules, Timers

POINTING = frozenset({"NS", "MX", "SRV"})
FAULTS = ("-k", "fail", "-M", "fail", "-S", "fail", "-n", "fail", "-r", "fail", "-m", "fail")


def told(spec: ZoneSpec) -> str:
    """One zone as one environment writes it."""
    head = f"zone {spec.name} on {spec.server}"
    lines = [head + (" (open)" if spec.open else "") + ("" if spec.timers else " (another's)")]
    lines += [f"  after {address}" for address in spec.after]
    if spec.timers:
        lines.append(f"  SOA {_soa(spec.timers, spec.serial)}")
    lines += _rules(spec.rules) if spec.rules else []
    lines += [f"  {record.name} {record.ttl_seconds} {record.type} {v}"
              for record in spec.records for v in record.values]  # fmt: skip
    return "\n".join(lines) + "\n"


def _rules(rules: Rules) -> list[str]:
    grants = [
        f"  grant {grant.holder} {grant.name}{' and below' if grant.below else ''}"
        f" {' '.join(grant.types)}".rstrip()
        for grant in rules.grants
    ]
    return [f"  serials {rules.serials}", *grants]


def combined(specs: Iterable[ZoneSpec]) -> Mapping[str, tuple[ZoneSpec, ...]]:
    """What several environments write into one zone, whoever has the authority first."""
    found: dict[str, list[ZoneSpec]] = defaultdict(list)
    for spec in specs:
        found[zone_address(spec.server, spec.name).name].append(spec)
    return {
        name: tuple(sorted(each, key=lambda spec: spec.timers is None))
        for name, each in found.items()
    }


def zone_file(specs: Sequence[ZoneSpec]) -> str:
    """The master file of a zone; every name is complete."""
    first = specs[0]
    assert first.timers is not None, f"nobody makes zone {first.name}"
    lines = [f"{first.name}. 0 IN SOA {_soa(first.timers, first.serial)}"]
    for record in sorted(record for spec in specs for record in spec.records):
        owner = f"{first.name}." if record.name == "@" else f"{record.name}.{first.name}."
        lines += [f"{owner} {record.ttl_seconds} IN {record.type} {v}" for v in record.values]
    return "\n".join(lines) + "\n"


def _soa(timers: Timers, serial: int) -> str:
    return (
        f"{timers.primary} {timers.contact} {serial} {timers.refresh_seconds} "
        f"{timers.retry_seconds} {timers.expire_seconds} {timers.negative_ttl_seconds}"
    )


def file_name(zone: str) -> str:
    """A zone's name as that of a file."""
    return f"{zone.replace('/', '=2F')}.zone"


def is_closed(specs: Sequence[ZoneSpec]) -> bool:
    """Whether all hosts that the zone points at are in it, so that all can be checked."""
    targets = {
        value.split()[-1]
        for spec in specs
        for record in spec.records
        if record.type in POINTING
        for value in record.values
    }
    return all(target.endswith(f".{specs[0].name}.") for target in targets)


def check_by_named(name: str, text: str, directory: Path, *, full: bool) -> None:
    """Let BIND judge a zone file; whatever it warns of is a fault."""
    path = directory / file_name(name)
    path.write_text(text, encoding="ascii")
    mode = "full" if full else "local"
    done = subprocess.run(
        ["named-checkzone", *FAULTS, "-i", mode, name, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    noise = [line for line in done.stdout.splitlines() if "warning" in line.lower()]
    assert not noise, done.stdout
