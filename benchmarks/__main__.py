"""Measure farms of 1,000 and 10,000 machines and print the figures as a table.

    python -m benchmarks [MACHINES ...] [--runs N]

Each figure is the median of the runs, each run a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from statistics import median
from typing import Any


def main() -> None:
    """Run every case and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("machines", nargs="*", type=int, default=[1000, 10_000])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    columns = {size: [_case(size) for _ in range(options.runs)] for size in options.machines}
    _print(columns, options.runs)


def _case(machines: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "benchmarks.case", str(machines), directory]
        finished = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(finished.stdout)
    return measured


def _print(columns: dict[int, list[dict[str, Any]]], runs: int) -> None:
    write = sys.stdout.write
    write(f"Python {platform.python_version()}, {os.cpu_count()} cores, median of {runs} runs\n\n")
    write("| | " + " | ".join(f"{size:,} machines" for size in columns) + " |\n")
    write("|---|" + "---|" * len(columns) + "\n")
    for name in next(iter(columns.values()))[0]["seconds"]:
        cells = [
            f"{median(run['seconds'][name] for run in each):.3f} s" for each in columns.values()
        ]
        write(f"| {name} | " + " | ".join(cells) + " |\n")
    peaks = [f"{median(run['peak_mib'] for run in each):.0f} MiB" for each in columns.values()]
    write("| peak memory of the whole | " + " | ".join(peaks) + " |\n")


if __name__ == "__main__":
    main()
