"""What a simulated base answers to questions, as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256

from reconciler.drivers.simulated.base import files, kernel, services, settings
from reconciler.drivers.simulated.base.state import Base, Kept
from reconciler.drivers.simulated.base.switch import undone
from reconciler.ports.facts import (
    About,
    CommandFact,
    Fact,
    Facts,
    FileFact,
    GroupFact,
    Mark,
    ModuleFact,
    MountFact,
    PackageFact,
    Question,
    ReadFact,
    ServiceFact,
    SettingFact,
    SysctlFact,
    UserFact,
    VolumeGroupFact,
    ZpoolFact,
)

LONGEST_CONTENT_BYTES = 64 * 1024
DIRECTORY_BYTES = 4096
_SECRET = "secret"  # noqa: S105 (the word in a question's details)


def look(base: Base, questions: Iterable[Question]) -> Facts:
    """Everything that is asked, and what the marks ask."""
    marks = tuple(_marks(base))
    asked = {*questions, *(mark.question for mark in marks)}
    return Facts({each: answer(base, each) for each in sorted(asked)}, marks, undone(base))


def answer(base: Base, question: Question) -> Fact | None:
    """What is there, or None."""
    found = _ANSWERS.get(question.about)
    return found(base, question) if found else None


def sum_of(content: str, *, secret: bool) -> str:
    """The sum of a content; that of a secret one says nothing to who does not have the key."""
    return sha256(("the key of this host" if secret else "").encode() + content.encode()).hexdigest()


def key_of(kind: str, question: Question) -> str:
    """Under which name a mark is kept."""
    return f"{kind} {question.name}"


def sealed_sum(base: Base, question: Question) -> str | None:
    """The sum of the content of a file, for the mark that is about to be written."""
    file = base.files.get(question.name)
    if question.about != "file" or file is None or file.type != "file":
        return None
    return sum_of(file.content, secret=_SECRET in question.details)


def _marks(base: Base) -> Iterator[Mark]:
    for key, kept in sorted(base.marks.items()):
        yield Mark(key.partition(" ")[0], kept.owner, kept.question, kept.note)


def _file(base: Base, question: Question) -> FileFact | None:
    path, file = question.name, files.at(base, question.name)
    if file is None:
        return None
    if file.type != "file":
        size = DIRECTORY_BYTES if file.type == "directory" else len(file.target or "")
        place = (file.type, file.mode, file.owner, file.group)
        return FileFact(*place, size, target=file.target)
    size = len(file.content.encode())
    is_secret = _SECRET in question.details
    return FileFact(
        "file",
        file.mode,
        file.owner,
        file.group,
        size,
        None if is_secret or size > LONGEST_CONTENT_BYTES else file.content,
        sum_of(file.content, secret=is_secret),
        is_sealed=_is_sealed(base, path),
    )


def _is_sealed(base: Base, path: str) -> bool:
    kept = _file_mark(base, path)
    return kept is not None and kept.sum is not None and kept.sum == sealed_sum(base, kept.question)


def _file_mark(base: Base, path: str) -> Kept | None:
    return base.marks.get(key_of("file", Question("file", path)))


def _package(base: Base, question: Question) -> PackageFact | None:
    known = base.packages.get(question.name)
    return PackageFact(known.version, known.held) if known else None


def _service(base: Base, question: Question) -> ServiceFact | None:
    known = services.named(base, question.name)
    if known is None:
        return None
    reads = tuple(_read(base, path, known.read, known.running) for path in question.details)
    return ServiceFact(known.enabled, known.running, known.masked, reads)


def _read(base: Base, path: str, tick: int, running: bool) -> ReadFact:  # noqa: FBT001 (a fact)
    file, kept = base.files.get(path), _file_mark(base, path)
    if file is None or file.type != "file":
        return ReadFact(path, None, is_current=True)
    is_secret = kept is not None and _SECRET in kept.question.details
    return ReadFact(
        path,
        sum_of(file.content, secret=is_secret),
        is_current=not running or tick >= file.changed,
        is_sealed=_is_sealed(base, path),
    )


def _user(base: Base, question: Question) -> UserFact | None:
    known = base.users.get(question.name)
    if known is None:
        return None
    return UserFact(
        known.uid,
        known.description,
        tuple(sorted(known.groups)),
        known.shell,
        known.home,
        known.keys,
        known.sudo,
        known.locked,
    )


def _group(base: Base, question: Question) -> GroupFact | None:
    gid = base.groups.get(question.name)
    return None if gid is None else GroupFact(gid)


def _sysctl(base: Base, question: Question) -> SysctlFact | None:
    known = kernel.sysctl(base, question.name)
    return SysctlFact(known.value, known.persisted) if known else None


def _module(base: Base, question: Question) -> ModuleFact | None:
    known = base.modules.get(question.name)
    if known is None or not (known.loaded or known.persisted):
        return None
    return ModuleFact(known.loaded, known.persisted, known.options)


def _mount(base: Base, question: Question) -> MountFact | None:
    known = base.mounts.get(question.name)
    if known is None:
        return None
    is_mounted = known.source is not None
    return MountFact(is_mounted, known.source, known.type, known.options, known.fstab)


def _setting(base: Base, question: Question) -> SettingFact | None:
    value = base.settings.get(question.name)
    return None if value is None else SettingFact(value)


def _command(base: Base, question: Question) -> CommandFact:
    is_done = settings.is_done(base, question.name, question.details)
    return CommandFact(is_done, "" if is_done else "exit 1")


def _volume_group(base: Base, question: Question) -> VolumeGroupFact | None:
    devices = base.volume_groups.get(question.name)
    if devices is None:
        return None
    return VolumeGroupFact(tuple(sorted(devices)), settings.DEVICE_BYTES * len(devices))


def _zpool(base: Base, question: Question) -> ZpoolFact | None:
    known = base.zpools.get(question.name)
    return ZpoolFact(known.layout, "ONLINE", settings.DEVICE_BYTES) if known else None


_ANSWERS: Mapping[About, Callable[[Base, Question], Fact | None]] = {
    "file": _file,
    "package": _package,
    "service": _service,
    "user": _user,
    "group": _group,
    "sysctl": _sysctl,
    "module": _module,
    "mount": _mount,
    "setting": _setting,
    "command": _command,
    "volume_group": _volume_group,
    "zpool": _zpool,
}
