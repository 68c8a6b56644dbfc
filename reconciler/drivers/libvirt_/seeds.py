"""Seeds: first boot data as a small ISO file system, which cloud-init's NoCloud source reads."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pycdlib

from reconciler.drivers.refusal import Refused
from reconciler.model.quantity import format_size
from reconciler.ports.hypervisor import Seed

LABEL = "cidata"
_INTERCHANGE, _JOLIET, _ROCK_RIDGE = 3, 3, "1.09"


def iso_of(seed: Seed, capacity_bytes: int) -> bytes:
    """The file system, filled up to the capacity. Twice the same seed is not twice the same bytes.

    Raises:
        Refused: it does not fit.
    """
    texts = {
        "meta-data": seed.meta_data,
        "user-data": seed.user_data,
        "network-config": seed.network_config,
    }
    made = _file_system({name: text.encode() for name, text in texts.items() if text})
    if len(made) > capacity_bytes:
        size = format_size(len(made))
        raise Refused(f"the first boot data takes {size}; give the seed more room")
    return made.ljust(capacity_bytes, b"\0")


def upload(connection: Any, volume: Any, content: bytes) -> None:
    """Make this the beginning of a volume's content."""
    stream, rest = connection.newStream(0), BytesIO(content)
    volume.upload(stream, 0, len(content), 0)
    try:
        stream.sendAll(lambda _stream, count, _rest: rest.read(count), None)
        stream.finish()
    except BaseException:
        stream.abort()
        raise


def _file_system(files: dict[str, bytes]) -> bytes:
    iso, written = pycdlib.PyCdlib(), BytesIO()
    iso.new(
        interchange_level=_INTERCHANGE,
        joliet=_JOLIET,
        rock_ridge=_ROCK_RIDGE,
        vol_ident=LABEL,
    )
    for name, content in files.items():
        iso.add_fp(
            BytesIO(content),
            len(content),
            f"/{name.upper().replace('-', '_')[:8]}.;1",
            rr_name=name,
            joliet_path=f"/{name}",
        )
    iso.write_fp(written)
    iso.close()
    return written.getvalue()
