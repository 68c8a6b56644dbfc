"""A server that speaks as Kea does on its control socket, as far as we ask."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CAPTURED = Path(__file__).parent / "captured"
SUBNET = "10.213.8.0/24"


def captured() -> dict[str, Any]:
    """What Kea 2.2 told of Debian's sample of a file, with a subnet of ours besides."""
    config: dict[str, Any] = json.loads((CAPTURED / "kea-2.2-config-get.json").read_text())
    return config


def without_ours() -> dict[str, Any]:
    """The same before anything of ours was there."""
    config = captured()
    config["subnet4"] = config["subnet4"][:1]
    config["interfaces-config"] = {"interfaces": [], "re-detect": True}
    return config


@dataclass
class Kea:
    """What the server has, what it was asked, and what it thinks of a configuration."""

    path: str
    config: dict[str, Any]
    asked: list[str] = field(default_factory=list)
    refuses: Callable[[dict[str, Any]], str | None] = lambda _config: None
    drops: str = ""
    hangs: str = ""
    held: list[socket.socket] = field(default_factory=list)
    version: str = "2.2.0"

    def answer(self, command: str, arguments: Any) -> dict[str, Any]:
        """As Kea 2.2."""
        self.asked.append(command)
        if command == "version-get":
            more = {"extended": f"{self.version}\ntarball"}
            return {"result": 0, "text": self.version, "arguments": more}
        if command == "config-get":
            return {"result": 0, "arguments": {"Dhcp4": self.config}}
        if command not in {"config-test", "config-set"}:
            return {"result": 2, "text": f"'{command}' command not supported."}
        if reason := self.refuses(arguments["Dhcp4"]):
            return {"result": 1, "text": reason}
        if command == "config-set":
            self.config = arguments["Dhcp4"]
        return {"result": 0, "text": "Configuration successful."}


@contextmanager
def kea(config: dict[str, Any]) -> Iterator[Kea]:
    """A server that runs, with this configuration."""
    with TemporaryDirectory(prefix="kea-") as directory, socket.socket(socket.AF_UNIX) as listener:
        server = Kea(f"{directory}/socket", config)
        listener.bind(server.path)
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for stream in server.held:
                stream.close()


def _serve(listener: socket.socket, server: Kea) -> None:
    while True:
        try:
            stream, _ = listener.accept()
        except OSError:
            return
        asked = _request(stream)
        if asked["command"] == server.hangs:
            server.held.append(stream)
            continue
        with stream:
            if asked["command"] != server.drops:
                told = server.answer(asked["command"], asked.get("arguments"))
                stream.sendall(json.dumps(told).encode())


def _request(stream: socket.socket) -> Any:
    """All of a request, which ends where its JSON does."""
    said = b""
    while True:
        said += stream.recv(65536)
        try:
            return json.loads(said)
        except ValueError:
            continue
