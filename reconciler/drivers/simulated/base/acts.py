"""Which part of a simulated base an act changes, and the marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import (
    accounts,
    dhcp,
    files,
    kernel,
    links,
    packages,
    rulesets,
    services,
    settings,
    switches,
    way_in,
)
from reconciler.drivers.simulated.base.look import key_of
from reconciler.drivers.simulated.base.state import Base, Kept
from reconciler.ports.acts import (
    Act,
    Forget,
    ForgetModule,
    ForgetSysctl,
    HoldPackage,
    InstallPackage,
    LoadModule,
    LockUser,
    MakeVolumeGroup,
    MakeZpool,
    Mount,
    PutDirectory,
    PutFile,
    PutGroup,
    PutLink,
    PutMark,
    PutSetting,
    PutUser,
    RemoveGroup,
    RemovePackage,
    RemovePath,
    RestartService,
    RunCommand,
    SetService,
    SetSysctl,
    Unmount,
)
from reconciler.ports.facts import SECRET, Question
from reconciler.ports.network_acts import (
    PutInterface,
    PutReservations,
    PutRuleset,
    PutSubnet,
    PutSwitch,
    PutTunnels,
    RemoveInterface,
    RemoveRuleset,
    RemoveSubnet,
    RemoveSwitch,
)

FULL = "No space left on device"
READ_ONLY = "Read-only file system"
WRITES_NOTHING = (RestartService, RunCommand)


def done(base: Base, act: Act) -> Base:
    """The base after an act; the same one if that changed nothing.

    Raises:
        Refused: the host does not do it; it is as it was.
    """
    after = _DO[type(act)](base, act)
    if after is not base and base.disk != "well" and not isinstance(act, WRITES_NOTHING):
        message = FULL if base.disk == "full" else READ_ONLY
        raise Refused(message)
    return after if after.links is base.links else way_in.judged(after)


def _put_mark(base: Base, act: PutMark) -> Base:
    mark = act.mark
    if mark.question.about == "file":
        base = files.with_original(base, mark.question.name)
    key = key_of(mark.kind, mark.question)
    kept = Kept(mark.owner, mark.question, mark.note, _seal(base, mark.question))
    return base if base.marks.get(key) == kept else replace(base, marks={**base.marks, key: kept})


def _seal(base: Base, question: Question) -> str | None:
    """The sum that the mark of a file is to hold; of one with secrets that of what we wrote."""
    if question.about != "file":
        return None
    if SECRET in question.details:
        return base.written.get(question.name)
    file = base.files.get(question.name)
    return files.sum_of(file) if file and file.type == "file" else None


def _forget(base: Base, act: Forget) -> Base:
    key = key_of(act.kind, act.question)
    if key not in base.marks:
        return base
    marks = {each: kept for each, kept in base.marks.items() if each != key}
    if act.kind != "file":
        return replace(base, marks=marks)
    path = act.question.name
    originals = {each: file for each, file in base.originals.items() if each != path}
    written = {each: known for each, known in base.written.items() if each != path}
    return replace(base, marks=marks, originals=originals, written=written)


_DO: Mapping[type[Act], Callable[[Base, Any], Base]] = {
    PutFile: files.put_file,
    PutDirectory: files.put_directory,
    PutLink: files.put_link,
    RemovePath: files.remove_path,
    InstallPackage: packages.install,
    RemovePackage: packages.remove,
    HoldPackage: packages.hold,
    SetService: services.set_service,
    RestartService: services.restart,
    PutGroup: accounts.put_group,
    RemoveGroup: accounts.remove_group,
    PutUser: accounts.put_user,
    LockUser: accounts.lock_user,
    SetSysctl: kernel.set_sysctl,
    ForgetSysctl: kernel.forget_sysctl,
    LoadModule: kernel.load_module,
    ForgetModule: kernel.forget_module,
    Mount: kernel.mount,
    Unmount: kernel.unmount,
    PutSetting: settings.put_setting,
    RunCommand: settings.run_command,
    MakeVolumeGroup: settings.make_volume_group,
    MakeZpool: settings.make_zpool,
    PutRuleset: rulesets.put_ruleset,
    RemoveRuleset: rulesets.remove_ruleset,
    PutInterface: links.put_interface,
    RemoveInterface: links.remove_interface,
    PutSwitch: switches.put_switch,
    RemoveSwitch: switches.remove_switch,
    PutTunnels: switches.put_tunnels,
    PutSubnet: dhcp.put_subnet,
    RemoveSubnet: dhcp.remove_subnet,
    PutReservations: dhcp.put_reservations,
    PutMark: _put_mark,
    Forget: _forget,
}
