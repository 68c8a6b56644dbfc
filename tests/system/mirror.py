"""The way of a lab host, which does not reach the Internet, to the mirror of its packages."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.system.lab import LabHost, eventually

PORT = 3142
PROXY = f'Acquire::http::Proxy "http://127.0.0.1:{PORT}";\n'


def mirror_of(host: LabHost) -> str:
    """The name of the mirror that the host itself would ask."""
    sources = host.run("cat", "/etc/apt/sources.list")
    found = re.search(r"^deb http://([^/\s]+)/", sources, re.MULTILINE)
    assert found
    return found[1]


@contextmanager
def to_the_mirror(host: LabHost) -> Iterator[None]:
    """While this lasts, `PROXY` in the host's apt configuration leads to its mirror through us."""
    tunnel = f"127.0.0.1:{PORT}:{mirror_of(host)}:80"
    *ssh, target = host._ssh()
    options = ("-N", "-o", "ExitOnForwardFailure=yes", "-R", tunnel)
    with subprocess.Popen([*ssh, *options, target]) as way:
        listening = ("sh", "-c", f"ss -Hltn sport = :{PORT} | grep -q {PORT}")
        try:
            eventually(lambda: host.attempt(*listening).code == 0 or None)
            yield
        finally:
            way.terminate()
