"""Files that set interfaces up at boot, and the tools that read them, which are never restarted.

What the files are for is told by their directories: systemd-networkd, netplan or ifupdown2.
"""

from __future__ import annotations

import os
import re

from reconciler.drivers.ssh.onhost.directory import directory_of, owned_by_us
from reconciler.drivers.ssh.onhost.host import Batch, Refused, shortened
from reconciler.drivers.ssh.onhost.paths import Untrusted, open_file, open_parent, read_small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.drivers.ssh.onhost.remembered import Remembered

LARGEST_BYTES = 64 * 1024
_NETWORKD, _NETPLAN, _IFUPDOWN = "/etc/systemd/network/", "/etc/netplan/", "/etc/network/"
_PROGRAMS = {
    _NETWORKD: ("networkctl", "systemd"),
    _NETPLAN: ("netplan", "netplan.io"),
    _IFUPDOWN: ("ifreload", "ifupdown2"),
}
_CHECKS = {_NETPLAN: ("netplan", "generate"), _IFUPDOWN: ("ifreload", "-a", "--syntax-check")}
_OURS = "reconciler-"
_PLACES = (
    (_NETWORKD, r"^\s*Name\s*=\s*{}\s*$"),
    (_NETPLAN, r"^\s+[\"']?{}[\"']?\s*:\s*$"),
    ("/etc/network/interfaces.d/", r"^\s*iface\s+{}(\s|$)"),
    (_IFUPDOWN, r"^\s*iface\s+{}(\s|$)"),
)


def files_at(known: Remembered, paths: Iterable[str]) -> list[dict[str, str]]:
    """Those of these files that are there, with what they say, sorted by path."""
    found = ((path, _content(known, path)) for path in sorted(paths))
    return [{"path": path, "content": text} for path, text in found if text is not None]


def expect_tool(batch: Batch, files: Iterable[Mapping[str, str]]) -> None:
    """See to it that somebody will read the files.

    Raises:
        Refused: the tool is not installed.
    """
    for place in _places(file["path"] for file in files):
        program, package = _PROGRAMS[place]
        if not batch.has(program):
            remedy = f"declare the package {package}, or another network_tool"
            raise Refused(f"there is no {program} here: {remedy}")


def refuse_others(batch: Batch, name: str) -> None:
    """See to it that nobody else sets the interface up at boot: of two, either may win.

    Raises:
        Refused: a file that is not ours does.
    """
    for place, pattern in _PLACES:
        expected = re.compile(pattern.format(re.escape(name)), re.MULTILINE)
        for file in _listed(batch, place):
            text = (read_small(batch.path(file)) or b"").decode(errors="replace")
            if expected.search(text):
                what = f"{file} sets up {name} already, and is not ours"
                raise Refused(f"{what}: take it out there, or out of the document")


def refuse_earlier(batch: Batch, files: Iterable[Mapping[str, str]], port: str) -> None:
    """See to it that at boot a port is plugged in by our file: networkd takes the first by name.

    Raises:
        Refused: a file that is not ours comes first.
    """
    mine = f"{_NETWORKD}50-{_OURS}{port}.network"
    if not any(file["path"] == mine for file in files):
        return
    expected = re.compile(_PLACES[0][1].format(re.escape(port)), re.MULTILINE)
    for file in _listed(batch, _NETWORKD):
        if file.endswith(".network") and file < mine:
            text = (read_small(batch.path(file)) or b"").decode(errors="replace")
            if expected.search(text):
                raise Refused(f"{file} sets up the port {port} before ours does: take it out there")


def put_files(
    batch: Batch, files: Iterable[Mapping[str, str]], former: Iterable[str] = ()
) -> tuple[str, ...]:
    """Make these files say that, and take the former ones away; the paths of what changed.

    Raises:
        Refused: the tool that reads them does not like them; they are as they were.
    """
    wanted: dict[str, str | None] = {**dict.fromkeys(former), **_by_path(files)}
    before = {path: _here(batch, path) for path in wanted}
    changed = tuple(path for path in wanted if before[path] != wanted[path])
    _write(batch, {path: wanted[path] for path in changed})
    complaint = next(filter(None, (_complaint(batch, at, changed) for at in _places(changed))), "")
    if complaint:
        _write(batch, {path: before[path] for path in changed})
        raise Refused(complaint)
    return changed


def tell_tools(batch: Batch, changed: Iterable[str], names: Iterable[str]) -> None:
    """Let the tools that run read what changed, and look again at these interfaces.

    A tool that does not run reads it at boot.

    Raises:
        Refused: it does not take it.
    """
    places = _places(changed)
    runs = _runs(batch, "systemd-networkd") if places & {_NETWORKD, _NETPLAN} else False
    if _NETWORKD in places and runs:
        what = "let systemd-networkd read its files again"
        batch.must("networkctl", "reload", what=what, seconds=60)
        for name in names:
            # One that is not there (any more) is none of its business.
            batch.run(("networkctl", "reconfigure", name), seconds=30)
    if _NETPLAN in places and (runs or _runs(batch, "NetworkManager")):
        batch.must("netplan", "apply", what="apply what netplan says", seconds=90)
    if _IFUPDOWN in places and batch.has("ifreload"):
        batch.must("ifreload", "-a", what="reload the interfaces", seconds=90)


def _complaint(batch: Batch, place: str, changed: Iterable[str]) -> str:
    """What the tool says against the new files, which are in place."""
    check = _CHECKS.get(place)
    if check is None or not batch.has(check[0]):
        return ""
    ran = batch.run(check, seconds=60)
    said = ran.stderr.splitlines()
    if place == _IFUPDOWN:  # warns of what may be, and of files that are not ours
        said = [line for line in said if "error:" in line and any(path in line for path in changed)]
    is_refused = ran.code and (said or place == _NETPLAN)
    told = shortened("\n".join(said)) or ran.complaint
    return f"{' '.join(check)} refuses the new files: {told}" if is_refused else ""


def _runs(batch: Batch, unit: str) -> bool:
    return batch.run(("systemctl", "is-active", "--quiet", "--", unit), seconds=30).code == 0


def _places(paths: Iterable[str]) -> set[str]:
    return {place for path in paths for place in _PROGRAMS if path.startswith(place)}


def _by_path(files: Iterable[Mapping[str, str]]) -> dict[str, str | None]:
    return {file["path"]: file["content"] for file in files}


def _listed(batch: Batch, place: str) -> list[str]:
    """The files of a directory that are not ours."""
    try:
        names = sorted(os.listdir(batch.path(place)))  # noqa: PTH208 (pathlib is slow to import)
    except (FileNotFoundError, NotADirectoryError):
        return []
    if place == _IFUPDOWN:
        names = [name for name in names if name == "interfaces"]
    return [place + name for name in names if _OURS not in name]


def _content(known: Remembered, path: str) -> str | None:
    try:
        directory, name = open_parent(path, known.root)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        with os.fdopen(open_file(directory, name), "rb") as file:
            return file.read(LARGEST_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return None
    except (Untrusted, OSError) as error:
        return f"({error})"  # which is not what it should say, and so is made right
    finally:
        os.close(directory)


def _here(batch: Batch, path: str) -> str | None:
    try:
        directory, name = directory_of(batch, path)
    except Refused:
        return None
    with directory:
        seen = directory.stat(name)
        return None if seen is None else directory.read(name).decode(errors="replace")


def _write(batch: Batch, contents: Mapping[str, str | None]) -> None:
    """Put files in place, or away: what lies deeper first, since it may keep another."""
    for path in sorted(contents, key=lambda each: (-each.count("/"), each)):
        content = contents[path]
        if content is None:
            _remove(batch, path)
            continue
        mode = 0o600 if path.startswith(_NETPLAN) else 0o644  # netplan's may hold a password
        os.makedirs(batch.path(path.rpartition("/")[0]), exist_ok=True)  # noqa: PTH103 (as above)
        directory, name = directory_of(batch, path)
        with directory:
            directory.put(name, content.encode(), owned_by_us(mode))


def _remove(batch: Batch, path: str) -> None:
    """Take a file away, and the directory of drop-ins that it was the last in.

    A file beside which there are drop-ins of others stays: they have a part in the same interface.
    """
    if os.path.isdir(batch.path(f"{path}.d")):  # noqa: PTH112 (pathlib is slow to import)
        return
    above = path.rpartition("/")[0]
    try:
        directory, name = directory_of(batch, path)
    except Refused:
        return
    with directory:
        directory.remove(name)
    if above.endswith(".network.d"):
        directory, name = directory_of(batch, above)
        with directory:
            directory.remove_directory(name)
