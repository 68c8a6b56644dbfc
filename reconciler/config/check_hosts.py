"""What the base of one host must not say about itself: things declared twice, or in each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from reconciler.config.base import Base, HostFileField, ServiceField
from reconciler.config.check_storage import storage_problems
from reconciler.config.documents import Host
from reconciler.config.fields import MOST_TEXT
from reconciler.config.merge import ITEM_KEYS
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem

MOST_FILES_TEXT = 64 * MOST_TEXT
NEW_CONTENT = "{}"
BASE_FIELDS = (*Base.model_fields, "hostname")
_KEPT: Mapping[str, str] = {  # what begins so is written by us, or by nobody
    "/etc/fstab": "write `mounts:`",
    "/etc/group": "write `groups:`",
    "/etc/gshadow": "write `groups:`",
    "/etc/hostname": "write `hostname:`",
    "/etc/localtime": "write `timezone:`",
    "/etc/timezone": "write `timezone:`",
    "/etc/default/locale": "write `locale:`",
    "/etc/nftables.d/reconciler.nft": "write a Firewall",
    "/etc/passwd": "write `users:`",
    "/etc/shadow": "write `users:`",
    "/etc/sudoers.d/reconciler-*": "write `sudo: true` for a user",
    "/etc/sysctl.d/90-reconciler.conf": "write `sysctls:`",
    "/etc/modprobe.d/reconciler.conf": "write `modules:`",
    "/etc/modules-load.d/reconciler.conf": "write `modules:`",
    "/etc/systemd/system/nftables.service.d/reconciler.conf": "choose another name",
    "/etc/systemd/system/reconciler-*": "choose another name",
    "/var/lib/reconciler": "choose another place",
    "/dev": "the kernel makes what is there",
    "/proc": "write `sysctls:`",
    "/sys": "write `sysctls:` or `modules:`",
}
NEEDED = {  # nothing on the host could bring them back
    "dpkg": "all packages come by",
    "apt": "all packages come by",
    "openssh-server": "is our way in",
    "python3": "our programs run on",
    "python3-minimal": "our programs run on",
    "systemd": "starts everything",
}
ENDS = re.compile(  # to start one of these is to stop the host, or all that runs on it
    r"(?:systemd-)?(?:reboot|soft-reboot|poweroff|halt|kexec|exit|shutdown|rescue|emergency|sleep|"
    r"suspend|hibernate|hybrid-sleep|suspend-then-hibernate|umount|final|ctrl-alt-del|sigpwr|"
    r"initrd.*|runlevel\d)(?:\.target|\.service)?\Z"
)
HOLDERS = (".target", ".slice", ".scope", ".device")  # to stop one is to stop all that needs it
At = Callable[..., Position]


def host_problems(documents: Documents) -> Iterator[Problem]:
    """Everything that is wrong in the bases of the hosts, whoever owns them."""
    for host in documents.hosts.values():
        at = partial(documents.position, "Host", host.name)
        yield from _doubles(host, at)
        yield from _source_problems(host, at)
        yield from _file_problems(host, at)
        yield from _nested_files(host, at)
        yield from _service_problems(host, at)
        yield from _account_problems(host, at)
        yield from _package_problems(host, at)
        yield from storage_problems(host, at)
        if host.environment != documents.environment:
            yield from _foreign_problems(documents, host)


def source_path(name: str) -> str:
    """The file that a package source becomes."""
    return f"/etc/apt/sources.list.d/{name}.sources"


def is_below(path: str, folder: str) -> bool:
    """Whether a path is inside a folder, and not the folder itself."""
    return path.startswith(folder.rstrip("/") + "/")


def _doubles(host: Host, at: At) -> Iterator[Problem]:
    for key in Base.model_fields:
        items = getattr(host, key)
        if not isinstance(items, tuple):
            continue
        (field,) = ITEM_KEYS.get(key, ("name",))
        names = [getattr(item, field) for item in items]
        for name in sorted({name for name in names if names.count(name) > 1}):
            what = f"host {host.name} has {name} twice among its {key}"
            yield Problem(at(key, name), what, "remove one of them")


def _source_problems(host: Host, at: At) -> Iterator[Problem]:
    files = {file.path for file in host.files}
    for source in host.package_sources:
        paths = [suite for suite in source.suites if suite.endswith("/")]
        position = at("package_sources", source.name)
        if paths and (source.components or len(paths) < len(source.suites)):
            what = f"package source {source.name} has the path {paths[0]} for a suite"
            yield Problem(position, what, "name no component and no other suite beside it")
        elif not paths and not source.components:
            what = f"package source {source.name} names no component"
            yield Problem(position, what, "write `components: [main]`")
        if (path := source_path(source.name)) in files:
            what = (
                f"host {host.name} has {path}, which is package source {source.name} ({position})"
            )
            yield Problem(at("files", path), what, "remove one of them")


def _file_problems(host: Host, at: At) -> Iterator[Problem]:
    for file in host.files:
        position = at("files", file.path)
        yield from (Problem(position, *each) for each in _kept(file.path))
        for what, remedy in _misfits(file):
            yield Problem(position, f"{file.path} of host {host.name} {what}", remedy)
    size = sum(len(file.content or "") for file in host.files)
    if size > MOST_FILES_TEXT:
        what = f"the files of host {host.name} have {size} letters, {MOST_FILES_TEXT} may be"
        yield Problem(at("files"), what, "put them into a package")


def _kept(path: str) -> Iterator[tuple[str, str]]:
    """Files that something else writes, by the start of their path."""
    for kept, remedy in _KEPT.items():
        stem = kept.removesuffix("*")
        if path == kept or is_below(path, kept) or (stem != kept and path.startswith(stem)):
            yield f"{path} is not a file to be written here", remedy


def _misfits(file: HostFileField) -> Iterator[tuple[str, str]]:
    """What a file must have, and must not have, being of its type."""
    has = {name for name in ("content", "target", "mode", "owner", "check") if getattr(file, name)}
    may = {
        "file": {"content", "mode", "owner", "check"},
        "directory": {"mode", "owner"},
        "link": {"target"},
        "absent": set[str](),
    }[file.type]
    if file.content is not None:
        has.add("content")
    if file.type == "file" and file.content is None:
        yield "is a file without content", "write `content:`, or another `type:`"
    if file.type == "link" and not file.target:
        yield "is a link that leads nowhere", "write `target:`"
    for name in sorted(has - may):
        yield f"has `{name}:` and is of type {file.type}", "remove it, or write another `type:`"
    if file.check and not any(NEW_CONTENT in argument for argument in file.check):
        remedy = f"write {NEW_CONTENT} where the command takes the file"
        yield "has a check that does not look at the new content", remedy


def _nested_files(host: Host, at: At) -> Iterator[Problem]:
    types = {file.path: file.type for file in host.files}
    for path, kind in sorted(types.items()):
        above = next(
            (each for each in _parents(path) if types.get(each, "directory") != "directory"), ""
        )
        if above and not (types[above] == kind == "absent"):
            said = "declared absent" if types[above] == "absent" else f"a {types[above]}"
            what = f"{path} of host {host.name} is below {above}, which is {said}"
            remedy = f"change one of them; the other is at {at('files', above)}"
            yield Problem(at("files", path), what, remedy)


def _parents(path: str) -> Iterator[str]:
    """The directories above a path, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def _service_problems(host: Host, at: At) -> Iterator[Problem]:
    types = {file.path: file.type for file in host.files}
    states = {package.name: package.state for package in host.packages}
    for service in host.services:
        called = f"service {service.name} of host {host.name}"
        for path in service.reads:
            if types.get(path, "file") in {"absent", "directory"}:
                what = f"{called} reads {path}, which is declared {types[path]}"
                remedy = f"name files only; it is declared at {at('files', path)}"
                yield Problem(at("services", service.name, "reads"), what, remedy)
        for package in service.needs:
            if states.get(package) != "present":
                what = f"{called} needs package {package}, which the host is not to have"
                remedy = "add it to `packages:`"
                yield Problem(at("services", service.name, "needs"), what, remedy)
        for what, remedy in _contradictions(service):
            yield Problem(at("services", service.name), f"{called} {what}", remedy)


def _contradictions(service: ServiceField) -> Iterator[tuple[str, str]]:
    if service.name.startswith("reconciler-"):
        yield "is our own way back", "leave it alone"
    if service.running and ENDS.match(service.name):
        yield "would stop the host when it starts", "remove `running:`"
    if service.name.endswith(HOLDERS) and (service.running is False or service.masked):
        yield "would stop all that needs it", "name the services themselves"
    if service.masked and (service.enabled or service.running):
        yield "is masked, so that nothing starts it, and is to run", "remove one of them"
    said = (service.enabled, service.running, service.masked)
    if said == (None, None, None) and not service.reads:
        yield "says nothing", "write `enabled: true` and `running: true`, or what it reads"


def _account_problems(host: Host, at: At) -> Iterator[Problem]:
    """Two of one number, and what belongs to those who must not be there."""
    for key in ("users", "groups"):
        numbers: dict[int, str] = {}
        for item in getattr(host, key):
            number = item.uid if key == "users" else item.gid
            first = numbers.setdefault(number, item.name) if number is not None else item.name
            if first != item.name:
                what = f"{first} and {item.name} among the {key} of host {host.name} are {number}"
                remedy = f"give one another number; the other is at {at(key, first)}"
                yield Problem(at(key, item.name), what, remedy)
    yield from _absent_owners(host, at)


def _absent_owners(host: Host, at: At) -> Iterator[Problem]:
    """Files and accounts that belong to an account or group that must not be there."""
    gone = {
        key: {item.name for item in getattr(host, key) if item.state == "absent"}
        for key in ("users", "groups")
    }
    named = [
        (f"{file.path} of host {host.name} belongs to", key, name, at("files", file.path, "owner"))
        for file in host.files
        for key, name in zip(gone, (file.owner or "").split(":"), strict=False)
    ]
    named += [
        (
            f"{user.name} of host {host.name} is in",
            "groups",
            group,
            at("users", user.name, "groups"),
        )
        for user in host.users
        if user.state == "present"
        for group in user.groups or ()
    ]
    for what, key, name, position in named:
        if name in gone[key]:
            remedy = f"choose another, or declare it present at {at(key, name)}"
            yield Problem(position, f"{what} {name}, which is declared absent", remedy)


def _package_problems(host: Host, at: At) -> Iterator[Problem]:
    for package in host.packages:
        if package.state == "absent" and (package.version or package.held):
            what = f"package {package.name} of host {host.name} is absent, and has a version"
            position = at("packages", package.name)
            yield Problem(position, what, "remove `version:` and `held:`, or `state: absent`")
        if package.state == "absent" and package.name in NEEDED:
            what = f"host {host.name} would lose {package.name}, which {NEEDED[package.name]}"
            yield Problem(at("packages", package.name, "state"), what, "keep it")


def _foreign_problems(documents: Documents, host: Host) -> Iterator[Problem]:
    """A patch that changes for one environment what another one makes of its host."""
    folder = f"environments/{documents.environment}/"
    for key in BASE_FIELDS:
        position = documents.position("Host", host.name, key)
        inherited = documents.position("Stack", host.stack or "", key)
        if position.file.startswith(folder) and position != inherited and _is_written(host, key):
            what = (
                f"{key} of host {host.name} is changed for {documents.environment}, and the host "
                f"belongs to {host.environment}, whose branch alone counts"
            )
            yield Problem(position, what, "remove it here, and change the host's own document")


def _is_written(host: Host, key: str) -> bool:
    return key in host.model_fields_set
