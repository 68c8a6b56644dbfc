"""S18: a host that was sent a secret and puts it into an error of whatever kind is not repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.drivers.ssh.command import FENCED, Result
from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.switch import PATIENCE
from reconciler.errors import Conflict, DriverError, Unreachable
from reconciler.model.address import Address
from reconciler.model.secret import SealedSecret, SecretReference
from reconciler.ports.acts import PutFile
from reconciler.ports.machine import Safety

CANARY = "canary-7f3a"
SECRET = SealedSecret(SecretReference("db", "pass"), ("pass",), "ENC[x]", ("key",))
PUT = PutFile("/srv/conf", "p = secret://db/pass\n", "0600", "root", "root", (SECRET,))
CONCERNS = ((Address("file", "srv-conf", "virt1"), "digest"),)
SAFETY = Safety((), (), CONCERNS, -PATIENCE)  # so that nobody waits for the host to come back


class Host:
    """A way to a host that answers everything with one thing."""

    host, directory = "virt1", "/var/lib/reconciler"

    def __init__(self, answer: Callable[[], Result]) -> None:
        self._answer = answer

    def run(self, argv: Any, **options: Any) -> Result:
        del options
        return Result(0, b"", b"") if argv == ["true"] else self._answer()

    def close(self) -> None:
        """Nothing is open."""


def refused() -> Result:
    raise Conflict("virt1", "change its base", f"(exit {FENCED}) the content {CANARY} is strange")


def lost() -> Result:
    raise Unreachable("virt1", "change its base", f"the connection broke ({CANARY})")


def failed() -> Result:
    return Result(1, b"", f"ValueError: {CANARY}".encode())


@pytest.mark.parametrize("safety", [None, SAFETY], ids=["plain", "guarded"])
@pytest.mark.parametrize("answer", [refused, lost, failed])
def test_no_error_repeats_a_secret(answer: Callable[[], Result], safety: Safety | None) -> None:
    shell: Any = Host(answer)
    machine = SshMachine(shell, lambda _: CANARY)
    with pytest.raises(DriverError) as caught:
        machine.do([PUT], safety=safety)
    assert CANARY not in str(caught.value)
    assert "virt1" in str(caught.value)
