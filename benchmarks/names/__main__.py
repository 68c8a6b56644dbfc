"""Measure zones of 1,000, 10,000 and 100,000 records, octoDNS beside us, and print the tables.

    python -m benchmarks.names [RECORDS ...] [--host virt5] [--runs 3] [--lab .lab]

The lab must be up. named runs on one of its hosts at a port of its own, with a zone of the same
records for each tool. Tests that want the host wait meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.hypervisor import reach_of, taken
from benchmarks.names.named import Server, serving
from benchmarks.names.tools import OctoDns, Ours, Took, Tool

MIB_OF_TABLE = "{:,.0f} MiB"
QUIET = {  # what the daemon does when nothing has changed
    "look": "the daemon's look each second, at the serial",
    "quiet": "the daemon's turn, with that look",
    "audit": "the daemon's turn every five minutes, with a whole transfer",
}
BUSY = "the daemon's turn: 1 % changed"


def main() -> None:
    """Measure every size, and print its table as soon as it is known."""
    options = _options()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {_load()}", flush=True)
    print(f"median of {options.runs} runs\n", flush=True)
    secret = b64encode(os.urandom(32)).decode()
    zones = {f"{tool}{count}.internal": count for count in options.records for tool in "ot"}
    with ExitStack() as stack:
        stack.enter_context(taken(options.lab, options.host))
        server = stack.enter_context(serving(reach_of(options.lab, options.host), secret, zones))
        for count in options.records:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _size(count, server, directory, options.runs)
    print(f"load at the end {_load()}")


def _size(count: int, server: Server, directory: Path, runs: int) -> None:
    print(f"| {count:,} records | seconds | processor | memory |\n|---|---|---|---|", flush=True)
    peer = OctoDns(directory / "octodns", f"o{count}.internal", count, server)
    tool = Ours(directory / "ours", f"t{count}.internal", count, server)
    for each in (tool, peer):
        each.directory.mkdir(parents=True)
        each.install()
        each.write(0)
    tool.change()  # its zone becomes ours
    peer.look()  # and its modules are compiled
    figures = {each.name: _figures(each, runs) for each in (peer, tool)}
    warm = _warm(tool, runs)
    _print_ratios(figures[peer.name], figures[tool.name], warm)


def _figures(tool: Tool, runs: int) -> tuple[Took, Took]:
    """The medians of looks and of changes."""
    quiet = _median([tool.look() for _ in range(runs)])
    _row(f"{tool.name}: nothing to do", quiet)
    busy = []
    for edition in range(1, runs + 1):
        tool.write(edition)
        busy.append(tool.change())
    changes = _median(busy)
    _row(f"{tool.name}: 1 % changed", changes)
    return quiet, changes


def _warm(tool: Ours, runs: int) -> dict[str, Took]:
    argv = [sys.executable, "-m", "benchmarks.names.warm", str(tool.directory), tool.zone]
    argv += [str(tool.count), tool.server.address, str(runs), "100"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    told = {key: Took(*took) for key, took in json.loads(done.stdout).items()}
    for key, what in {**QUIET, "busy": BUSY}.items():
        _row(what, told[key])
    return told


def _print_ratios(
    peer: tuple[Took, Took], ours: tuple[Took, Took], warm: Mapping[str, Took]
) -> None:
    print("\n| beside octoDNS | seconds | processor | memory |\n|---|---|---|---|")
    _ratio("a process of its own: nothing to do", peer[0], ours[0])
    for key, what in QUIET.items():
        _ratio(what, peer[0], warm[key])
    _ratio("a process of its own: 1 % changed", peer[1], ours[1])
    _ratio(BUSY, peer[1], warm["busy"])
    print(flush=True)


def _ratio(what: str, theirs: Took, took: Took) -> None:
    seconds = f"{theirs.seconds / took.seconds:,.1f} times"
    cpu = f"{theirs.cpu_seconds / took.cpu_seconds:,.1f} times"
    memory = f"{took.peak_mib / theirs.peak_mib:.0%}"
    print(f"| {what} | {seconds} | {cpu} | {memory} |")


def _median(took: list[Took]) -> Took:
    return Took(
        median(each.seconds for each in took),
        median(each.cpu_seconds for each in took),
        median(each.peak_mib for each in took),
    )


def _row(what: str, took: Took) -> None:
    memory = MIB_OF_TABLE.format(took.peak_mib)
    print(f"| {what} | {took.seconds:.3f} s | {took.cpu_seconds:.3f} s | {memory} |", flush=True)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.names", description=__doc__)
    parser.add_argument("records", nargs="*", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--host", default="virt5")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lab", type=Path, default=Path(".lab"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
