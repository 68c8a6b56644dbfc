"""`reconciler run` as a process of its own, and what it says."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
PROGRAM = "from reconciler.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Running:
    """The process, and its log as it comes."""

    process: subprocess.Popen[str]
    log: IO[str]

    def until(self, pattern: str) -> re.Match[str]:
        """Read on to the line that matches."""
        seen = []
        for line in self.log:
            seen.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError("".join(seen))


@contextmanager
def running(settings: Path) -> Iterator[Running]:
    """While inside, the loop runs; then it is told to stop, and must."""
    command = [sys.executable, "-c", PROGRAM, "--config", str(settings), "run"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield Running(process, process.stderr)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
    assert process.returncode == 0
