"""F24: a change that cuts the host off is taken back there by itself, and is known afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.switch import guarded
from reconciler.errors import Conflict, DriverError, Unreachable
from reconciler.kinds.base.management import safety_of_file, safety_of_service
from reconciler.model.address import Address
from reconciler.ports.machine import Safety
from tests.scenes.switched_host import (
    OPEN,
    RULES,
    SHUT,
    SSHD,
    SwitchedHost,
    Way,
    mark_file,
    put_file,
    restart,
)

FILE = Address("file", "etc-nftables.conf", "virt1")
SERVICE = Address("service", "nftables", "virt1")
CUT_OFF = 108.0  # seconds: nine tenths of the deadline


@pytest.fixture
def host(tmp_path: Path) -> SwitchedHost:
    return SwitchedHost(tmp_path)


@pytest.fixture
def way(host: SwitchedHost) -> Way:
    return Way(host)


def of_file(digest: str, path: str = RULES, address: Address = FILE) -> Safety:
    safety = safety_of_file(address, path, digest)
    assert safety
    return safety


def of_service(digest: str, unit: str = "nftables", path: str = RULES) -> Safety:
    safety = safety_of_service(SERVICE, unit, [path], digest)
    assert safety
    return safety


def change(way: Way, acts: list[dict[str, Any]], safety: Safety) -> None:
    host = way.switched
    guarded(way, acts, safety, sleep=host.wait, monotonic=lambda: host.now)


def write_rules(way: Way, rules: str, digest: str) -> None:
    acts = [put_file(RULES, rules), mark_file(RULES, "etc-nftables.conf", digest)]
    change(way, acts, of_file(digest))


def test_a_change_that_is_well_is_confirmed_over_a_new_connection(
    host: SwitchedHost, way: Way
) -> None:
    change(way, [put_file(RULES, OPEN + OPEN), restart("nftables")], of_service("new"))

    assert host.rules == OPEN + OPEN
    assert host.due is None
    assert host.own("armed.json") is None
    host.wait(1000)
    assert host.rules == OPEN + OPEN


def test_rules_that_drop_ssh_are_back_within_the_deadline(host: SwitchedHost, way: Way) -> None:
    with pytest.raises(Conflict, match="cut the host off"):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("shut"))

    assert host.rules == OPEN
    assert host.text(RULES) == OPEN
    assert CUT_OFF <= host.now <= 120


def test_the_file_that_an_earlier_change_wrote_goes_back_too(host: SwitchedHost, way: Way) -> None:
    write_rules(way, SHUT, "shut")
    assert host.text(RULES) == SHUT

    with pytest.raises(Conflict, match=RULES):
        change(way, [restart("nftables")], of_service("shut"))

    assert host.text(RULES) == OPEN
    assert host.rules == OPEN
    assert host.own("undone.json") == {str(FILE): "shut", str(SERVICE): "shut"}


def test_of_several_files_written_before_each_goes_back_to_what_ran(
    host: SwitchedHost, way: Way
) -> None:
    write_rules(way, OPEN + "# one\n", "one")
    write_rules(way, SHUT, "two")

    with pytest.raises(Conflict):
        change(way, [restart("nftables")], of_service("two"))

    assert host.text(RULES) == OPEN, "not to the first, with which nothing ever ran"


def test_what_a_service_was_started_with_by_hand_is_what_goes_back(
    host: SwitchedHost, way: Way
) -> None:
    write_rules(way, OPEN + "# one\n", "one")
    host.run(["systemctl", "restart", "nftables"], b"", 1)

    with pytest.raises(Conflict):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("two"))

    assert host.text(RULES) == OPEN + "# one\n"


def test_after_a_confirmed_restart_the_new_content_is_what_goes_back(
    host: SwitchedHost, way: Way
) -> None:
    write_rules(way, OPEN + "# one\n", "one")
    change(way, [restart("nftables")], of_service("one"))

    with pytest.raises(Conflict):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("two"))

    assert host.text(RULES) == OPEN + "# one\n"


def test_a_service_that_was_off_is_off_again(host: SwitchedHost, way: Way) -> None:
    host.units["nftables.service"].enabled = "disabled"
    host.units["nftables.service"].is_active = False
    host.put(RULES, SHUT)
    switched_on = {"act": "set_service", "unit": "nftables", "enabled": True, "running": True}

    with pytest.raises(Conflict, match="cut the host off"):
        change(way, [{**switched_on, "masked": None}], of_service("on"))

    assert host.units["nftables.service"].enabled == "disabled"
    assert not host.units["nftables.service"].is_active
    assert host.rules == OPEN


def test_an_sshd_that_lets_nobody_in_is_taken_back(host: SwitchedHost, way: Way) -> None:
    acts = [put_file(SSHD, "AllowUsers nobody\n"), restart("ssh")]
    with pytest.raises(Conflict, match="cut the host off"):
        change(way, acts, of_service("shut", "ssh", SSHD))

    assert host.sshd == host.text(SSHD) == "Port 22\n"


def test_a_kept_connection_does_not_confirm(host: SwitchedHost, way: Way) -> None:
    way.run(["true"])
    with pytest.raises(Conflict):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("shut"))
    assert way.exchanges == ["true", "true", "switch", "switch_settle"]


def test_a_file_that_is_written_again_is_still_remembered_for_what_it_did(
    host: SwitchedHost, way: Way
) -> None:
    write_rules(way, SHUT, "shut")
    with pytest.raises(Conflict):
        change(way, [restart("nftables")], of_service("shut"))
    write_rules(way, SHUT, "shut")
    assert host.own("undone.json") == {str(FILE): "shut", str(SERVICE): "shut"}


def test_a_new_try_that_is_well_clears_the_record(host: SwitchedHost, way: Way) -> None:
    with pytest.raises(Conflict):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("shut"))
    change(way, [put_file(RULES, OPEN), restart("nftables")], of_service("open"))

    assert host.own("undone.json") == {}


@pytest.mark.parametrize("rules_stay", [False, True], ids=["a machine", "a container"])
def test_a_host_that_starts_anew_while_on_trial_takes_the_change_back(
    host: SwitchedHost, way: Way, rules_stay: bool
) -> None:
    host.units["nftables.service"].enabled = "disabled"
    write_rules(way, SHUT, "shut")
    way.at_exchange[5] = lambda: host.restart(rules_stay=rules_stay)

    with pytest.raises(Conflict, match="was started anew"):
        change(way, [restart("nftables")], of_service("shut"))

    assert host.text(RULES) == OPEN
    assert host.rules == (OPEN if rules_stay else "")
    assert host.now < CUT_OFF


def test_a_host_that_does_not_come_back_is_not_waited_for_long(
    host: SwitchedHost, way: Way
) -> None:
    way.at_exchange[2] = lambda: setattr(host, "due", None)

    with pytest.raises(Unreachable, match="It takes the change back by itself"):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("shut"))

    assert host.now < 120 + 60 + 10


def test_a_host_that_is_away_already_is_not_said_to_be_cut_off(
    host: SwitchedHost, way: Way
) -> None:
    host.rules = SHUT
    with pytest.raises(Unreachable, match="no answer from ssh"):
        change(way, [restart("nftables")], of_service("new"))
    assert host.now < 20


# ------------------------------------------------------------------------- acts that fail on trial


def test_a_service_that_does_not_start_has_its_old_files_at_once(
    host: SwitchedHost, way: Way
) -> None:
    write_rules(way, OPEN + "# new\n", "new")
    host.units["nftables.service"].is_broken = True

    with pytest.raises(Conflict, match="cannot try-restart nftables"):
        change(way, [restart("nftables")], of_service("new"))

    assert host.text(RULES) == OPEN
    assert host.now < 10


def test_what_failed_is_tried_once_more_and_then_held(host: SwitchedHost, way: Way) -> None:
    host.units["nftables.service"].is_broken = True
    for held in ({}, {str(SERVICE): "new"}):
        host.units["nftables.service"].is_active = True
        with pytest.raises(Conflict):
            change(way, [restart("nftables")], of_service("new"))
        assert host.own("undone.json") == held


def test_a_file_that_is_refused_leaves_everything_as_it_is(host: SwitchedHost, way: Way) -> None:
    refused = {**put_file(RULES, SHUT), "check": ["/bin/false", "{}"]}
    with pytest.raises(Conflict, match="refuses the new content"):
        change(way, [refused, restart("nftables")], of_service("new"))

    assert host.text(RULES) == OPEN
    assert host.units["nftables.service"].starts == 0, "nothing was taken back"
    assert host.own("story.json") is None
    assert host.due is None


# ------------------------------------------------------------------------------ arming that fails


def no_timer(host: SwitchedHost) -> None:
    host.timer_works = False


def no_room(host: SwitchedHost) -> None:
    (host.root / "var/lib").rmdir()
    (host.root / "var/lib").write_text("")


@pytest.mark.parametrize("fault", [no_timer, no_room])
def test_without_a_sure_way_back_nothing_is_changed(
    host: SwitchedHost, way: Way, fault: Callable[[SwitchedHost], None]
) -> None:
    fault(host)
    with pytest.raises(DriverError, match="nothing was changed"):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("new"))

    assert host.text(RULES) == OPEN
    assert host.rules == OPEN
    assert host.own("armed.json") is None


def test_a_unit_of_a_strange_name_is_refused(host: SwitchedHost, way: Way) -> None:
    safety = Safety((RULES,), ("nftables\nExecStart=/bin/sh",), ((SERVICE, "new"),))
    with pytest.raises(Conflict, match="a name that systemd does not know"):
        change(way, [restart("nftables")], safety)


def test_rules_that_cannot_be_loaded_again_lose_only_what_is_new(
    host: SwitchedHost, way: Way
) -> None:
    host.rules = "table ip nat {\n\tnonsense\n}\n"
    with pytest.raises(Conflict, match="cut the host off"):
        change(way, [put_file(RULES, SHUT), restart("nftables")], of_service("shut"))
    assert host.rules == OPEN, "what the service loads with its old file"
