"""How a name server is reached, and the keys (TSIG, RFC 8945) that say in whose name."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.config.zone_fields import weakness

DEADLINE = timedelta(seconds=30)
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
SHORTEST_SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class Key:
    """What messages are signed with. `secret` is base64, as `tsig-keygen` writes it."""

    name: str
    algorithm: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what protects nothing; no message names the secret.

        Raises:
            ValueError: the algorithm is not one of `ALGORITHMS`, or the secret is none.
        """
        if reason := why_not(self.algorithm):
            raise ValueError(f"key {self.name}: {reason}")
        try:
            octets = b64decode(self.secret, validate=True)
        except ValueError:
            raise ValueError(f"key {self.name}: its secret is not base64") from None
        if len(octets) < SHORTEST_SECRET_BYTES:
            raise ValueError(
                f"key {self.name}: its secret has less than {SHORTEST_SECRET_BYTES} bytes; "
                "make one with tsig-keygen"
            )


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """The way to one view of one server.

    `name` is how errors call it. `key` reveals the key of an environment at the moment it is used;
    what it raises is passed on. `reader` is the environment with whose key the server is looked at.
    `view` is None if the server has no views; it tells by the key which one answers. The `deadline`
    holds for a whole look, and for each message of a change.
    """

    name: str
    address: str
    port: int
    key: Callable[[str], Key]
    reader: str
    view: str | None = None
    deadline: timedelta = DEADLINE


def why_not(algorithm: str) -> str | None:
    """Why messages cannot be signed with this algorithm; None if they can."""
    if algorithm.lower().removesuffix(".") in ALGORITHMS:
        return None
    reason = weakness(algorithm) or "it is not known here"
    return f"{algorithm} is refused: {reason}; use one of {', '.join(ALGORITHMS)}"
