"""Commands that hand over to another tool."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.drivers.ssh.onhost.host import Batch


def run_command(batch: Batch, name: str, argv: Sequence[str], seconds: int) -> None:
    """Run a command, which must succeed.

    Raises:
        Refused: it did not, there is no such program, or it took longer than that.
    """
    batch.must(*argv, what=f"run {name}", seconds=seconds)
