"""Telling systemd how we are: ready, alive, stopping. Without systemd nothing is told.

The protocol is `sd_notify(3)`: a datagram per message to the socket named by NOTIFY_SOCKET.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Where to tell; an empty address tells nobody. `watched`: it wants to hear that we live."""

    address: str = ""
    watched: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Supervisor:
        """The supervisor that started this process, from what it put into the environment."""
        process = environment.get("WATCHDOG_PID", "")
        for_us = not process or process == str(os.getpid())
        return cls(environment.get("NOTIFY_SOCKET", ""), "WATCHDOG_USEC" in environment and for_us)

    def ready(self) -> None:
        """Everything is started."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The loop still turns; when this is not heard in time, the process is started anew."""
        if self.watched:
            self._tell("WATCHDOG=1")

    def _tell(self, message: str) -> None:
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
                channel.sendto(message.encode(), address)
        except OSError as error:
            _log.warning("the supervisor at %s cannot be told %s: %s", self.address, message, error)
