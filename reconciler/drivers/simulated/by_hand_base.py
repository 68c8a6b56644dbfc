"""What a person does at the base of a host, past the reconciler: for demos, drills and tests.

As in `by_hand`: no fault strikes here, nothing is counted or logged, and no mark is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.arrival import on_base
from reconciler.drivers.simulated.base import dhcp, files, packages, services, switches
from reconciler.drivers.simulated.base.state import Base, File, Link, Ruleset, Subnet, Sysctl, User
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Call, as_driver_errors
from reconciler.ports.acts import InstallPackage, RemovePackage, RestartService, SetService

T = TypeVar("T")


def edit_file(farm: SimulatedFarm, host: str, path: str, content: str) -> None:
    """Write a file with an editor: permissions stay, a new one has those of root's files.

    Raises:
        Conflict: there is no such directory, or it is no file.
    """

    def edit(base: Base) -> Base:
        before = base.files.get(path, File())
        if before.type != "file" or files.at(base, path.rpartition("/")[0] or "/") is None:
            message = f"{path} cannot be written"
            raise Refused(message)
        return files.written(base, path, replace(before, content=content, secrets=()))

    _at_base(farm, host, "edit_file", path, edit)


def set_mode(farm: SimulatedFarm, host: str, path: str, mode: str) -> None:
    """`chmod`: no service has to read the file again.

    Raises:
        NotFound: there is no such file.
    """

    def change(base: Base) -> Base:
        changed = replace(_of(base.files, path), mode=mode)
        return replace(base, files={**base.files, path: changed})

    _at_base(farm, host, "set_mode", path, change)


def remove_file(farm: SimulatedFarm, host: str, path: str) -> None:
    """`rm -r`: it may be gone already."""

    def remove(base: Base) -> Base:
        gone = {path, *files.below(base, path)} & base.files.keys()
        for each in gone:
            base = files.written(base, each, None)
        return base

    _at_base(farm, host, "remove_file", path, remove)


def install_package(farm: SimulatedFarm, host: str, name: str, version: str | None = None) -> None:
    """`apt-get install`, also of another version.

    Raises:
        Conflict: it is not to be had, or is held.
    """
    act = InstallPackage(name, version)
    _at_base(farm, host, "install_package", name, lambda base: packages.install(base, act))


def remove_package(farm: SimulatedFarm, host: str, name: str) -> None:
    """`apt-get remove`.

    Raises:
        Conflict: it is held.
    """
    act = RemovePackage(name)
    _at_base(farm, host, "remove_package", name, lambda base: packages.remove(base, act))


def set_service(
    farm: SimulatedFarm,
    host: str,
    unit: str,
    *,
    running: bool | None = None,
    enabled: bool | None = None,
    masked: bool | None = None,
) -> None:
    """`systemctl start`, `stop`, `enable`, `disable`, `mask` or `unmask`.

    Raises:
        Conflict: there is no such unit, or it is masked.
    """
    act = SetService(unit, enabled, running, masked)
    _at_base(farm, host, "set_service", unit, lambda base: services.set_service(base, act))


def restart_service(farm: SimulatedFarm, host: str, unit: str) -> None:
    """`systemctl restart`.

    Raises:
        Conflict: there is no such unit, or it is masked.
    """
    act = RestartService(unit)
    _at_base(farm, host, "restart_service", unit, lambda base: services.restart(base, act))


def add_key(farm: SimulatedFarm, host: str, user: str, key: str) -> None:
    """Somebody lets himself in.

    Raises:
        NotFound: there is no such account.
    """
    _with_user(farm, host, user, lambda known: replace(known, keys=(*known.keys, key)))


def change_user(farm: SimulatedFarm, host: str, user: str, **fields: object) -> None:
    """`usermod`, in the words of `simulated.base.state.User`.

    Raises:
        NotFound: there is no such account.
    """
    _with_user(farm, host, user, lambda known: replace(known, **fields))  # type: ignore[arg-type]


def remove_user(farm: SimulatedFarm, host: str, user: str) -> None:
    """`userdel`, with the group of its name."""

    def remove(base: Base) -> Base:
        users = {name: each for name, each in base.users.items() if name != user}
        groups = {name: each for name, each in base.groups.items() if name != user}
        return replace(base, users=users, groups=groups)

    _at_base(farm, host, "remove_user", user, remove)


def set_sysctl(farm: SimulatedFarm, host: str, name: str, value: str) -> None:
    """`sysctl -w`: for now, and what is written down stays so."""

    def change(base: Base) -> Base:
        known = base.sysctls.get(name, Sysctl(value))
        return replace(base, sysctls={**base.sysctls, name: replace(known, value=value)})

    _at_base(farm, host, "set_sysctl", name, change)


def unload_module(farm: SimulatedFarm, host: str, name: str) -> None:
    """`modprobe -r`: for now.

    Raises:
        NotFound: it is not loaded.
    """

    def unload(base: Base) -> Base:
        known = replace(_of(base.modules, name), loaded=False)
        return replace(base, modules={**base.modules, name: known})

    _at_base(farm, host, "unload_module", name, unload)


def unmount(farm: SimulatedFarm, host: str, path: str) -> None:
    """`umount`: for now.

    Raises:
        NotFound: nothing is mounted there.
    """

    def off(base: Base) -> Base:
        known = replace(_of(base.mounts, path), source=None, type=None, options=None)
        return replace(base, mounts={**base.mounts, path: known})

    _at_base(farm, host, "unmount", path, off)


def set_link(farm: SimulatedFarm, host: str, name: str, **fields: object) -> None:
    """`ip link`, `ip address`, `ip route`: make an interface, or change it.

    In the words of `simulated.base.state.Link`.
    """

    def change(base: Base) -> Base:
        changed = replace(base.links.get(name, Link()), **fields)  # type: ignore[arg-type]
        return replace(base, links={**base.links, name: changed})

    _at_base(farm, host, "set_link", name, change)


def remove_link(farm: SimulatedFarm, host: str, name: str) -> None:
    """`ip link delete`: what is plugged into it stays.

    Raises:
        NotFound: there is no such interface.
    """

    def remove(base: Base) -> Base:
        _of(base.links, name)
        rest = {
            each: replace(link, master=None) if link.master == name else link
            for each, link in base.links.items()
            if each != name
        }
        return replace(base, links=rest)

    _at_base(farm, host, "remove_link", name, remove)


def put_setting(farm: SimulatedFarm, host: str, name: str, value: str) -> None:
    """`hostnamectl`, `timedatectl` or `localectl`."""

    def change(base: Base) -> Base:
        return replace(base, settings={**base.settings, name: value})

    _at_base(farm, host, "put_setting", name, change)


def flush_rules(farm: SimulatedFarm, host: str) -> None:
    """`nft flush ruleset`: for now, all tables are gone."""

    def flush(base: Base) -> Base:
        known = {name: replace(each, loaded=None) for name, each in base.rulesets.items()}
        return replace(base, rulesets=known)

    _at_base(farm, host, "flush_rules", "", flush)


def load_rules(farm: SimulatedFarm, host: str, table: str, text: str) -> None:
    """`nft -f`: for now, whatever the file of the table says."""

    def load(base: Base) -> Base:
        known = replace(base.rulesets.get(table, Ruleset()), loaded=text)
        return replace(base, rulesets={**base.rulesets, table: known})

    _at_base(farm, host, "load_rules", table, load)


def put_subnet(farm: SimulatedFarm, host: str, net: str, subnet: Subnet) -> None:
    """The DHCP server is told something about a subnet, and its file says so, too."""

    def change(base: Base) -> Base:
        after = replace(
            base,
            subnets={**(dhcp.now(base) or {}), net: subnet},
            subnets_written={**base.subnets_written, net: subnet},
        )
        return replace(after, subnets_changed=base.tick + 1, tick=base.tick + 1)

    _at_base(farm, host, "put_subnet", net, change)


def forget_subnet(farm: SimulatedFarm, host: str, net: str) -> None:
    """The file of the DHCP server is written anew without a subnet: it has it until it starts."""

    def change(base: Base) -> Base:
        rest = {each: known for each, known in base.subnets_written.items() if each != net}
        return replace(base, subnets_written=rest)

    _at_base(farm, host, "forget_subnet", net, change)


def lease(farm: SimulatedFarm, host: str, net: str, mac: str, address: str) -> None:
    """A client is given an address by the DHCP server."""

    def change(base: Base) -> Base:
        return replace(base, leases={**base.leases, address: (mac, net)})

    _at_base(farm, host, "lease", address, change)


def cut_tunnel(farm: SimulatedFarm, host: str, switch: str, peer: str) -> None:
    """`ovs-vsctl del-port`: the end that leads to a host is gone.

    Raises:
        NotFound: there is no such switch.
    """

    def cut(base: Base) -> Base:
        known = _of(base.switches, switch)
        return switches.with_ends(base, switch, (each for each in known.ends if each.peer != peer))

    _at_base(farm, host, "cut_tunnel", switch, cut)


def change_tunnel(farm: SimulatedFarm, host: str, switch: str, peer: str, remote: str) -> None:
    """`ovs-vsctl set interface`: the end that leads to a host leads elsewhere.

    Raises:
        NotFound: there is no such switch.
    """

    def change(base: Base) -> Base:
        ends = _of(base.switches, switch).ends
        after = (replace(each, remote=remote) if each.peer == peer else each for each in ends)
        return switches.with_ends(base, switch, after)

    _at_base(farm, host, "change_tunnel", switch, change)


def strip_marks(farm: SimulatedFarm, host: str) -> None:
    """`rm -r /var/lib/reconciler`: nothing is anybody's any more."""

    def strip(base: Base) -> Base:
        return replace(
            base, marks={}, written={}, originals={}, confirmed={}, tried={}, switch=None
        )

    _at_base(farm, host, "strip_marks", "", strip)


def set_disk(farm: SimulatedFarm, host: str, disk: Literal["well", "full", "read-only"]) -> None:
    """The disk is `well`, `full` or `read-only` from now on."""
    _at_base(farm, host, "set_disk", disk, lambda base: replace(base, disk=disk))


def _with_user(farm: SimulatedFarm, host: str, user: str, change: Callable[[User], User]) -> None:
    def changed(base: Base) -> Base:
        return replace(base, users={**base.users, user: change(_of(base.users, user))})

    _at_base(farm, host, "change_user", user, changed)


def _of(things: Mapping[str, T], name: str) -> T:
    if name not in things:
        message = f"there is no {name}"
        raise Missing(message)
    return things[name]


def _at_base(
    farm: SimulatedFarm,
    host: str,
    operation: str,
    subject: str,
    change: Callable[[Base], Base],
) -> None:
    with as_driver_errors(Call((host,), operation, subject)):
        farm.change(lambda state: on_base(state, host, change))
