"""Fetches an image into a spool, to be killed meanwhile: DIRECTORY URL CHECKSUM AUTHORITY."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from reconciler.ports.hypervisor import ImageSource
from tests.images.bench import spool_at, web_of

if __name__ == "__main__":
    directory, url, checksum, authority = sys.argv[1:]
    web = web_of(authority=Path(authority).read_text(encoding="ascii"))
    spool_at(Path(directory), web=web).fetch(ImageSource("debian-12", url, checksum))
