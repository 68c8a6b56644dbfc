"""Debian packages: installed, brought to a version, removed, held.

Nothing is removed that nobody spoke of, and a configuration that was changed by hand stays.
"""

from __future__ import annotations

import json
import os

from reconciler.drivers.ssh.onhost.host import Batch, Ran, Refused, shortened
from reconciler.drivers.ssh.onhost.state import OURS, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE_SECONDS = 900.0
UPDATE_SECONDS = 300.0
OLD_SECONDS = 24 * 3600.0
PAUSE_SECONDS = 60.0  # else each of many packages waits for a mirror that is gone
_LOCK_SECONDS = 120
_STAMP = "lists.json"
_APT = (
    "apt-get",
    "--yes",
    "--quiet",
    f"--option=DPkg::Lock::Timeout={_LOCK_SECONDS}",
    "--option=Dpkg::Options::=--force-confold",
    "--option=Dpkg::Use-Pty=0",
)
_INTERRUPTED = "dpkg was interrupted"
_NOT_FETCHED = "W: Failed to fetch"
# What apt-get says when its lists do not know what is asked for, or no longer where it is.
_UNKNOWN = ("Unable to locate package", "was not found", "no installation candidate", "Failed to f")


def install_package(batch: Batch, name: str, version: str | None = None) -> None:
    """Install a package, or bring it to a version; one that is right already stays as it is.

    Raises:
        Refused: it cannot be had, or others would have to go.
    """
    installed, is_held = _installed(batch, name)
    if installed is not None and version in {None, installed}:
        return
    missed = _refresh(batch)
    ran = _install(batch, name, version)
    if ran.code and missed is None and any(word in ran.stderr for word in _UNKNOWN):
        missed = _update(batch)
        ran = _install(batch, name, version)
    if ran.code:
        why = f" (the lists of packages could not be fetched: {missed})" if missed else ""
        raise Refused(f"cannot install {name}: {_complaint(ran)}{why}")
    if is_held and version:
        hold_package(batch, name, held=True)


def remove_package(batch: Batch, name: str) -> None:
    """Take a package away; its configuration stays.

    Raises:
        Refused: others would go with it.
    """
    if _installed(batch, name)[0] is None:
        return
    others = sorted(set(_removed(batch, name)) - {name.partition(":")[0]})
    if others:
        listed = ", ".join(others)
        raise Refused(f"{name} cannot go alone, {listed} would go too: declare them absent first")
    ran = _apt_get(batch, "remove", "--", name)
    if ran.code:
        raise Refused(f"cannot remove {name}: {_complaint(ran)}")


def hold_package(batch: Batch, name: str, *, held: bool) -> None:
    """Keep a package at its version, or let it go on."""
    word = "hold" if held else "unhold"
    batch.must("apt-mark", word, "--", name, what=f"{word} {name}")


def _install(batch: Batch, name: str, version: str | None) -> Ran:
    # A version is asked for by somebody who knows; without one nothing goes back.
    asked = [f"{name}={version}"] if version else [name]
    may = ["--allow-downgrades", "--allow-change-held-packages"] if version else []
    return _apt_get(batch, "--no-remove", *may, "install", "--", *asked)


def _installed(batch: Batch, name: str) -> tuple[str | None, bool]:
    """The version that is installed, if one is, and whether it is held."""
    form = "${db:Status-Want} ${db:Status-Status} ${Version}\n"
    ran = batch.run(["dpkg-query", "--show", f"--showformat={form}", "--", name], seconds=30)
    for line in ran.stdout.splitlines() if ran.code == 0 else ():
        want, status, version = [*line.split(" "), "", "", ""][:3]
        if status == "installed":
            return version, want == "hold"
    return None, False


def _removed(batch: Batch, name: str) -> Iterator[str]:
    """What apt-get would take away with it."""
    ran = _apt_get(batch, "--simulate", "remove", "--", name)
    if ran.code:
        raise Refused(f"cannot remove {name}: {_complaint(ran)}")
    for line in ran.stdout.splitlines():
        if line.startswith(("Remv ", "Purg ")):
            yield line.split()[1].partition(":")[0]


def _apt_get(batch: Batch, *words: str, seconds: float = DEADLINE_SECONDS) -> Ran:
    """Ask apt-get; where dpkg was interrupted, let it finish that first.

    Not before: only apt-get waits for another who is just about to install something.
    """
    ran = batch.run([*_APT, *words], seconds=seconds)
    if ran.code and _INTERRUPTED in ran.stderr:
        finish = batch.run(
            ["dpkg", "--force-confold", "--configure", "-a"], seconds=DEADLINE_SECONDS
        )
        if finish.code:
            raise Refused(f"cannot finish what dpkg was interrupted in: {_complaint(finish)}")
        ran = batch.run([*_APT, *words], seconds=seconds)
    return ran


def _refresh(batch: Batch) -> str | None:
    """Fetch the lists if they are older than a day, or than where they come from.

    None if they are not; otherwise what could not be fetched, in which case old lists may do.
    """
    with opened(batch) as directory:
        seen = directory.stat(_STAMP)
        known = json.loads(directory.read(_STAMP)) if seen is not None else {}
    age = batch.clock() - seen.st_mtime if seen is not None else -1.0
    if age < 0 or known.get("sources") != _sources(batch) or not _has_lists(batch):
        return _update(batch)
    missed: str = known.get("missed", "")
    if age >= (PAUSE_SECONDS if missed else OLD_SECONDS):
        return _update(batch)
    return missed or None


def _update(batch: Batch) -> str:
    """Fetch the lists; what could not be fetched."""
    sources = _sources(batch)
    ran = _apt_get(batch, "update", seconds=UPDATE_SECONDS)
    if ran.code:
        raise Refused(f"cannot fetch the lists of packages: {_complaint(ran)}")
    lines = [line for line in ran.stderr.splitlines() if line.startswith(_NOT_FETCHED)]
    missed = shortened(lines[0].removeprefix("W: ")) if lines else ""
    with opened(batch) as directory:
        content = json.dumps({"sources": sources, "missed": missed})
        directory.put(_STAMP, content.encode(), OURS)
    return missed


def _sources(batch: Batch) -> dict[str, list[int]]:
    """Where lists come from: each file, by its size and the time it was written."""
    folder = batch.path("/etc/apt/sources.list.d")
    is_there = os.path.isdir(folder)  # noqa: PTH112 (pathlib is slow to import)
    names = sorted(os.listdir(folder)) if is_there else []  # noqa: PTH208
    paths = ["/etc/apt/sources.list", *(f"/etc/apt/sources.list.d/{name}" for name in names)]
    found = {}
    for path in paths:
        try:
            seen = os.stat(batch.path(path))  # noqa: PTH116 (pathlib is slow to import)
        except FileNotFoundError:
            continue
        found[path] = [seen.st_size, seen.st_mtime_ns]
    return found


def _has_lists(batch: Batch) -> bool:
    try:
        names = os.listdir(batch.path("/var/lib/apt/lists"))  # noqa: PTH208 (slow to import)
    except FileNotFoundError:
        return False
    return any(name.endswith(("Packages", "Packages.lz4", "Packages.gz")) for name in names)


def _complaint(ran: Ran) -> str:
    """The errors among all that apt-get and dpkg say."""
    said = f"{ran.stdout}\n{ran.stderr}".splitlines()
    errors = [line.removeprefix("E: ") for line in said if line.startswith(("E: ", "dpkg: error"))]
    return shortened("\n".join(errors)) or ran.complaint
