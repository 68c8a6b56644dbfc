"""Random wishes for the bases of hosts, and what a person does there meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from reconciler.drivers.simulated import by_hand_base
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.module import ModuleSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.resource import Desired
from tests.farms.virthost import directory, part, service, text

HOSTS = ("virt1", "virt2")
MOTD, NTP, KEYS, DATA = "/etc/motd", "/etc/chrony/chrony.conf", "/etc/chrony/chrony.keys", "/srv/x"
NTP_PACKAGE, OTHER_PACKAGE = "chrony", "telnet"
KEY, OTHER_KEY = "ssh-ed25519 AAAA one", "ssh-ed25519 AAAA two"


@dataclass(frozen=True)
class BaseWish:
    """What is wanted of one base; what is None is nobody's business."""

    host: str
    motd: str | None = None
    time_server: tuple[str, str] | None = None
    data: str | None = None
    package: str | None = None
    user: tuple[str, bool] | None = None
    swappiness: str | None = None
    bridge_filter: bool = False
    mount: str | None = None
    timezone: str | None = None
    command: bool = False

    def resources(self) -> tuple[Desired[Any], ...]:
        """The wish as desired resources."""
        return (*self._files(), *self._time_server(), *self._people(), *self._kernel())

    def _files(self) -> list[Desired[Any]]:
        found = []
        if self.motd == "link":
            found.append(part(FileSpec(self.host, MOTD, "link", target="/etc/issue")))
        elif self.motd == "absent":
            found.append(part(FileSpec(self.host, MOTD, "absent")))
        elif self.motd is not None:
            found.append(part(text(MOTD, self.motd, self.host)))
        if self.data is not None:
            above = part(directory(DATA, self.host))
            found += [above, part(text(f"{DATA}/readme", self.data, self.host), above)]
        if self.package in {"present", "absent"}:
            found.append(part(PackageSpec(self.host, OTHER_PACKAGE, self.package)))  # type: ignore[arg-type]
        return found

    def _time_server(self) -> list[Desired[Any]]:
        if self.time_server is None:
            return []
        package = part(PackageSpec(self.host, NTP_PACKAGE))
        read = [
            part(text(path, content, self.host), package)
            for path, content in zip((NTP, KEYS), self.time_server, strict=True)
        ]
        return [package, *read, part(service("chrony", *read, host=self.host), package, *read)]

    def _people(self) -> list[Desired[Any]]:
        found = []
        if self.user is not None:
            key, sudo = self.user
            group = part(GroupSpec(self.host, "ops", 2001))
            spec = UserSpec(self.host, "alice", 2002, groups=("ops",), keys=(key,), sudo=sudo)
            found += [group, part(spec, group)]
        if self.timezone is not None:
            found.append(part(SettingSpec(self.host, "timezone", self.timezone)))
        if self.command:
            found.append(part(CommandSpec(self.host, "agent", ("agent",), ("agent-is-done",))))
        return found

    def _kernel(self) -> list[Desired[Any]]:
        found = []
        if self.swappiness is not None:
            spec = SysctlSpec(self.host, "vm.swappiness", self.swappiness, self.swappiness)
            found.append(part(spec))
        if self.bridge_filter:
            module = part(ModuleSpec(self.host, "br_netfilter"))
            name = "net.bridge.bridge-nf-call-iptables"
            found += [module, part(SysctlSpec(self.host, name, "1", "1"), module)]
        if self.mount is not None:
            found.append(part(MountSpec(self.host, "/srv/nfs", self.mount, "nfs", "ro")))
        return found


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    """One of them, or nothing."""
    return st.none() | st.sampled_from(values)


base_wishes = st.builds(
    BaseWish,
    host=st.sampled_from(HOSTS),
    motd=maybe("hello\n", "bye\n", "link", "absent"),
    time_server=maybe(("pool a\n", "1 a\n"), ("pool b\n", "1 a\n"), ("pool b\n", "2 b\n")),
    data=maybe("one\n", "two\n"),
    package=maybe("present", "absent"),
    user=maybe((KEY, True), (KEY, False), (OTHER_KEY, False)),
    swappiness=maybe("10", "20"),
    bridge_filter=st.booleans(),
    mount=maybe("nas:/a", "nas:/b"),
    timezone=maybe("Europe/Berlin", "Asia/Tokyo"),
    command=st.booleans(),
)
# One wish for each of some hosts.
some_base_wishes = st.lists(base_wishes, max_size=2, unique_by=lambda wish: wish.host).map(tuple)

_Do = Callable[[SimulatedFarm, str], None]
BASE_HANDS: dict[str, _Do] = {
    "edit a file": lambda f, h: by_hand_base.edit_file(f, h, MOTD, "by hand\n"),
    "edit what a service reads": lambda f, h: by_hand_base.edit_file(f, h, NTP, "by hand\n"),
    "remove a file": lambda f, h: by_hand_base.remove_file(f, h, KEYS),
    "remove a folder": lambda f, h: by_hand_base.remove_file(f, h, DATA),
    "add a file": lambda f, h: by_hand_base.edit_file(f, h, f"{DATA}/theirs", "x"),
    "change a mode": lambda f, h: by_hand_base.set_mode(f, h, NTP, "0600"),
    "stop a service": lambda f, h: by_hand_base.set_service(f, h, "chrony", running=False),
    "disable a service": lambda f, h: by_hand_base.set_service(f, h, "chrony", enabled=False),
    "mask a service": lambda f, h: by_hand_base.set_service(
        f, h, "chrony", running=False, enabled=False, masked=True
    ),
    "restart a service": lambda f, h: by_hand_base.restart_service(f, h, "chrony"),
    "remove a package": lambda f, h: by_hand_base.remove_package(f, h, NTP_PACKAGE),
    "install a package": lambda f, h: by_hand_base.install_package(f, h, OTHER_PACKAGE),
    "add a key": lambda f, h: by_hand_base.add_key(f, h, "alice", OTHER_KEY),
    "remove an account": lambda f, h: by_hand_base.remove_user(f, h, "alice"),
    "give sudo": lambda f, h: by_hand_base.change_user(f, h, "alice", sudo=True),
    "set a value": lambda f, h: by_hand_base.set_sysctl(f, h, "vm.swappiness", "99"),
    "unload a module": lambda f, h: by_hand_base.unload_module(f, h, "br_netfilter"),
    "unmount": lambda f, h: by_hand_base.unmount(f, h, "/srv/nfs"),
    "set the time zone": lambda f, h: by_hand_base.put_setting(f, h, "timezone", "Mars/Olympus"),
    "strip the marks": by_hand_base.strip_marks,
}
