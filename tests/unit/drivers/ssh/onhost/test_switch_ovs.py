"""What the dead man's switch keeps of Open vSwitch, and how it puts it back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from reconciler.drivers.ssh.onhost.switch_ovs import (
    put_database_back,
    put_switches_back,
    switches_of,
)
from reconciler.drivers.ssh.onhost.switch_site import Site

BACKUP = Path(__file__).with_name("captured").joinpath("ovsdb-backup").read_text()
ROW = re.compile(r'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})":')
NEW = {"name": str(uuid4()), "port": str(uuid4())}


class Switches:
    """The database server of a host. It speaks of `now`, and no more if that is None."""

    def __init__(self, now: str | None) -> None:
        self.now = now
        self.asked: list[list[str]] = []

    def run(self, argv: list[str], stdin: bytes, seconds: float) -> tuple[int, str]:
        del stdin, seconds
        self.asked.append(argv)
        if argv[:2] == ["ovsdb-client", "backup"]:
            return (1, "ovsdb-client: failed to connect") if self.now is None else (0, self.now)
        if argv[0] == "sh":
            self.now = Path(argv[-1]).read_text()
        return 0, ""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "var/lib/reconciler/switch").mkdir(parents=True)
    return Site(Switches(BACKUP).run, root=str(tmp_path))


def served(site: Site, now: str | None) -> Switches:
    switches = Switches(now)
    site.run = switches.run
    return switches


def with_rows(change: Callable[[dict[str, Any]], None]) -> str:
    """The backup with other rows."""
    *head, rows = BACKUP.splitlines()
    told = json.loads(rows)
    change(told)
    return "\n".join([*head, json.dumps(told), ""])


def renumbered(backup: str) -> str:
    """The same rows by other numbers, as after they were put back once."""
    numbers = {number: str(uuid4()) for number in ROW.findall(backup.splitlines()[-1])}
    for old, new in numbers.items():
        backup = backup.replace(old, new)
    return backup


def plug_guest(rows: dict[str, Any]) -> None:
    """As libvirt does it."""
    ids = ["map", [["attached-mac", "52:54:00:00:00:01"], ["iface-id", "x y"]]]
    interface = {"name": "vnet3", "type": "", "external_ids": ids}
    rows["Interface"][NEW["name"]] = interface
    port = {"name": "vnet3", "tag": 7, "interfaces": ["uuid", NEW["name"]]}
    rows["Port"][NEW["port"]] = port
    (bridge,) = rows["Bridge"].values()
    bridge["ports"][1].append(["uuid", NEW["port"]])


def rename(rows: dict[str, Any]) -> None:
    next(iter(rows["Bridge"].values()))["name"] = "br-other"


def number_ports(rows: dict[str, Any]) -> None:
    for interface in rows["Interface"].values():
        interface["ofport"] = 77


def test_a_host_without_it_has_nothing_to_keep(site: Site) -> None:
    site.run = lambda *_: (127, "there is no program")
    assert switches_of(site) is None
    served(site, None)
    assert switches_of(site) is None, "installed, and not served"


def test_what_is_served_and_cannot_be_kept_is_told(site: Site) -> None:
    socket = Path(site.root) / "run/openvswitch/db.sock"
    socket.parent.mkdir(parents=True)
    socket.touch()
    served(site, None)
    with pytest.raises(OSError, match="failed to connect"):
        switches_of(site)
    served(site, "OVSDB JSON 5\nnothing\n")
    with pytest.raises(OSError, match="can be understood"):
        switches_of(site)


@pytest.mark.parametrize(
    "now",
    [BACKUP, renumbered(BACKUP), with_rows(number_ports)],
    ids=["the same", "put back once", "other numbers of ports"],
)
def test_switches_that_are_the_same_are_not_touched(site: Site, now: str) -> None:
    switches = served(site, now)
    assert not put_switches_back(site, BACKUP)
    assert switches.asked == [["ovsdb-client", "backup"]]


def test_what_differs_is_put_back_whole_by_a_file_that_is_gone_again(site: Site) -> None:
    switches = served(site, with_rows(rename))
    assert put_switches_back(site, BACKUP)
    assert switches.now == BACKUP
    assert not list(Path(site.directory).iterdir())


def test_a_guest_that_came_meanwhile_is_plugged_in_again(site: Site) -> None:
    switches = served(site, with_rows(plug_guest))
    assert put_switches_back(site, BACKUP)
    assert switches.asked[-1] == [
        *("ovs-vsctl", "--timeout=5", "--", "--may-exist", "add-port", "br-ovs", "vnet3", "tag=7"),
        *("--", "set", "Interface", "vnet3", 'external_ids:attached-mac="52:54:00:00:00:01"'),
        'external_ids:iface-id="x y"',
    ]


def test_a_server_that_does_not_answer_any_more_is_told(site: Site) -> None:
    served(site, None)
    with pytest.raises(OSError, match="does not answer"):
        put_switches_back(site, BACKUP)


def test_before_it_is_served_the_file_itself_is_put_back(site: Site) -> None:
    real = Path(site.root) / "var/lib/openvswitch/conf.db"
    real.parent.mkdir()
    real.write_text("tried")
    real.chmod(0o640)
    link = Path(site.root) / "etc/openvswitch/conf.db"
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    assert put_database_back(site, BACKUP)
    assert real.read_text() == BACKUP
    assert real.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_a_database_that_is_not_there_is_not_made(site: Site) -> None:
    assert not put_database_back(site, BACKUP)
