"""What BIND, NSD and Knot read, word for word."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Golden
from tests.golden.nameservers.nameservers import SERVERS, farm, written

HERE = Path(__file__).parent
SECRET = re.compile(r"secret://[a-z]+/[a-z]+")
BIND = ("plain", "redundant", "views", "authoritative", "bind-files", "bind-files-views")
HOSTS = ("ns-1", "ns-2")


def texts(case: str, host: str) -> dict[str, str]:
    """The files of a host by the last part of their path."""
    files = written(farm(SERVERS[case]), host).files.values()
    return {spec.path.rpartition("/")[2]: spec.content for spec in files if spec.content}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("case", SERVERS)
def test_the_files_of_a_host(case: str, host: str, golden: Golden) -> None:
    found = texts(case, host)
    assert bool(found) == (host == "ns-1" or "ns-2" in SERVERS[case])
    for name, text in found.items():
        golden(HERE / case / host / name, text)


@pytest.mark.skipif(shutil.which("named-checkconf") is None, reason="named-checkconf is not here")
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("case", BIND)
def test_named_takes_them(case: str, host: str, tmp_path: Path) -> None:
    found = texts(case, host)
    if not found:
        return
    (tmp_path / "keys").write_text(SECRET.sub("c2VjcmV0c2VjcmV0", found["reconciler.keys"]))
    (tmp_path / "none.conf").write_text("// no zones\n")
    main = found["named.conf"].replace("/etc/bind/reconciler.keys", str(tmp_path / "keys"))
    main = main.replace("/var/cache/bind", str(tmp_path))
    main = main.replace("/etc/bind/named.conf.default-zones", str(tmp_path / "none.conf"))
    main = re.sub(r"/etc/bind/reconciler-zones[a-z-]*/\*.conf", str(tmp_path / "none.conf"), main)
    (tmp_path / "named.conf").write_text(main)
    argv = ["named-checkconf", str(tmp_path / "named.conf")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_secret_and_no_ciphertext_is_in_them() -> None:
    for case in SERVERS:
        for host in HOSTS:
            text = "".join(texts(case, host).values())
            assert "c2VjcmV0" not in text
            assert "ENC[" not in text
