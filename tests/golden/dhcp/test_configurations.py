"""What Kea reads, word for word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.golden.dhcp.configurations import anywhere, configurations

HERE = Path(__file__).parent
CONFIGURATIONS = configurations()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_file_of_a_server(name: str, golden: Golden) -> None:
    golden(HERE / f"{name}.json", CONFIGURATIONS[name])


@pytest.mark.skipif(shutil.which("kea-dhcp4") is None, reason="Kea is not here; the lab has it")
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_kea_takes_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "kea.conf"
    file.write_text(anywhere(CONFIGURATIONS[name]))
    argv = ["env", "KEA_LOCKFILE_DIR=none", "kea-dhcp4", "-t", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, done.stderr
