"""Storage for tests: marks in memory, a clock that stands still, images that are there already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.manifest import Manifest, MemoryManifest
from reconciler.drivers.libvirt_.pools import named
from reconciler.drivers.libvirt_.storage import Command, Storage
from reconciler.drivers.refusal import Missing
from reconciler.ports.hypervisor import ImageSource

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def image_name(image: ImageSource) -> str:
    """What the volume with an image is called here."""
    return f"{image.name}.{image.checksum[:16]}"


def storage_of(
    manifest: Manifest | None = None,
    *,
    pool: str = "default",
    now: Callable[[], datetime] = lambda: NOON,
    command: Command | None = None,
) -> Storage:
    """Storage whose images are volumes of a pool: the test driver copies only within a pool."""

    def image(connection: Any, source: ImageSource) -> Any:
        try:
            return named(connection, pool, image_name(source))
        except Missing as missing:
            raise Missing(f"image {source.name} is not on the host: {missing}") from None

    return Storage(manifest or MemoryManifest(), image, now, command)


class SharedConnection:
    """One connection for all who open it: a test driver's host lasts as long as its connection."""

    def __init__(self, uri: str) -> None:
        self._raw = libvirt.open(uri)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def listAllNetworks(self, flags: int) -> list[Any]:
        return [TestNetwork(each) for each in self._raw.listAllNetworks(flags)]

    def networkLookupByName(self, name: str) -> Any:
        return TestNetwork(self._raw.networkLookupByName(name))

    def networkDefineXML(self, text: str) -> Any:
        return TestNetwork(self._raw.networkDefineXML(text))

    def close(self) -> None:
        """Leave it open for the others."""


class TestNetwork:
    """A network of a test driver, which knows of no other definition than that which runs."""

    __test__ = False  # it is none

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def XMLDesc(self, flags: int) -> str:
        del flags
        text: str = self._raw.XMLDesc(0)
        return text
