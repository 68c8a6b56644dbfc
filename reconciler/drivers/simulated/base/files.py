"""Files, directories and links of a simulated host, as functions from base to base."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base.state import Base, File
from reconciler.ports.acts import PutDirectory, PutFile, PutLink, RemovePath

BROKEN = "SYNTAX ERROR"  # the content that no checker lets pass
_USUAL = frozenset(
    (
        *("/", "/etc", "/etc/apt", "/etc/apt/apt.conf.d", "/etc/apt/preferences.d"),
        *("/etc/apt/sources.list.d", "/etc/cron.d", "/etc/default", "/etc/logrotate.d"),
        *("/etc/modprobe.d", "/etc/modules-load.d", "/etc/network", "/etc/network/interfaces.d"),
        *("/etc/profile.d", "/etc/security", "/etc/security/limits.d", "/etc/ssh"),
        *("/etc/ssh/sshd_config.d", "/etc/sudoers.d", "/etc/sysctl.d", "/etc/systemd"),
        *("/etc/systemd/network", "/etc/systemd/system", "/etc/udev", "/etc/udev/rules.d"),
        *("/home", "/mnt", "/opt", "/root", "/srv", "/usr", "/usr/local"),
        *("/usr/lib", "/usr/lib/systemd", "/usr/lib/systemd/system", "/usr/local/bin"),
        *("/usr/local/sbin", "/var", "/var/lib", "/var/lib/libvirt"),
        *("/var/lib/libvirt/images", "/var/log", "/var/spool"),
    )
)
_NGINX = ("/etc/nginx", "/etc/nginx/conf.d", "/etc/nginx/sites-enabled")
_OF_PACKAGES: Mapping[str, Collection[str]] = {
    "bind9": ("/etc/bind", "/var/cache/bind", "/var/lib/bind", "/etc/apparmor.d/local"),
    "nginx": _NGINX,
    "nginx-light": _NGINX,
}
_ACCOUNTS: Mapping[str, str] = {"bind9": "bind", "knot": "knot", "nsd": "nsd"}  # of packages
_DIRECTORY = File("directory", "0755")


def at(base: Base, path: str) -> File | None:
    """What is at a path. The directories of Debian, of packages and above files are there."""
    if path in base.files:
        return base.files[path]
    homes = {user.home for user in base.users.values()}
    if path in _USUAL or path in homes or _is_of_package(base, path) or below(base, path):
        return _DIRECTORY
    return None


def _is_of_package(base: Base, path: str) -> bool:
    return path.startswith(("/etc/", "/var/")) and any(
        path == f"/etc/{name}" or path in _OF_PACKAGES.get(name, ()) for name in base.packages
    )


def sum_of(file: File) -> str:
    """The sum of the content, in which references stand for their secrets."""
    return sha256((file.content + "".join(file.secrets)).encode()).hexdigest()


def below(base: Base, path: str) -> list[str]:
    """The known paths that lie below."""
    return [each for each in base.files if each.startswith(f"{path.rstrip('/')}/")]


def put(base: Base, path: str, file: File) -> Base:
    """Make this what is at a path, and keep what was there if it was not ours.

    Raises:
        Refused: there is no place for it, or nobody of that name.
    """
    before = at(base, path)
    _check_place(base, path)
    _check_owner(base, file)
    if before and not _may_replace(before, file):
        message = f"{path} is there, and it is a {before.type}"
        raise Refused(message)
    if before == replace(file, changed=before.changed if before else 0):
        return base
    return written(with_original(base, path), path, file)


def with_original(base: Base, path: str) -> Base:
    """The base with what is at a path kept, unless something of ours has been there."""
    if path in base.originals or f"file {path}" in base.marks:
        return base
    return replace(base, originals={**base.originals, path: at(base, path)})


def written(base: Base, path: str, file: File | None) -> Base:
    """Set what is at a path, whatever speaks against it, at a tick of its own."""
    rest = {each: known for each, known in base.files.items() if each != path}
    tick = base.tick + 1
    if file is not None:
        rest[path] = replace(file, changed=tick)
    return replace(base, files=rest, tick=tick)


def put_file(base: Base, act: PutFile) -> Base:
    """Write a file, if its checker lets it pass.

    Raises:
        Refused: the checker does not, or there is no place for it.
    """
    if act.check and (BROKEN in act.content or act.check[0] == "false"):
        message = f"the check of {act.path} failed: {' '.join(act.check)} exited with 1"
        raise Refused(message)
    versions = tuple(sorted(f"{each.reference}@{each.version}" for each in act.secrets))
    place = (act.mode, act.owner, act.group)
    file = File("file", *place, act.content, secrets=versions)
    after = put(base, act.path, file)
    if not versions or after.written.get(act.path) == sum_of(file):
        return after
    return replace(after, written={**after.written, act.path: sum_of(file)})


def put_directory(base: Base, act: PutDirectory) -> Base:
    """Make a directory.

    Raises:
        Refused: something else is there, or there is no place for it.
    """
    return put(base, act.path, File("directory", act.mode, act.owner, act.group))


def put_link(base: Base, act: PutLink) -> Base:
    """Make a symbolic link.

    Raises:
        Refused: a directory is there, or there is no place for it.
    """
    return put(base, act.path, File("link", "0777", target=act.target))


def remove_path(base: Base, act: RemovePath) -> Base:
    """Take away what is at a path, or bring back what was there before.

    A directory with something in it stays where there was none before.

    Raises:
        Refused: a directory with something in it is to go.
    """
    before, original = at(base, act.path), base.originals.get(act.path)
    after = original if act.restores else None
    if before is None and after is None:
        return base
    if after is None and _has_something_in_it(base, act.path):
        if act.restores:
            return base
        message = f"{act.path} is a directory with something in it"
        raise Refused(message)
    rest = {path: each for path, each in base.originals.items() if path != act.path}
    kept = replace(base, originals=rest) if act.restores else with_original(base, act.path)
    return written(kept, act.path, after)


def _has_something_in_it(base: Base, path: str) -> bool:
    """A directory of Debian or of a package always has."""
    known = base.files.get(path, _DIRECTORY)
    return known.type == "directory" and (path not in base.files or bool(below(base, path)))


def _may_replace(before: File, file: File) -> bool:
    if "directory" in {before.type, file.type}:
        return before.type == file.type
    return before.type != "other"


def _check_place(base: Base, path: str) -> None:
    parent = str(PurePosixPath(path).parent)
    place = at(base, parent)
    if place is None:
        message = f"there is no directory {parent}"
        raise Refused(message)
    if place.type != "directory":
        message = f"{parent} is no directory"
        raise Refused(message)


def _check_owner(base: Base, file: File) -> None:
    of_packages = {name for package, name in _ACCOUNTS.items() if package in base.packages}
    if file.owner not in {*base.users, *of_packages} and not file.owner.isdigit():
        message = f"there is no user {file.owner}"
        raise Refused(message)
    if file.group not in {*base.groups, *of_packages} and not file.group.isdigit():
        message = f"there is no group {file.group}"
        raise Refused(message)
