"""Subnets and reservations on a host with Kea: in the server, in its file, and seen in both."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost import look_dhcp
from reconciler.drivers.ssh.onhost.dhcp import Silent, command, config_of, running
from reconciler.drivers.ssh.onhost.host import Ran
from reconciler.drivers.ssh.onhost.remembered import Remembered
from tests.unit.drivers.ssh.onhost.ground import Ground, question
from tests.unit.drivers.ssh.onhost.kea import CAPTURED, SUBNET, Kea, kea, without_ours

FILE = "/etc/kea/kea-dhcp4.conf"
ROUTERS = {"name": "routers", "value": "10.213.8.1"}
WEB = {"mac": "52:54:00:00:00:50", "address": "10.213.8.50", "hostname": "web-1"}
SERVE: dict[str, Any] = {
    "act": "put_subnet",
    "network": "lan",
    "environment": "production",
    "subnet": SUBNET,
    "interface": "br-lan",
    "pools": ["10.213.8.100-10.213.8.120"],
    "options": [ROUTERS],
    "lease_seconds": 600,
    "next_server": "",
    "boot_file": "",
}
NOTHING = {"act": "remove_subnet", "network": "lan", "subnet": SUBNET}
CHECK = "env KEA_LOCKFILE_DIR=none kea-dhcp4 -t"


@pytest.fixture
def server(ground: Ground) -> Iterator[Kea]:
    """A Kea that runs, and Debian's sample of a file with its socket."""
    with kea(without_ours()) as found:
        given(ground, found.path)
        yield found


@pytest.fixture
def stopped(ground: Ground) -> Ground:
    """A host whose Kea does not run."""
    given(ground, "/nowhere/socket")
    return ground


def given(ground: Ground, path: str) -> None:
    ground.path("/etc/kea").mkdir()
    text = (CAPTURED / "kea-dhcp4.conf").read_text()
    ground.path(FILE).write_text(text.replace("/run/kea/kea4-ctrl-socket", path))
    plug(ground, "br-lan", heard=True)
    program = ground.path("/usr/sbin/kea-dhcp4")
    program.parent.mkdir(parents=True)
    program.touch(0o755)


def plug(ground: Ground, name: str, *, heard: bool, carrier: str = "1") -> None:
    """The host has an interface, and the server listens there or not."""
    link = ground.path(f"/sys/class/net/{name}")
    link.mkdir(parents=True, exist_ok=True)
    (link / "ifindex").write_text("7\n")
    (link / "carrier").write_text(f"{carrier}\n")
    sockets = ground.path("/proc/net/packet")
    sockets.parent.mkdir(exist_ok=True)
    index = 7 if heard else 6
    row = f"0000000000000000 3 3 0003 {index} 1 0 {os.geteuid()} 12018825\n"
    sockets.write_text(f"sk RefCnt Type Proto Iface R Rmem User Inode\n{row}")


def reserve(*entries: dict[str, str], by: str = "production") -> dict[str, Any]:
    where = {"network": "lan", "subnet": SUBNET, "environment": by}
    return {"act": "put_reservations", **where, "entries": list(entries)}


def seen(ground: Ground, subnet: str = SUBNET) -> Any:
    known = Remembered.of(str(ground.directory), str(ground.root))
    (fact,) = look_dhcp.subnets([question("subnet", "lan", subnet, "production")], known)
    return fact


def seen_reserved(ground: Ground, by: str = "production") -> Any:
    known = Remembered.of(str(ground.directory), str(ground.root))
    asked = question("reservations", f"lan.{by}", "lan", SUBNET, by)
    (fact,) = look_dhcp.reservations([asked], known)
    return fact


def written(ground: Ground) -> Any:
    return config_of(ground.path(FILE).read_text())


def test_a_subnet_is_served_now_and_at_the_next_start(ground: Ground, server: Kea) -> None:
    assert seen(ground) is None
    ground.done(SERVE)
    fact = seen(ground)
    assert fact["is_served"]
    assert fact["is_persisted"]
    assert (fact["pools"], fact["options"]) == (SERVE["pools"], SERVE["options"])
    assert server.config["subnet4"][1]["id"] == written(ground)["subnet4"][1]["id"]
    assert ground.programs.called(CHECK)


def test_comments_of_the_file_are_kept_beside_it(ground: Ground, server: Kea) -> None:
    before = ground.path(FILE).read_text()
    ground.done(SERVE, reserve(WEB))
    assert ground.path(f"{FILE}.before-reconciler").read_text() == before
    assert json.loads(ground.path(FILE).read_text())
    assert server.config["subnet4"][0] == without_ours()["subnet4"][0]


def test_what_is_right_is_neither_set_nor_written_again(ground: Ground, server: Kea) -> None:
    ground.done(SERVE, reserve(WEB))
    before, server.asked = ground.path(FILE).stat(), []
    ground.done(SERVE, reserve(WEB))
    assert "config-set" not in server.asked
    assert ground.path(FILE).stat().st_ino == before.st_ino


def test_reservations_come_and_go_in_both(ground: Ground, server: Kea) -> None:
    ground.done(
        SERVE,
        reserve(WEB),
        reserve({**WEB, "mac": "52:54:00:00:00:51", "address": "10.213.8.51"}, by="staging"),
    )
    assert seen_reserved(ground) == {"entries": [WEB], "is_served": True, "is_persisted": True}
    ground.done(reserve())
    assert seen_reserved(ground) is None
    assert len(seen_reserved(ground, "staging")["entries"]) == 1
    assert len(server.config["subnet4"][1]["reservations"]) == 1


def test_all_of_ours_goes_and_what_was_there_stays(ground: Ground, server: Kea) -> None:
    before = written(ground)
    ground.done(SERVE, reserve(WEB), reserve(), NOTHING, NOTHING)
    assert server.config["subnet4"] == without_ours()["subnet4"]
    assert written(ground)["subnet4"] == before["subnet4"]
    assert seen(ground) is None


@pytest.mark.usefixtures("server")
def test_no_reservation_comes_before_its_subnet(ground: Ground) -> None:
    assert "does not serve 10.213.8.0/24 of network lan yet" in ground.refused(reserve(WEB))


def test_a_server_that_does_not_run_finds_it_when_it_starts(stopped: Ground) -> None:
    stopped.done(SERVE, reserve(WEB))
    assert (seen(stopped)["is_served"], seen(stopped)["is_persisted"]) == (False, True)
    told = seen_reserved(stopped)
    assert (told["is_served"], told["is_persisted"]) == (False, True)


def test_what_only_the_server_has_is_told_so(ground: Ground, server: Kea) -> None:
    before = ground.path(FILE).read_text()
    ground.done(SERVE, reserve(WEB))
    ground.path(FILE).write_text(before)
    assert (seen(ground)["is_served"], seen(ground)["is_persisted"]) == (True, False)
    assert not seen_reserved(ground)["is_persisted"]
    ground.done(SERVE, reserve(WEB))
    assert seen(ground)["is_persisted"]
    assert server.config["subnet4"][1]["reservations"]


def test_what_only_the_file_has_is_told_so(ground: Ground, server: Kea) -> None:
    ground.done(SERVE, reserve(WEB))
    server.config = without_ours()
    assert (seen(ground)["is_served"], seen(ground)["is_persisted"]) == (False, True)
    ground.done(SERVE, reserve(WEB))
    assert seen(ground)["is_served"]
    assert seen_reserved(ground)["is_served"]


def test_a_host_without_kea_has_nothing_and_takes_nothing(ground: Ground) -> None:
    assert seen(ground) is None
    assert seen_reserved(ground) is None
    assert "declare the package kea-dhcp4-server" in ground.refused(SERVE)
    ground.done(NOTHING, reserve())


def test_a_file_that_nobody_can_read_is_told_when_something_is_to_be_done(
    ground: Ground, server: Kea
) -> None:
    ground.path(FILE).write_text("{ broken")
    assert seen(ground) is None
    assert "cannot be read" in ground.refused(SERVE)
    assert "config-set" not in server.asked


@pytest.mark.usefixtures("server")
def test_without_a_control_socket_it_is_said_what_to_write(ground: Ground) -> None:
    config = written(ground)
    del config["control-socket"]
    ground.path(FILE).write_text(json.dumps({"Dhcp4": config}))
    assert '"socket-type": "unix"' in ground.refused(SERVE)


def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_that(server: Kea) -> None:
    server.hangs = "config-get"
    with pytest.raises(Silent, match="does not answer"):
        running(server.path, seconds=0.05)


def test_a_server_that_ends_before_it_answers_has_not_answered(server: Kea) -> None:
    server.drops = "config-get"
    with pytest.raises(Silent, match="nonsense"):
        running(server.path)


def test_what_the_server_says_no_to_is_told_in_its_words(server: Kea) -> None:
    with pytest.raises(ValueError, match="not supported"):
        command(server.path, "reboot")


def test_an_older_server_is_not_told_what_it_does_not_know(ground: Ground, server: Kea) -> None:
    server.version = "2.0.2"
    ground.done(SERVE)
    assert "service-sockets-max-retries" not in server.config["interfaces-config"]


def test_leases_of_those_that_nobody_knows_are_told_with_the_subnet(
    ground: Ground, server: Kea
) -> None:
    ground.done(SERVE, reserve(WEB))
    number = server.config["subnet4"][1]["id"]
    leases = ground.path("/var/lib/kea/kea-leases4.csv")
    leases.parent.mkdir()
    told = (("10.213.8.100", "52:54:00:66:66:01"), (WEB["address"], WEB["mac"]))
    leases.write_text(
        "".join(f"{at},{mac},,600,99999999999,{number},0,0,evil,0,\n" for at, mac in told)
    )
    lease = {"mac": "52:54:00:66:66:01", "address": "10.213.8.100"}
    assert seen(ground)["leases"] == [lease]


def test_a_check_that_fails_changes_nothing(ground: Ground, server: Kea) -> None:
    before = ground.path(FILE).read_bytes()
    ground.programs.answers[CHECK] = Ran(1, "", f"{FILE}: missing interface")
    assert "refuses /etc/kea/kea-dhcp4.conf, which stays as it is" in ground.refused(SERVE)
    assert ground.path(FILE).read_bytes() == before
    assert server.config == without_ours()


def test_a_server_that_has_lost_its_interface_is_told_anew(ground: Ground, server: Kea) -> None:
    """Its configuration is the same, but what it listened on was made anew."""
    ground.done(SERVE)
    plug(ground, "br-lan", heard=False)
    assert not seen(ground)["is_served"]
    server.asked = []
    ground.done(SERVE)
    assert "config-set" in server.asked


def test_where_nothing_is_plugged_in_nobody_has_to_listen(ground: Ground, server: Kea) -> None:
    ground.done(SERVE)
    plug(ground, "br-lan", heard=False, carrier="0")
    assert seen(ground)["is_served"]
    assert server.config["interfaces-config"]["service-sockets-max-retries"]


def test_a_server_that_does_not_know_an_interface_yet_looks_again(
    ground: Ground, server: Kea
) -> None:
    known: list[bool] = []

    def judge(config: dict[str, Any]) -> str | None:
        is_new = len(config["subnet4"]) > 1
        known.extend([True] if not is_new else [])
        return "interface 'br-lan' doesn't exist in the system" if is_new and not known else None

    server.refuses = judge
    ground.done(SERVE)
    tried = [each for each in server.asked if each.startswith("config-") and "get" not in each]
    assert tried == ["config-test", "config-set", "config-test", "config-set"]


@pytest.mark.parametrize("whose", ["br-lan", "eth9"])
def test_a_server_is_told_of_no_interface_that_is_not_there(
    whose: str, ground: Ground, server: Kea
) -> None:
    """It would lose those that it listens on."""
    if whose == "br-lan":
        shutil.rmtree(ground.path("/sys/class/net/br-lan"))
    else:
        server.config["interfaces-config"]["interfaces"] = ["eth9"]
    assert f"there is no interface {whose} here" in ground.refused(SERVE)
    assert not {"config-test", "config-set"} & {*server.asked}


@pytest.mark.parametrize(
    "strange",
    [
        {"subnet4": "x"},
        {"subnet4": [7]},
        {"subnet4": [{"subnet": SUBNET, "pools": 7, "id": 1}]},
        {"interfaces-config": [], "subnet4": [{"subnet": SUBNET, "reservations": [None]}]},
    ],
)
def test_what_makes_no_sense_is_as_if_it_was_not_there(
    strange: dict[str, Any], ground: Ground, server: Kea
) -> None:
    server.config = strange
    assert not (seen(ground) or {}).get("is_served")
    assert not (seen_reserved(ground) or {}).get("is_served")
    assert "makes no sense" in ground.refused(
        SERVE if "interfaces-config" not in strange else reserve(WEB)
    )


def test_a_file_that_is_no_text_is_told(ground: Ground, server: Kea) -> None:
    ground.path(FILE).write_bytes(b"\xff\xfe")
    assert seen(ground) is None
    for act in (SERVE, NOTHING, reserve(), reserve(WEB)):
        assert "no text" in ground.refused(act)
    assert not server.asked or "config-set" not in server.asked


def test_a_server_is_not_told_anew_of_an_interface_that_is_gone(
    ground: Ground, server: Kea
) -> None:
    plug(ground, "br-old", heard=True)
    ground.done({**SERVE, "interface": "br-old"})
    shutil.rmtree(ground.path("/sys/class/net/br-old"))
    server.refuses = lambda _config: "interface 'br-lan' doesn't exist in the system"
    server.asked = []
    assert "there is no interface br-old here" in ground.refused(SERVE)
    assert "config-set" not in server.asked


def test_what_the_server_will_forget_is_told_though_both_are_whole(
    ground: Ground, server: Kea
) -> None:
    ground.done(SERVE)
    before = ground.path(FILE).read_text()
    ground.done({**SERVE, "lease_seconds": 1200})
    ground.path(FILE).write_text(before)
    fact = seen(ground)
    assert (fact["lease_seconds"], fact["is_served"], fact["is_persisted"]) == (1200, True, False)
    assert server.config["subnet4"][1]["valid-lifetime"] == 1200
