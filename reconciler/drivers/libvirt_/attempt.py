"""A volume that is being made: marked as such before it is there, and gone if it is not kept."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import libvirt

from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.pools import find
from reconciler.drivers.refusal import Refused
from reconciler.errors import DriverError


class Attempt:
    """One volume. Whatever is left when its `with` ends without `keep` is deleted.

    Should that not be possible either (the host is lost), its mark still tells that it is not
    whole.
    """

    def __init__(self, manifest: Manifest, begun: datetime, pool: Any, name: str) -> None:
        """The name must never have been used before."""
        self.name = name
        self._manifest = manifest
        self._begun = begun
        self._pool = pool
        self._key = f"{pool.name()}/{name}"
        self._is_kept = False

    def __enter__(self) -> Self:
        self._manifest.write(self._key, Mark(begun=self._begun))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_kept:
            return
        with suppress(libvirt.libvirtError, Refused, DriverError):
            if (left := find(self._pool, self.name)) is not None:
                left.delete(0)
            self._manifest.forget(self._key)

    def make(self, xml: str, origin: Any = None) -> Any:
        """Make it, empty or from another volume."""
        if origin is None:
            return self._pool.createXML(xml, 0)
        return self._pool.createXMLFrom(xml, origin, 0)

    def keep(self, checksum: str) -> None:
        """It is whole: from now on it is the image with this checksum."""
        self._manifest.write(self._key, Mark(content=checksum))
        self._is_kept = True
