"""What rndc says about a zone, and what is no word about a zone at all."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.dns.control import Control
from reconciler.drivers.ssh.command import Result
from reconciler.errors import Conflict, NotFound


@dataclass
class Here:
    """A host whose commands are run on this machine."""

    directory: str
    host: str = "ns-1"

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        deadline: timedelta | None = None,
        exclusive: bool = False,
        operation: str = "",
    ) -> Result:
        del deadline, exclusive, operation
        ran = subprocess.run(list(argv), input=stdin, capture_output=True, check=False)
        return Result(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture
def control(tmp_path: Path) -> Control:
    """With a file of a zone, and no rndc."""
    home = tmp_path / "reconciler"
    home.mkdir()
    (home / "farm.db").write_text("x")
    return Control(Here(str(tmp_path)), rndc=("sh", "-c", "rndc-is-not-here"), directory=str(home))


def test_a_host_without_rndc_does_not_say_that_there_is_no_zone(control: Control) -> None:
    with pytest.raises(Conflict, match="not found"):
        control.rules("farm")


def test_a_host_without_rndc_loses_no_file_of_a_zone(control: Control, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="not found"):
        control.delete("farm")
    assert (tmp_path / "reconciler/farm.db").exists()


def test_a_zone_that_rndc_does_not_know_is_none(tmp_path: Path) -> None:
    said = "rndc: 'showzone' failed: not found\nno matching zone 'farm' in any view"
    rndc = ("sh", "-c", f'echo "{said}" >&2; exit 1')
    with pytest.raises(NotFound):
        Control(Here(str(tmp_path)), rndc=rndc).rules("farm")
