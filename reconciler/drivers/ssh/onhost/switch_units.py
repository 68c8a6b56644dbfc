"""The systemd units that hold the time of a change on trial, and take it back at a boot.

They stay on the host. Without a change on trial they do nothing. There are two services for one
program: what is ordered before sshd, as a boot needs it, cannot wait for a restart of sshd.
"""

from __future__ import annotations

import os

from reconciler.drivers.ssh.onhost.switch_site import (
    ARMED,
    FIRING,
    QUICK_SECONDS,
    SLOW_SECONDS,
    sync_directory,
    write_whole,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.drivers.ssh.onhost.switch_site import Site

NAME = "reconciler-switch"
BOOT = f"{NAME}-boot"
ARCHIVE = "restore.pyz"
_UNITS = "/etc/systemd/system"
_WANTS = f"{_UNITS}/sysinit.target.wants"

# At a boot: before all that reads what is put back, and with no dependency that could keep it from
# running. The same units each time, so that systemd need not read them anew.
_READERS = (
    "firewalld.service netfilter-persistent.service networking.service NetworkManager.service "
    "nftables.service openvswitch-switch.service ssh.service ssh.socket sshd.service "
    "systemd-networkd.service systemd-sysctl.service ufw.service"
)
_BOOT_ORDER = """\
DefaultDependencies=no
RequiresMountsFor={directory}
After=systemd-remount-fs.service
Wants=network-pre.target
Before=network-pre.target {before} shutdown.target
Conflicts=shutdown.target
"""
_SERVICE = """\
[Unit]
Description=Take back a change that cut this host off
{order}ConditionPathExists=|{directory}/{armed}
ConditionPathExists=|{directory}/{firing}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={python} -I -S {directory}/{archive} {home}
TimeoutStartSec=300
Restart=on-failure
RestartSec=5
"""
_TIMER = """\
[Unit]
Description=Take back a change that cut this host off, unless it is confirmed

[Timer]
OnActiveSec={seconds:.1f}
AccuracySec=100ms
"""


def install(site: Site, services: Iterable[str], seconds: float, python: str) -> None:
    """Let the units be those that this change needs, in systemd's eyes too.

    Raises:
        OSError: there is no room for them, or systemd refuses.
    """
    directory = site.directory[len(site.root) :]
    before = " ".join(sorted({*_READERS.split(), *services}))
    files = {
        f"{NAME}.timer": _TIMER.format(seconds=seconds),
        f"{NAME}.service": _service(directory, python, ""),
        f"{BOOT}.service": _service(
            directory, python, _BOOT_ORDER.format(directory=directory, before=before)
        ),
    }
    is_new = [_put(site, f"{_UNITS}/{name}", text) for name, text in files.items()]
    if any([*is_new, _enable(site)]):
        _systemctl(site, SLOW_SECONDS, "daemon-reload")


def _service(directory: str, python: str, order: str) -> str:
    return _SERVICE.format(
        order=order,
        directory=directory,
        home=directory.rpartition("/")[0],
        armed=ARMED,
        firing=FIRING,
        python=python,
        archive=ARCHIVE,
    )


def _put(site: Site, path: str, text: str) -> bool:
    real = site.root + path
    try:
        with open(real, encoding="utf-8") as file:  # noqa: PTH123
            if file.read() == text:
                return False
    except FileNotFoundError:
        pass
    write_whole(real, text.encode(), 0o644, None)
    return True


def _enable(site: Site) -> bool:
    """Have the service started at each boot. A link by hand costs a tenth of `systemctl enable`."""
    link = f"{site.root}{_WANTS}/{BOOT}.service"
    if os.path.lexists(link):
        return False
    os.makedirs(site.root + _WANTS, exist_ok=True)  # noqa: PTH103
    os.symlink(f"{_UNITS}/{BOOT}.service", link)  # noqa: PTH211
    sync_directory(site.root + _WANTS)
    return True


def start_timer(site: Site) -> None:
    """Let the time begin, and make sure that it runs.

    Raises:
        OSError: it does not.
    """
    _systemctl(site, QUICK_SECONDS, "restart", f"{NAME}.timer")
    if not runs(site):
        raise OSError(f"{NAME}.timer was started and does not run")


def runs(site: Site) -> bool:
    """Whether the time is running."""
    argv = ["systemctl", "show", "--property=ActiveState,SubState", "--value", f"{NAME}.timer"]
    code, output = site.run(argv, b"", QUICK_SECONDS)
    return not code and output.split() == ["active", "waiting"]


def stop_timer(site: Site) -> None:
    """Nothing is on trial any more. If that fails it goes off and finds nothing to do."""
    site.run(["systemctl", "stop", f"{NAME}.timer"], b"", QUICK_SECONDS)


def take_back_now(site: Site) -> None:
    """Take the change on trial back and wait until that is done.

    It is systemd that runs it, so that there is one at a time and it outlives this connection.
    """
    site.run(["systemctl", "start", f"{NAME}.service"], b"", 2 * SLOW_SECONDS)


def _systemctl(site: Site, seconds: float, *words: str) -> None:
    code, output = site.run(["systemctl", *words], b"", seconds)
    if code:
        raise OSError(f"systemctl {' '.join(words)}: {' '.join(output.split())[:300]}")
