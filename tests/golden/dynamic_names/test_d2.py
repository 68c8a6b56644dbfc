"""What D2, which sends names of clients, reads word for word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.golden.dynamic_names.dynamic_farms import FARMS, SECRET, written

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", FARMS)
def test_the_file_of_a_host(name: str, golden: Golden) -> None:
    golden(HERE / f"{name}.json", written(name))


@pytest.mark.skipif(shutil.which("kea-dhcp-ddns") is None, reason="D2 is not here; the lab has it")
@pytest.mark.parametrize("name", FARMS)
def test_d2_takes_it(name: str, tmp_path: Path) -> None:
    file = tmp_path / "d2.conf"
    file.write_text(written(name).replace("secret://dns/dhcp", SECRET))
    argv = ["env", "KEA_LOCKFILE_DIR=none", "kea-dhcp-ddns", "-t", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, done.stderr
