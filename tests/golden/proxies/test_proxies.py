"""What nginx reads, word for word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.render.network.proxies import sites_file
from tests.conftest import Golden
from tests.golden.proxies.proxies import PROXIES, proxied

HERE = Path(__file__).parent
FIRST = "{name}; error_log stderr; pid {root}/pid; events {{}}\nhttp {{ include {sites}; }}\n"


def written(name: str) -> str:
    farm = proxied(name)
    spec = sites_file(farm, farm.hosts["virt1"])
    assert spec is not None
    assert spec.content is not None
    return spec.content


@pytest.mark.parametrize("name", PROXIES)
def test_the_sites_of_a_host(name: str, golden: Golden) -> None:
    golden(HERE / f"{name}.conf", written(name))


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here; the lab has it")
@pytest.mark.parametrize("name", sorted(PROXIES.keys() - {"secure"}))
def test_nginx_takes_them(name: str, tmp_path: Path) -> None:
    sites, main = tmp_path / "sites.conf", tmp_path / "nginx.conf"
    sites.write_text(written(name))
    main.write_text(FIRST.format(name="daemon off", root=tmp_path, sites=sites))
    argv = ["nginx", "-q", "-t", "-e", "stderr", "-c", str(main)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, done.stderr
