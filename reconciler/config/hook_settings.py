"""The operator's settings for what is served: the address, and one webhook per name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from reconciler.config.fields import OneLine
from reconciler.config.part import File, Part

HookKind = Literal[
    "github",
    "gitlab",
    "gitlab-signed",
    "gitea",
    "forgejo",
    "bitbucket-cloud",
    "bitbucket-server",
    "generic",
]
MOST_HOOKS = 64
LAST_PORT = 65535
LONGEST_SOCKET_PATH_BYTES = 107
_NAME = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_ADDRESS = re.compile(r"\A(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9a-fA-F:.]+)\]):(?P<port>[0-9]{1,5})\Z")
_UNIX = "unix:"
_FORMS = "write 127.0.0.1:8080, [::1]:8080 or unix:/run/reconciler/web.sock"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """An address and a port; port 0 lets the system choose one."""

    address: IPv4Address | IPv6Address
    port: int


def parse_listen(text: str) -> TcpAddress | Path:
    """What is listened on: an address and a port, or the path of a Unix socket.

    Raises:
        ValueError: it is neither, and what it may be.
    """
    if text.startswith(_UNIX):
        return _socket_path(text.removeprefix(_UNIX))
    match = _ADDRESS.match(text)
    try:
        found = match and TcpAddress(_address(match), int(match["port"]))
    except ValueError:
        found = None
    if not found or found.port > LAST_PORT:
        message = f"is no address to listen on; {_FORMS}"
        raise ValueError(message)
    return found


def _address(match: re.Match[str]) -> IPv4Address | IPv6Address:
    return IPv4Address(match["v4"]) if match["v4"] else IPv6Address(match["v6"])


def _socket_path(text: str) -> Path:
    if not text.startswith("/") or not text.isprintable() or text.endswith("/"):
        message = f"a Unix socket needs the whole path; {_FORMS}"
        raise ValueError(message)
    if len(text.encode()) > LONGEST_SOCKET_PATH_BYTES:
        message = f"the path of a Unix socket has at most {LONGEST_SOCKET_PATH_BYTES} bytes"
        raise ValueError(message)
    return Path(text)


def _listen(text: str) -> str:
    parse_listen(text)
    return text


def _hook_name(name: str) -> str:
    if _NAME.match(name) is None:
        message = "must be a name of a-z, 0-9 and -, at most 40 letters"
        raise ValueError(message)
    return name


def _few(hooks: Mapping[str, HookSettings]) -> Mapping[str, HookSettings]:
    if len(hooks) > MOST_HOOKS:
        message = f"must name at most {MOST_HOOKS}"
        raise ValueError(message)
    return hooks


Listen = Annotated[str, AfterValidator(_listen)]
HookName = Annotated[str, AfterValidator(_hook_name)]


class HookSettings(Part):
    """A webhook: who sends it, and what proves that."""

    kind: HookKind = Field(description="Who sends, and so how deliveries are signed. Not guessed.")
    secret_file: File = Field(
        description="The secrets that sign, one a line, in a file for its owner only. "
        "All of them count, so that a secret can be changed without a gap."
    )
    repository: OneLine | None = Field(
        None,
        min_length=1,
        description="Only deliveries about this repository count, such as `infra/farm`; else any.",
    )

    def at(self, directory: Path) -> HookSettings:
        """The same, with a relative path that starts at a directory."""
        return self.model_copy(update={"secret_file": directory / self.secret_file})


Hooks = Annotated[dict[HookName, HookSettings], AfterValidator(_few)]
