"""What a simulated base answers to questions, as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from reconciler.drivers.simulated.base import (
    dhcp,
    files,
    kernel,
    links,
    rulesets,
    services,
    settings,
    switches,
)
from reconciler.drivers.simulated.base.state import Base, File, Service
from reconciler.drivers.simulated.base.switch import undone
from reconciler.ports.facts import (
    SECRET,
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
from reconciler.ports.network_facts import (
    LinkFact,
    ReservationsFact,
    RulesetFact,
    SubnetFact,
    SwitchFact,
    TunnelFact,
)

LONGEST_CONTENT_BYTES = 64 * 1024
DIRECTORY_BYTES = 4096


def look(base: Base, questions: Iterable[Question]) -> Facts:
    """Everything that is asked, and what the marks ask."""
    marks = tuple(_marks(base))
    asked = {*questions, *(mark.question for mark in marks)}
    files_asked = [each for each in asked if each.about == "file"]
    secret = {each.name for each in files_asked if SECRET in each.details}
    view = View(base, frozenset(each.name for each in files_asked) - secret)
    return Facts({each: view.answer(each) for each in sorted(asked)}, marks, undone(base))


@dataclass(frozen=True, slots=True)
class View:
    """A base, and the paths whose content may be told."""

    base: Base
    public: frozenset[str]

    def answer(self, question: Question) -> Fact | None:
        """What is there, or None. Of a pool, what it lies on."""
        if question.about == "pool" and len(question.details) > 1:
            about, name, *_ = question.details
            question = Question(about, name)  # type: ignore[arg-type]
        found = _ANSWERS.get(question.about)
        return found(self, question) if found else None

    def told(self, path: str, file: File) -> str:
        """The sum of a content; that of a secret one says nothing to who does not have the key."""
        plain = files.sum_of(file)
        if path in self.public:
            return plain
        return sha256(f"the key of the host, and {plain}".encode()).hexdigest()

    def is_sealed(self, path: str) -> bool:
        """Whether a file has the content that its mark says."""
        kept = self.base.marks.get(key_of("file", Question("file", path)))
        file = self.base.files.get(path)
        return bool(kept and kept.sum and file and kept.sum == files.sum_of(file))


def key_of(kind: str, question: Question) -> str:
    """Under which name a mark is kept."""
    return f"{kind} {question.name}"


def _marks(base: Base) -> Iterator[Mark]:
    for key, kept in sorted(base.marks.items()):
        yield Mark(key.partition(" ")[0], kept.owner, kept.question, kept.note)


def _file(view: View, question: Question) -> FileFact | None:
    path, file = question.name, files.at(view.base, question.name)
    if file is None:
        return None
    if file.type != "file":
        size = DIRECTORY_BYTES if file.type == "directory" else len(file.target or "")
        place = (file.type, file.mode, file.owner, file.group)
        return FileFact(*place, size, target=file.target)
    size = len(file.content.encode())
    is_told = path in view.public and size <= LONGEST_CONTENT_BYTES
    return FileFact(
        "file",
        file.mode,
        file.owner,
        file.group,
        size,
        file.content if is_told else None,
        view.told(path, file),
        is_sealed=view.is_sealed(path),
    )


def _package(view: View, question: Question) -> PackageFact | None:
    known = view.base.packages.get(question.name)
    return PackageFact(known.version, known.held) if known else None


def _service(view: View, question: Question) -> ServiceFact | None:
    known = services.named(view.base, question.name)
    if known is None:
        return None
    reads = tuple(_read(view, path, known) for path in question.details)
    return ServiceFact(known.enabled, known.running, known.masked, reads)


def _read(view: View, path: str, service: Service) -> ReadFact:
    file = view.base.files.get(path)
    if file is None or file.type != "file":
        return ReadFact(path, None, is_current=True)
    return ReadFact(
        path,
        view.told(path, file),
        is_current=not service.running or service.read >= file.changed,
        is_sealed=view.is_sealed(path),
    )


def _user(view: View, question: Question) -> UserFact | None:
    known = view.base.users.get(question.name)
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


def _group(view: View, question: Question) -> GroupFact | None:
    gid = view.base.groups.get(question.name)
    return None if gid is None else GroupFact(gid)


def _sysctl(view: View, question: Question) -> SysctlFact | None:
    known = kernel.sysctl(view.base, question.name)
    return SysctlFact(known.value, known.persisted) if known else None


def _module(view: View, question: Question) -> ModuleFact | None:
    known = view.base.modules.get(question.name.replace("-", "_"))
    if known is None or not (known.loaded or known.persisted):
        return None
    return ModuleFact(known.loaded, known.persisted, known.options)


def _mount(view: View, question: Question) -> MountFact | None:
    known = view.base.mounts.get(question.name)
    if known is None:
        return None
    is_mounted = known.source is not None
    return MountFact(is_mounted, known.source, known.type, known.options, known.fstab)


def _setting(view: View, question: Question) -> SettingFact | None:
    value = view.base.settings.get(question.name)
    return None if value is None else SettingFact(value)


def _command(view: View, question: Question) -> CommandFact:
    is_done = settings.is_done(view.base, question.name, question.details)
    return CommandFact(is_done, "" if is_done else "exit 1")


def _volume_group(view: View, question: Question) -> VolumeGroupFact | None:
    devices = view.base.volume_groups.get(question.name)
    if devices is None:
        return None
    return VolumeGroupFact(tuple(sorted(devices)), settings.DEVICE_BYTES * len(devices))


def _zpool(view: View, question: Question) -> ZpoolFact | None:
    known = view.base.zpools.get(question.name)
    return ZpoolFact(known.layout, "ONLINE", settings.DEVICE_BYTES) if known else None


def _link(view: View, question: Question) -> LinkFact | None:
    return links.link_fact(view.base, question)


def _switch(view: View, question: Question) -> SwitchFact | None:
    return switches.switch_fact(view.base, question)


def _tunnel(view: View, question: Question) -> TunnelFact | None:
    return switches.tunnel_fact(view.base, question.name)


def _ruleset(view: View, question: Question) -> RulesetFact | None:
    return rulesets.ruleset_fact(view.base, question.name)


def _subnet(view: View, question: Question) -> SubnetFact | None:
    return dhcp.subnet_fact(view.base, question)


def _reservations(view: View, question: Question) -> ReservationsFact | None:
    return dhcp.reservations_fact(view.base, question)


_ANSWERS: Mapping[About, Callable[[View, Question], Fact | None]] = {
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
    "ruleset": _ruleset,
    "subnet": _subnet,
    "reservations": _reservations,
    "bridge": _link,
    "vlan": _link,
    "bond": _link,
    "switch": _switch,
    "tunnel": _tunnel,
}
