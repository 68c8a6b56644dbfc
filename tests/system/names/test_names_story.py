"""From a merge to the answers of two name servers, and all that happens to them on the way.

Everything is done by the real program, and everything is asked of the servers themselves.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from tests.system.lab import Lab, eventually
from tests.system.names_farm import (
    ALLOWED,
    CATALOG,
    DOMAIN,
    MACHINES,
    MANY,
    NAMES_IN_MANY,
    NamesFarm,
    machine,
    many,
    named,
)

REVERSE, HOSTS_REVERSE = "8.213.10.in-addr.arpa", "7.213.10.in-addr.arpa"
ZONES = (DOMAIN, MANY, REVERSE, HOSTS_REVERSE, CATALOG)
WEB = f"web-1.{DOMAIN}"
WEB_ADDRESS = MACHINES["web-1"][1]
WRONG = "192.0.2.66"
SOON = timedelta(seconds=5)
SEEN_SECONDS = 2.0  # the look each second, and the look at all of it that follows
ROUNDS = 5


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamesFarm]:
    """The repository, and two hosts on which nothing of it was done yet."""
    with named(lab, tmp_path_factory.mktemp("names")) as farm:
        yield farm


@pytest.fixture(autouse=True)
def _settled(farm: NamesFarm) -> None:
    """The farm is as it was described at first."""
    farm.settle()


def make_wrong(farm: NamesFarm) -> None:
    """Change the address of a machine by hand."""
    farm.by_hand(DOMAIN, f"update delete {WEB} A", f"update add {WEB} 60 A {WRONG}")


def _recorded(farm: NamesFarm, heals: int) -> bool | None:
    return len(farm.entries("heal(")) >= heals or None


def test_both_servers_answer_forward_and_reverse_for_everything(farm: NamesFarm) -> None:
    hosts = {f"{host.name}.host.{DOMAIN}": host.address for host in farm.servers}
    expected = {**hosts, WEB: WEB_ADDRESS, f"web-2.{DOMAIN}": MACHINES["web-2"][1]}
    expected[f"try-1.dev.{DOMAIN}"] = MACHINES["try-1"][1]
    for server in farm.servers:
        for name, address in expected.items():
            back = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
            farm.await_answer(server, name, "A", address)
            farm.await_answer(server, back, "PTR", f"{name}.")
        wiki = f"{farm.secondary.name}.host.{DOMAIN}."
        farm.await_answer(server, f"wiki.{DOMAIN}", "CNAME", wiki)
        farm.await_answer(server, f"_wiki._tcp.{DOMAIN}", "SRV", f"0 0 443 {wiki}")
        farm.await_answer(server, DOMAIN, "MX", f"10 mail.{DOMAIN}.")


def test_a_farm_that_is_as_it_should_be_has_nothing_to_do(farm: NamesFarm) -> None:
    before = [farm.serial(zone) for zone in ZONES]
    assert "nothing to do" in farm.sync("production")
    assert "nothing to do" in farm.sync("development")
    assert [farm.serial(zone) for zone in ZONES] == before


def test_a_machine_that_comes_and_goes_is_answered_for_just_as_long(farm: NamesFarm) -> None:
    path = "environments/development/vms/try-9.yaml"
    name, back = f"try-9.dev.{DOMAIN}", f"189.{REVERSE}"
    farm.declare({path: machine("try-9", "10.213.8.189")}, branch="development")
    farm.sync("development")
    for server in farm.servers:
        farm.await_answer(server, name, "A", "10.213.8.189")
        farm.await_answer(server, back, "PTR", f"{name}.")
    farm.declare({path: None}, branch="development")
    farm.sync("development")
    for server in farm.servers:
        farm.await_answer(server, name, "A")
        farm.await_answer(server, back, "PTR")


def _seen_within(entry: str) -> float:
    """How long the serial look needed at most, as the journal says."""
    match = re.search(rf"zone/{re.escape(DOMAIN)} by serial within ([0-9.]+) s", entry)
    return float(match[1]) if match else 0.0


def test_a_record_changed_by_hand_is_seen_in_a_second_and_healed_in_one_turn(
    farm: NamesFarm, record_property: Callable[[str, object], None]
) -> None:
    farm.declare(farm.policy(interval="1h"))  # so that no full look finds it
    took = []
    with farm.begun("run"):
        farm.await_rest()
        for number in range(1, ROUNDS + 1):
            make_wrong(farm)
            began = time.monotonic()
            eventually(
                lambda: farm.ask(farm.primary, WEB) == [WEB_ADDRESS] or None, every_seconds=0.02
            )
            took.append(time.monotonic() - began)
            eventually(partial(_recorded, farm, number))
            farm.await_rest()
    found = farm.entries("drift(")
    record_property("seconds until healed", took)
    assert max(took) < SOON.total_seconds()
    assert len(found) == len(farm.entries("heal(")) == ROUNDS
    assert all(0 < _seen_within(each) <= SEEN_SECONDS for each in found), found


def test_a_turn_takes_none_of_its_own_changes_for_drift(farm: NamesFarm) -> None:
    with farm.begun("run"):
        farm.await_rest()
        farm.declare({"zones/many.yaml": many(3)}, f"Change\n\n{ALLOWED}")
        farm.await_answer(farm.primary, f"n7.{MANY}", "A", "192.0.2.3", "198.51.100.3")
        farm.await_rest()
    assert farm.entries("drift(") == farm.entries("heal(") == []
    assert len(farm.entries("sync(")) == 1


def test_drift_that_is_only_to_be_reported_stays(farm: NamesFarm) -> None:
    farm.declare(farm.policy(drift="report"))
    farm.sync()
    make_wrong(farm)
    done = farm.run("drift", "-e", "production")
    assert (done.returncode, f"zone/{DOMAIN}" in done.stdout) == (2, True), done.stdout
    farm.sync(expects=2)
    assert farm.ask(farm.primary, WEB) == [WRONG]


def test_a_record_made_by_hand_is_reported_and_kept(farm: NamesFarm) -> None:
    name = f"by-hand.{DOMAIN}"
    farm.by_hand(DOMAIN, f"update add {name} 300 TXT theirs")
    told = json.loads(farm.run("drift", "-e", "production", "--format", "json").stdout)
    assert told["foreign"] == [f"zone@ns/{DOMAIN}/by-hand/TXT"]
    more = machine("web-9", "10.213.8.179")
    farm.declare({"environments/production/vms/web-9.yaml": more})
    farm.sync()
    farm.sync()
    assert farm.ask(farm.primary, f"web-9.{DOMAIN}") == ["10.213.8.179"]
    assert farm.ask(farm.primary, name, "TXT") == ['"theirs"']
    farm.by_hand(DOMAIN, f"update delete {name}")


def test_nobody_claims_a_name_of_another_environment(farm: NamesFarm) -> None:
    taken = {"environments/development/vms/web-1.yaml": machine("web-1", "10.213.8.199")}
    policy = farm.policy("development", domain=DOMAIN)
    farm.declare({**taken, **policy}, branch="development")
    refused = farm.run("plan", "-e", "development")
    assert refused.returncode == 1, refused.stdout
    assert f"{WEB}, which is in zone {DOMAIN} of production" in refused.stderr
    assert farm.run("sync", "-e", "development").returncode == 1
    assert farm.ask(farm.primary, WEB) == [WEB_ADDRESS]


def test_the_server_itself_refuses_the_key_of_another_environment(farm: NamesFarm) -> None:
    theirs = f"update add {WEB} 60 A {WRONG}"
    assert "REFUSED" in farm.forced("development", DOMAIN, theirs)
    assert farm.ask(farm.primary, WEB) == [WEB_ADDRESS]


def test_a_change_past_the_serial_is_found_by_a_look_at_everything(farm: NamesFarm) -> None:
    before = farm.serial(DOMAIN)
    file = f"/var/lib/bind/reconciler/{DOMAIN}.db"
    farm.touch_by_hand()
    farm.primary.run("rndc", "freeze", DOMAIN)
    farm.primary.run("sed", "-i", f"s/{WEB_ADDRESS}/{WRONG}/", file)
    farm.primary.run("rndc", "thaw", DOMAIN)
    farm.await_answer(farm.primary, WEB, "A", WRONG)
    assert farm.serial(DOMAIN) == before
    assert farm.run("drift", "-e", "production").returncode == 2
    farm.sync()
    assert farm.changes() == []
    for server in farm.servers:
        farm.await_answer(server, WEB, "A", WEB_ADDRESS)


def test_a_server_that_does_not_answer_holds_up_nothing_but_its_zones(farm: NamesFarm) -> None:
    motto = {"path": "/etc/reconciler-motto", "content": "first things first\n"}
    farm.declare(
        {
            farm.path_of(farm.secondary): farm.document_of(farm.secondary, files=[motto]),
            "zones/many.yaml": many(2),
        },
        f"Change\n\n{ALLOWED}",
    )
    farm.primary.run("systemctl", "kill", "--signal=STOP", "named.service")
    try:
        said = farm.sync(expects=1)
    finally:
        farm.primary.run("systemctl", "kill", "--signal=CONT", "named.service")
    assert farm.secondary.run("cat", motto["path"]) == motto["content"]
    assert "ns" in said
    assert farm.numbers() == {1}
    farm.sync()
    assert farm.numbers() == {2}


def test_a_server_that_was_stopped_by_hand_is_started_and_answers(farm: NamesFarm) -> None:
    farm.touch_by_hand()
    farm.primary.run("systemctl", "stop", "named.service")
    farm.run("sync", "-e", "production")
    farm.await_answer(farm.primary, WEB, "A", WEB_ADDRESS)
    farm.sync()


@pytest.mark.parametrize("victims", ["server", "reconciler", "both"])
def test_what_is_killed_in_the_middle_of_a_change_leaves_nothing_half_done(
    farm: NamesFarm, victims: str
) -> None:
    """A hundred names of two addresses each change at once; every transfer has the same for all."""
    number = {"server": 11, "reconciler": 12, "both": 13}[victims]
    seen: set[frozenset[int]] = set()
    farm.declare({"zones/many.yaml": many(number)}, f"Change\n\n{ALLOWED}")
    before = farm.serial(MANY)
    with farm.begun("sync", "-e", "production") as process:
        while farm.serial(MANY) == before and process.poll() is None:
            seen.add(frozenset(farm.numbers()))
        if victims != "server":
            os.kill(process.pid, signal.SIGKILL)
        if victims != "reconciler":
            farm.primary.run("systemctl", "kill", "--signal=KILL", "named.service")
        process.wait(60)
    eventually(lambda: True if farm.numbers() else None)
    seen.add(frozenset(farm.numbers()))
    farm.run("sync", "-e", "production")
    farm.sync()
    assert farm.numbers() == {number}
    assert all(len(each) <= 1 for each in seen), seen
    for name in (f"n0.{MANY}", f"n{NAMES_IN_MANY - 1}.{MANY}"):
        for server in farm.servers:
            farm.await_answer(server, name, "A", f"192.0.2.{number}", f"198.51.100.{number}")
