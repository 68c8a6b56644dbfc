"""F25: the reconciler dies between arming and confirming; the host takes the change back alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.switch import act_on_trial
from reconciler.drivers.ssh.onhost.switch_arm import Refused, arm
from reconciler.drivers.ssh.onhost.switch_restore import fire
from reconciler.drivers.ssh.onhost.switch_settle import settle
from reconciler.drivers.ssh.onhost.switch_site import started_at
from tests.scenes.switched_host import (
    OPEN,
    RULES,
    SHUT,
    SwitchedHost,
    actor_elsewhere,
    put_file,
    restart,
)

SERVICE = "service@virt1/nftables"
ACTS = (put_file(RULES, SHUT), restart("nftables"))
KILLED = 99


@pytest.fixture
def host(tmp_path: Path) -> SwitchedHost:
    return SwitchedHost(tmp_path)


def asked(token: str = "one", digest: str = "shut", **changes: Any) -> dict[str, Any]:
    return {
        "token": token,
        "host": "virt1",
        "seconds": 108.0,
        "files": [RULES],
        "services": ["nftables"],
        "concerns": [(SERVICE, digest)],
        "settles": True,
        "network": False,
        "archive": "",
        **changes,
    }


def begin(host: SwitchedHost, token: str = "one", digest: str = "shut") -> None:
    arm(host.site, asked(token, digest), python="python3")
    with actor_elsewhere(host.site):
        act_on_trial(host.site, token, host.batch(), list(ACTS))


def test_nobody_confirms_so_all_is_as_before(host: SwitchedHost) -> None:
    begin(host)
    assert host.rules == SHUT
    host.wait(107)
    assert host.rules == SHUT
    host.wait(2)
    assert host.rules == host.text(RULES) == OPEN


def test_it_may_be_tried_once_more_and_is_then_held(host: SwitchedHost) -> None:
    begin(host, "one")
    host.wait(120)
    assert host.own("undone.json") == {}
    begin(host, "two")
    host.wait(120)
    assert host.own("undone.json") == {SERVICE: "shut"}


def test_another_spec_is_another_try(host: SwitchedHost) -> None:
    begin(host, "one", "shut")
    host.wait(120)
    begin(host, "two", "shut differently")
    host.wait(120)
    assert host.own("undone.json") == {}


def test_what_a_late_reconciler_hears_is_that_it_was_taken_back(host: SwitchedHost) -> None:
    begin(host)
    host.wait(120)
    told = settle(host.site, "one")
    assert told["outcome"] == "undone"
    assert told["event"]["back"] == [RULES, "the rules of the firewall", "nftables.service"]
    assert host.own("undone.json") == {SERVICE: "shut"}
    assert settle(host.site, "one") == told


def test_a_confirmed_change_is_confirmed_as_often_as_asked(host: SwitchedHost) -> None:
    begin(host)
    assert settle(host.site, "one") == {"outcome": "confirmed"}
    assert settle(host.site, "one") == {"outcome": "confirmed"}
    host.wait(1000)
    assert host.rules == SHUT


def test_nobody_confirms_the_change_of_another(host: SwitchedHost) -> None:
    begin(host)
    assert settle(host.site, "two")["outcome"] == "unknown"
    assert host.rules == SHUT, "nor takes it back"
    host.wait(120)
    assert host.rules == OPEN


def test_two_changes_are_not_on_trial_at_once(host: SwitchedHost) -> None:
    begin(host)
    with pytest.raises(Refused, match="another change is on trial"):
        begin(host, "two")
    assert settle(host.site, "one")["outcome"] == "confirmed"


def test_acts_that_nobody_saw_the_end_of_are_taken_back(host: SwitchedHost) -> None:
    arm(host.site, asked(), python="python3")
    with actor_elsewhere(host.site):
        host.put(RULES, SHUT)
    assert settle(host.site, "one")["outcome"] == "undone"
    assert host.text(RULES) == OPEN


def test_a_trial_whose_time_does_not_run_ends_with_the_next(host: SwitchedHost) -> None:
    begin(host)
    host.due = None
    with pytest.raises(Refused, match="has been taken back now"):
        begin(host, "two")
    assert host.rules == OPEN
    begin(host, "two")


@pytest.mark.parametrize("is_same", [True, False])
def test_who_made_the_change_is_ended_before_it_is_taken_back(
    host: SwitchedHost, is_same: bool
) -> None:
    begin(host)
    with subprocess.Popen(["sleep", "1000"]) as actor:
        started = started_at(actor.pid) if is_same else "at another time"
        record = {**host.own("armed.json"), "actor": {"pid": actor.pid, "started": started}}
        host.site.write("armed.json", record)
        host.wait(120)
        actor.send_signal(signal.SIGTERM)  # too late for who was ended already
    assert actor.returncode == (-signal.SIGKILL if is_same else -signal.SIGTERM)


def test_kept_contents_do_not_outlive_the_trial(host: SwitchedHost) -> None:
    host.put(RULES, OPEN + "# canary\n")
    begin(host)
    settle(host.site, "one")
    begin(host, "two")
    host.wait(120)
    directory = Path(host.site.directory)
    assert not [each for each in directory.iterdir() if "canary" in each.read_text()]
    assert oct(directory.stat().st_mode)[-3:] == "700"


# ---------------------------------------------------------------------- killed at every statement


def killed_at(number: int, doing: Callable[[], object]) -> bool:
    """Do it in a process of its own, which dies before that statement; whether it came so far."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    left = number

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        del argument
        if "/onhost/switch" not in frame.f_code.co_filename:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os._exit(KILLED)
        return trace

    sys.settrace(trace)
    try:
        doing()
    finally:
        os._exit(0)


def every_death(
    make: Callable[[], SwitchedHost], doing: Callable[[SwitchedHost], object]
) -> list[SwitchedHost]:
    """A host for each statement at which doing it can be cut short."""
    hosts: list[SwitchedHost] = []
    while True:
        hosts.append(make())
        was_killed = killed_at(len(hosts), lambda: doing(hosts[-1]))
        hosts[-1].recall()
        if not was_killed:
            assert len(hosts) > 50
            return hosts[:-1]


@pytest.fixture
def new_host() -> Iterator[Callable[[], SwitchedHost]]:
    """Hosts in memory: on a disk each would wait for it some thirty times."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own in it
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        numbers = count()
        yield lambda: SwitchedHost(Path(directory, str(next(numbers))))


@pytest.fixture
def trial(new_host: Callable[[], SwitchedHost]) -> Callable[[], SwitchedHost]:
    """A host with a change on trial."""

    def make() -> SwitchedHost:
        host = new_host()
        begin(host)
        return host

    return make


def is_taken_back(host: SwitchedHost) -> bool:
    return host.rules == host.text(RULES) == OPEN


def takes_another_trial(host: SwitchedHost) -> bool:
    """What died left nothing behind that is in the way, for longer than one more attempt."""
    try:
        begin(host, "next", "other")
    except Refused:
        begin(host, "next", "other")
    return settle(host.site, "next") == {"outcome": "confirmed"} and host.rules == SHUT


def test_a_death_while_arming_or_acting_leaves_all_as_before(
    new_host: Callable[[], SwitchedHost],
) -> None:
    for host in every_death(new_host, begin):
        host.wait(120)
        assert is_taken_back(host)
        assert takes_another_trial(host)


def test_a_power_cut_while_arming_or_acting_leaves_all_as_before(
    new_host: Callable[[], SwitchedHost],
) -> None:
    for host in every_death(new_host, begin):
        host.restart()
        assert is_taken_back(host)
        assert takes_another_trial(host)


def test_a_death_while_confirming_is_made_good_by_asking_again(
    trial: Callable[[], SwitchedHost],
) -> None:
    for host in every_death(trial, lambda host: settle(host.site, "one")):
        assert settle(host.site, "one") == {"outcome": "confirmed"}
        host.wait(1000)
        assert host.rules == host.text(RULES) == SHUT
        assert takes_another_trial(host)


def test_a_death_while_confirming_leaves_one_or_the_other(
    trial: Callable[[], SwitchedHost],
) -> None:
    for host in every_death(trial, lambda host: settle(host.site, "one")):
        host.wait(1000)
        was_confirmed = settle(host.site, "one")["outcome"] == "confirmed"
        assert host.rules == host.text(RULES) == (SHUT if was_confirmed else OPEN)
        assert takes_another_trial(host)


def test_a_death_while_taking_back_is_made_good_by_beginning_again(
    trial: Callable[[], SwitchedHost],
) -> None:
    for host in every_death(trial, lambda host: fire(host.site)):
        host.start_switch()
        assert is_taken_back(host)
        assert settle(host.site, "one")["outcome"] == "undone"
        assert host.own("story.json")["concerns"][SERVICE]["count"] == 1
        assert takes_another_trial(host)
