"""libvirt's event loop: one for the process, without which it neither tells news nor keeps alive.

libvirt knows of one loop only, and wants it before the first connection is opened.
"""

from __future__ import annotations

import threading
from functools import cache

import libvirt


@cache
def start_event_loop() -> threading.Thread:
    """Run the loop from now on, in a thread that keeps no process from ending."""
    libvirt.virEventRegisterDefaultImpl()
    thread = threading.Thread(target=_run, name="libvirt-events", daemon=True)
    thread.start()
    return thread


def _run() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            continue  # what concerns one connection is told to that connection
