"""The file of a simulated farm, shared by processes: read when it changed, replaced whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reconciler.drivers.sharedfile import locked, replace_file
from reconciler.drivers.simulated.state import FarmState
from reconciler.drivers.simulated.store import Writer, load
from reconciler.errors import SettingsError

Signature = tuple[int, int, int]


class WorldFile:
    """One `world.yaml`. Writers take turns by a lock file beside it."""

    def __init__(self, path: Path, sleep: Callable[[float], None]) -> None:
        """Nothing is read yet."""
        self.path = path
        self._sleep = sleep
        self._writer = Writer()
        self._seen: Signature | None = None

    @property
    def has_changed(self) -> bool:
        """Whether somebody else has written it since we last read or wrote it."""
        return self._signature() != self._seen

    def read(self) -> FarmState:
        """What it says now.

        Raises:
            SettingsError: it cannot be read, or describes no farm.
        """
        signature = self._signature()
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(str(self.path), [f"it cannot be read: {error}"]) from error
        state = load(text, str(self.path))
        self._seen = signature
        return state

    def write(self, state: FarmState) -> None:
        """Replace it: whoever reads sees the old or the new, and nothing between, ever.

        Raises:
            SettingsError: it cannot be written; it is then as it was.
        """
        try:
            replace_file(self.path, self._writer.dump(state).encode())
        except OSError as error:
            raise SettingsError(str(self.path), [f"it cannot be written: {error}"]) from error
        self._seen = self._signature()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile.

        Raises:
            SettingsError: it cannot be locked, or another process does not let go of it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.path, self._sleep))
            except OSError as error:
                raise SettingsError(str(self.path), [f"it cannot be locked: {error}"]) from error
            yield

    def _signature(self) -> Signature | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
