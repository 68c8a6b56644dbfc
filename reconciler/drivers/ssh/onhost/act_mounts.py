"""Mounts: now, and for the next boot in a block of /etc/fstab that is ours."""

from __future__ import annotations

import os
import stat

from reconciler.drivers.ssh.onhost.directory import Access, directory_of, owned_by_us
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.look_mounts import (
    BEGIN,
    END,
    FSTAB,
    fstab_of,
    mounts_of,
    others_of,
)
from reconciler.drivers.ssh.onhost.paths import lines_of

_SECONDS = 60.0
_ESCAPES = (("\\", "\\134"), (" ", "\\040"), ("\t", "\\011"), ("\n", "\\012"))


def mount(batch: Batch, path: str, source: str, type: str, options: str) -> None:  # noqa: A002 (the field of the act)
    """Mount something, now and at the next boot; what else is mounted there is unmounted.

    It is written down for the next boot when it has been mounted once: a host that cannot mount
    what its fstab says may not start.

    Raises:
        Refused: it cannot be mounted, what is there is in use, or fstab has a line that is not
            ours for the same place.
    """
    _refuse_others(batch, path)
    here = _mounted(batch).get(path)
    if here is None:
        _make_point(batch, path)
        _mount(batch, path, source, type, options)
    elif not _is_like(batch, path, (source, type, options), here) or not _remount(
        batch, path, options
    ):
        _unmount(batch, path)
        _mount(batch, path, source, type, options)
    _persist(batch, path, [source, path, type, options])


def unmount(batch: Batch, path: str) -> None:
    """Unmount what we mounted, and do not mount it at the next boot.

    Raises:
        Refused: it is in use.
    """
    if path in _mounted(batch):
        _unmount(batch, path)
    _persist(batch, path, None)


def _mount(batch: Batch, path: str, source: str, kind: str, options: str) -> None:
    argv = ("mount", "-t", kind, "-o", options, "--", source, path)
    batch.must(*argv, what=f"mount {source} at {path}", seconds=_SECONDS)


def _remount(batch: Batch, path: str, options: str) -> bool:
    """Give what is mounted other options; some can only be given when it is mounted."""
    argv = ("mount", "-o", f"remount,{options}", "--", path)
    return batch.run(argv, seconds=_SECONDS).code == 0


def _unmount(batch: Batch, path: str) -> None:
    batch.must("umount", "--", path, what=f"unmount {path}", seconds=_SECONDS)


def _mounted(batch: Batch) -> dict[str, dict[str, str]]:
    return mounts_of(lines_of(batch.path("/proc/self/mountinfo")))


def _is_like(batch: Batch, path: str, wanted: tuple[str, str, str], here: dict[str, str]) -> bool:
    """Whether what is mounted is what is wished, but for the options."""
    source, kind, options = wanted
    if {"bind", "rbind"} & set(options.split(",")):
        # The kernel tells the device of what is bound, not its path.
        return os.path.samefile(batch.path(source), batch.path(path))  # noqa: PTH121
    is_type = kind in {"auto", here["type"]} or (kind, here["type"]) == ("nfs", "nfs4")
    return is_type and _device(batch, source) == _device(batch, here["source"])


def _device(batch: Batch, source: str) -> str:
    if source.partition("=")[0] in {"UUID", "LABEL", "PARTUUID", "PARTLABEL"}:
        ran = batch.run(["findfs", source], seconds=_SECONDS)
        source = ran.stdout.strip() or source
    return os.path.realpath(source) if source.startswith("/dev/") else source


def _make_point(batch: Batch, path: str) -> None:
    """Make the directory to mount at, and those above it that are missing."""
    parts = path.strip("/").split("/")
    for length in range(1, len(parts) + 1):
        directory, name = directory_of(batch, "/" + "/".join(parts[:length]))
        with directory:
            seen = directory.stat(name)
            if seen is None:
                directory.make(name, owned_by_us(0o755))
            elif length == len(parts) and not stat.S_ISDIR(seen.st_mode):
                # mount(8) would follow a link, to wherever somebody wants it to lead.
                raise Refused(f"{path} is no directory: move it away, or mount somewhere else")


def _refuse_others(batch: Batch, path: str) -> None:
    """Of two lines for one place systemd takes the first, whatever ours says."""
    number = others_of(lines_of(batch.path(FSTAB))).get(path)
    if number is not None:
        what = f"line {number} of {FSTAB} mounts something at {path} already, and is not ours"
        raise Refused(f"{what}: take that line out, or the declaration")


def _persist(batch: Batch, path: str, line: list[str] | None) -> None:
    ours = fstab_of(lines_of(batch.path(FSTAB)))
    if ours.get(path) == line:
        return
    ours.pop(path, None)
    if line is not None:
        ours[path] = line
    directory, name = directory_of(batch, FSTAB)
    with directory:
        seen = directory.stat(name)
        text = b"" if seen is None else directory.read(name)
        access = owned_by_us(0o644) if seen is None else Access.of(seen)
        directory.put(name, with_block(text.decode(errors="surrogateescape"), ours), access)
    batch.run(["systemctl", "daemon-reload"])  # else it goes by the old lines, and may unmount


def with_block(text: str, ours: dict[str, list[str]]) -> bytes:
    """The text of fstab with these as our lines, and all others as they were.

    Raises:
        Refused: our block has no end.
    """
    before, begin, rest = text.partition(f"{BEGIN}\n")
    inside, end, after = rest.partition(f"{END}\n")
    if begin and not end:
        raise Refused(f"{FSTAB} has a line '{BEGIN}' and none '{END}': mend it by hand")
    del inside
    if before and not before.endswith("\n"):
        before += "\n"
    lines = [" ".join(map(_escaped, ours[path])) + " 0 0\n" for path in sorted(ours)]
    block = [f"{BEGIN}\n", *lines, f"{END}\n"] if lines else []
    return (before + "".join(block) + after).encode(errors="surrogateescape")


def _escaped(field: str) -> str:
    for letter, code in _ESCAPES:
        field = field.replace(letter, code)
    return field
