"""A name server of our own on a host of the lab: BIND, at its own port, with the zones measured."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.libvirt_host import Reach
from benchmarks.names.records import zone_file
from benchmarks.peer import ssh

PORT = 5355
KEY = "reconciler-production"
ROOM = "/var/tmp/bench-named"  # noqa: S108 - on a host of the lab, which only root uses
SECONDS = 60
_CONF = """\
key {key} {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{room}"; pid-file "{room}/pid"; session-keyfile none;
  listen-on port {port} {{ any; }}; listen-on-v6 {{ none; }};
  recursion no; allow-transfer {{ key {key}; }}; transfer-format many-answers;
}};
controls {{ }};
"""
_ZONE = """\
zone "{zone}" {{ type primary; file "{zone}.db"; update-policy {{ grant {key} zonesub ANY; }}; }};
"""
_BEGIN = f"rm -rf {ROOM} && mkdir {ROOM} && tar -x -C {ROOM} && named -c {ROOM}/named.conf"
_END = (
    f"test ! -e {ROOM}/pid || {{ kill $(cat {ROOM}/pid); "
    f"while test -e {ROOM}/pid; do sleep 0.1; done; }}; rm -rf {ROOM}"
)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the zones are, and the secret of the key that may read and change them."""

    address: str
    secret: str
    port: int = PORT


@contextmanager
def serving(reach: Reach, secret: str, zones: Mapping[str, int]) -> Iterator[Server]:
    """While this lasts, the host serves zones with so many records each.

    Raises:
        RuntimeError: it does not.
    """
    address = str(reach.address)
    conf = _CONF.format(key=KEY, secret=secret, room=ROOM, port=PORT)
    files = {"named.conf": conf + "".join(_ZONE.format(zone=zone, key=KEY) for zone in zones)}
    for zone, count in zones.items():
        files[f"{zone}.db"] = "".join(zone_file(zone, count, address))
    _on(reach, _END)
    try:
        _on(reach, _BEGIN, _archive(files))
        _await(address, list(zones))
        yield Server(address, secret)
    finally:
        _on(reach, _END)


def _archive(files: Mapping[str, str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return archive.getvalue()


def _await(address: str, zones: Sequence[str]) -> None:
    ends = time.monotonic() + SECONDS
    for zone in zones:
        argv = ["dig", "+tcp", "+short", "+tries=1", "+time=2", "-p", str(PORT), f"@{address}"]
        while not _said([*argv, zone, "SOA"]).strip():
            if time.monotonic() > ends:
                message = f"named does not serve {zone}"
                raise RuntimeError(message)
            time.sleep(0.2)


def _said(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout


def _on(reach: Reach, command: str, stdin: bytes = b"") -> None:
    subprocess.run([*ssh(reach), command], input=stdin, check=True, stdout=subprocess.DEVNULL)
