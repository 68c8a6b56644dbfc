"""The DHCP server Kea of a host: its file, its control socket, and who may read what.

The server runs as an account that may not write its own file, as Debian has it: so it is asked by
the socket what it does now, and the file, which it reads when it starts, is changed beside it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time

from reconciler.drivers.ssh.onhost.paths import open_file, open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Config = dict[str, Any]

CONFIG = "/etc/kea/kea-dhcp4.conf"
SOCKET = "/run/kea/kea4-ctrl-socket"  # Debian's
TOP = "Dhcp4"
SECONDS = 15.0
_LINKS, _SOCKETS = "/sys/class/net", "/proc/net/packet"
_MOST_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 16
# A text is matched first, so that what looks like a comment in it is none. What has no end goes to
# the end of the file, and is an error there: to look for another beginning would take for ever.
_TEXT = r'("[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z))'
_COMMENTS = re.compile(rf"{_TEXT}|//[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMAS = re.compile(rf"{_TEXT}|,(?=\s*[\]}}])", re.DOTALL)  # which Kea lets pass


class Silent(Exception):
    """The server runs perhaps, and does not say what it is asked."""


class Broken(Exception):
    """The file of the server is none that we could change."""


def file_text(root: str = "/") -> str | None:
    """What the file of the server says; None without one.

    Raises:
        Broken: it is no text.
        OSError, Untrusted: it cannot be read.
    """
    try:
        directory, name = open_parent(CONFIG, root)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        with os.fdopen(open_file(directory, name), "rb") as file:
            return file.read(_MOST_BYTES).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise Broken(f"{CONFIG} is no text in UTF-8") from None
    finally:
        os.close(directory)


def config_of(text: str) -> Config:
    """What a file of Kea says of DHCP, without its comments.

    Raises:
        Broken: it cannot be read, or is put together of several files.
    """
    plain = _LAST_COMMAS.sub(r"\1", _COMMENTS.sub(r"\1", text))
    if "<?include" in plain:
        raise Broken(f"{CONFIG} includes other files: put them all into it")
    try:
        config = json.loads(plain)[TOP]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Broken(f"{CONFIG} cannot be read ({type(error).__name__}: {error})") from None
    if not isinstance(config, dict):
        raise Broken(f"{CONFIG} has no {TOP}")
    return config


def is_plain(text: str) -> bool:
    """Whether a file is nothing but JSON, so that nothing is lost when it is written anew."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def text_of(config: Config) -> str:
    """A file for Kea."""
    return json.dumps({TOP: config}, indent=2, ensure_ascii=False) + "\n"


def socket_of(config: Config) -> str | None:
    """The path of the control socket; None if the server has none."""
    sockets = [config.get("control-socket"), *(config.get("control-sockets") or ())]
    for each in sockets:
        if isinstance(each, dict) and each.get("socket-type") == "unix":
            path = each.get("socket-name") or ""
            return path if path.startswith("/") else f"/run/kea/{path}"
    return None


def command(path: str, name: str, arguments: Any = None, seconds: float = SECONDS) -> Any:
    """The answer of the server: `arguments`, or what it says; None if nobody listens there.

    Raises:
        Silent: it did not answer in time, or not in words that can be understood.
        ValueError: it says no, with its reason.
    """
    asked = {"command": name} if arguments is None else {"command": name, "arguments": arguments}
    try:
        said = _exchange(path, json.dumps(asked).encode(), time.monotonic() + seconds)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise Silent(f"kea-dhcp4 does not answer at {path} ({error.strerror or error})") from None
    try:
        answer = json.loads(said)
        result, text = answer["result"], str(answer.get("text", ""))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Silent(f"kea-dhcp4 answers nonsense at {path}") from None
    if result not in {0, 3}:  # 3: all well, and nothing found
        raise ValueError(text or f"result {result}")
    return answer.get("arguments", text)


def running(path: str | None, seconds: float = SECONDS) -> Config | None:
    """What the server does now; None if it does not run.

    Raises:
        Silent: it does not say.
    """
    if path is None:
        return None
    try:
        told = command(path, "config-get", seconds=seconds)
    except ValueError as error:
        raise Silent(f"kea-dhcp4 does not tell its configuration: {error}") from None
    if told is None:
        return None
    if not isinstance(told, dict) or not isinstance(told.get(TOP), dict):
        raise Silent("kea-dhcp4 does not tell its configuration")
    config: Config = told[TOP]
    return config


def is_there(interface: str, root: str = "/") -> bool:
    """Whether the host has an interface."""
    return os.path.exists(f"{root.rstrip('/')}{_LINKS}/{interface}")  # noqa: PTH110 (slow to import)


def listens(config: Config, path: str, interface: str, root: str = "/") -> bool:
    """Whether the server that runs hears what is said on an interface.

    Where that was made anew it does not, whatever its configuration says. Into which nothing is
    plugged, nobody says anything there.
    """
    if not is_there(interface, root):
        return False
    index, carrier, sockets = (
        (_read(f"{root.rstrip('/')}{each}") or "").strip()
        for each in (f"{_LINKS}/{interface}/ifindex", f"{_LINKS}/{interface}/carrier", _SOCKETS)
    )
    kind = (config.get("interfaces-config") or {}).get("dhcp-socket-type", "raw")
    if kind != "raw" or carrier != "1" or not sockets:
        return True
    account = str(os.stat(path).st_uid)  # noqa: PTH116 (pathlib is slow to import)
    rows = (line.split() for line in sockets.splitlines())
    return any(row[4:5] == [index] and row[7:8] == [account] for row in rows)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (as above)
            return file.read(_MOST_BYTES)
    except OSError:  # of an interface that is down the kernel tells no carrier
        return None


def _exchange(path: str, asked: bytes, ends: float) -> bytes:
    """Say something and hear all of the answer, all together before a moment."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        _until(stream, ends)
        stream.connect(path)
        left = memoryview(asked)
        while left:
            _until(stream, ends)
            left = left[stream.send(left[:_CHUNK_BYTES]) :]
        said = bytearray()
        while len(said) <= _MOST_BYTES:
            _until(stream, ends)
            chunk = stream.recv(_CHUNK_BYTES)
            if not chunk:
                return bytes(said)
            said += chunk
    raise OSError("its answer has no end")


def _until(stream: socket.socket, ends: float) -> None:
    left = ends - time.monotonic()
    if left <= 0:
        raise OSError("not in time")
    stream.settimeout(left)
