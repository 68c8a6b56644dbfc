"""Hosts from bare to declared and all that happens to them, with the real program."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from tests.system.hosts_farm import HOSTS, SECRET, HostsFarm, answers, told
from tests.system.lab import Lab, LabHost, eventually

pytestmark = pytest.mark.timeout(600)  # the hosts may be others' for a while
FIRST, SECOND, THIRD = HOSTS
LOG = logging.getLogger(__name__)
AT_ONCE_SECONDS, SOON_SECONDS = 1.0, 11.0


@pytest.fixture(scope="module")
def synced(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostsFarm]:
    """Three hosts that were bare, after one sync."""
    with told(lab, tmp_path_factory.mktemp("story")) as farm:
        for host in farm.hosts.values():
            host.write_file("/etc/story.theirs", b"theirs\n")
            host.write_file("/etc/story.unwanted", b"unwanted\n")
        farm.sync()
        yield farm


@pytest.fixture
def farm(synced: HostsFarm) -> HostsFarm:
    """The hosts as their stack says, whatever the test before has done."""
    synced.settle()
    return synced


@pytest.fixture
def watched(farm: HostsFarm) -> Iterator[HostsFarm]:
    """The same, and the program that runs on and rests for now."""
    with farm.begun("-v", "run"):
        for host in farm.hosts.values():
            eventually(partial(is_listened_to, host))
        farm.await_rest()
        yield farm


def is_listened_to(host: LabHost) -> bool | None:
    """Whether the program has begun to listen to what moves there."""
    return host.attempt("pgrep", "inotifywait").code == 0 or None


def files(content: str, *names: str) -> list[dict[str, str]]:
    """That files of the service say this."""
    return [{"path": f"/etc/story/{name}", "content": content} for name in names]


def begun(host: LabHost) -> int:
    """How often the service was started."""
    return host.run("cat", "/srv/story/begun").count("begun")


def comes_in(host: LabHost, *command: str) -> str | None:
    """What the account says to a command, if its key lets us in."""
    *ssh, _ = host._ssh()
    argv = [*ssh, f"teller@{host.address}", *command]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else None


DECLARED = {
    "hello": "Hello, world!",
    "apt-mark showhold": "hello",
    "dpkg-query -Wf '${Status}' tree": "install ok installed",
    "stat -c '%a %U:%G' /etc/story/conf": "640 teller:tellers",
    "cat /etc/story/conf /etc/story.theirs": "first\nours",
    "stat -c '%a %F' /etc/story": "750 directory",
    "readlink /srv/story-link": "/srv/story",
    "test -e /etc/story.unwanted": "no",
    "systemctl is-active story": "active",
    "systemctl is-enabled story": "enabled",
    "id -nG teller": "teller tellers",
    "cat /proc/sys/net/ipv4/ip_default_ttl": "65",
    "findmnt -rno FSTYPE,SIZE /srv/story/ram": "tmpfs 1M",
    "readlink /etc/localtime": "/usr/share/zoneinfo/Europe/Helsinki",
    "ls /srv/story/agent": "/srv/story/agent",
    "cat /etc/story/key": f"key = {SECRET}",
    "stat -c '%a %U:%G' /etc/story/key": "600 root:root",
    "virsh pool-info story | grep -c running": "1",
}


def test_bare_hosts_become_what_is_declared(synced: HostsFarm) -> None:
    for host in synced.hosts.values():
        said = answers(host, *DECLARED)
        assert dict(zip(DECLARED, said, strict=False)) == DECLARED
        assert begun(host) == 1
        assert comes_in(host, "sudo", "-n", "id", "-un") == "root\n"
    second = synced.run("plan", "-e", "production")
    assert second.returncode == 0, second.stdout
    assert synced.leaks() == []


def test_two_files_that_a_service_reads_restart_it_once(farm: HostsFarm) -> None:
    host = farm.hosts[FIRST]
    before = begun(host)
    farm.declare({FIRST: {"files": files("second\n", "conf", "more")}})
    assert farm.plan().keys() == {
        f"file@{FIRST}/etc-story-conf",
        f"file@{FIRST}/etc-story-more",
        f"service@{FIRST}/story",
    }
    farm.sync()
    assert begun(host) == before + 1
    assert host.run("cat", "/etc/story/conf", "/etc/story/more") == "second\n" * 2


def test_content_that_its_checker_refuses_reaches_nobody(farm: HostsFarm) -> None:
    host, other = farm.hosts[FIRST], farm.hosts[SECOND]
    before = begun(host)
    farm.declare(
        {
            FIRST: {"files": [*files("broken\n", "conf"), *files("third\n", "more")]},
            SECOND: {"files": files("third\n", "conf")},
        }
    )
    said = farm.sync(expects=1)
    assert "grep refuses the new content" in said
    assert host.run("cat", "/etc/story/conf", "/etc/story/more") == "first\nthird\n"
    assert begun(host) == before
    assert other.run("cat", "/etc/story/conf") == "third\n"
    farm.declare({FIRST: {"files": files("third\n", "conf", "more")}})
    farm.sync()
    assert host.run("cat", "/etc/story/conf", "/etc/story/more") == "third\nthird\n"
    assert begun(host) == before + 1


LEFT = {
    "cat /etc/story.theirs": "theirs",
    "cat /etc/story.unwanted": "unwanted",
    "test -e /etc/story/key": "no",
    "test -e /etc/systemd/system/story.service": "no",
    "hello": "Hello, world!",
    "dpkg-query -Wf '${Status}' tree": "install ok installed",
    "systemctl is-active story": "active",
    "id -nG teller": "teller tellers",
    "ls -d /home/teller": "/home/teller",
    "findmnt /srv/story/ram": "no",
    "grep story /etc/fstab": "no",
    "grep ttl /etc/sysctl.d/90-reconciler.conf 2>/dev/null": "no",
    "virsh pool-info story 2>/dev/null": "no",
    "cat /srv/story/pool/data": "data",
}


def test_what_is_taken_away_is_left_as_a_person_would_want(farm: HostsFarm) -> None:
    host = farm.hosts[THIRD]
    host.write_file("/srv/story/pool/data", b"data\n")
    bare: dict[str, dict[str, object]] = {THIRD: {"stack": None, "hostname": None}}
    farm.declare(bare)
    assert "base-removal" in farm.sync(expects=1)
    farm.declare(bare, message="Bare it\n\nReconciler-Allow: base-removal\n")
    farm.sync()
    said = answers(host, *LEFT)
    assert dict(zip(LEFT, said, strict=False)) == LEFT
    assert comes_in(host, "true") is None


def test_another_environment_leaves_the_base_alone_and_says_so(farm: HostsFarm) -> None:
    document = farm.host(FIRST, {"files": files("of staging\n", "conf")})
    farm.commit({f"hosts/{FIRST}.yaml": json.dumps(document)}, branch="staging")
    plan = farm.run("plan", "-e", "staging")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert f"files of host {FIRST} are not as on the branch of production" in plan.stdout


def test_in_maintenance_only_what_a_commit_asks_for_is_done(farm: HostsFarm) -> None:
    host = farm.hosts[THIRD]
    host.write_file("/etc/story/more", b"by hand\n")
    farm.declare({THIRD: {"maintenance": True, "files": files("asked for\n", "slow")}})
    said = farm.sync(expects=2)
    assert f"host {THIRD} is in maintenance: drift is only reported" in said
    assert host.run("cat", "/etc/story/more", "/etc/story/slow") == "by hand\nasked for\n"


SLOW = {
    "name": "agent",
    "run": ["/usr/local/sbin/story-slow"],
    "check": ["cmp", "-s", "/etc/story/slow", "/srv/story/slow-done"],
    "deadline": "9s",
}


def is_slow(host: LabHost) -> bool | None:
    """Whether the host is within the slow command."""
    return host.attempt("test", "-e", "/srv/story/slow-begun").code == 0 or None


def test_hosts_that_are_lost_in_the_middle_are_brought_to_the_end_later(farm: HostsFarm) -> None:
    cut, killed, well = farm.hosts.values()
    base = {"files": files("lost\n", "slow", "more"), "commands": [SLOW]}
    farm.declare(dict.fromkeys(farm.hosts, base))
    with farm.begun("sync", "-e", "production") as sync:
        eventually(lambda: is_slow(cut) and is_slow(killed))
        farm.lab.kill(killed.name)
        with farm.lab.cut_off(cut.name):
            code = sync.wait(120)
    farm.lab.boot()
    said = farm.log.read_text()
    assert code == 1, said
    for host in (cut, killed):
        assert f"command@{host.name}/agent unknown" in said
    assert well.run("cat", "/srv/story/slow-done", "/etc/story/more") == "lost\n" * 2
    booted = ["systemctl is-active story", "cat /proc/sys/net/ipv4/ip_default_ttl"]
    assert answers(killed, *booted, "findmnt -no FSTYPE /srv/story/ram")[:3] == [
        *("active", "65", "tmpfs")
    ]
    farm.sync()
    torn = "find /etc /usr/local /srv/story -name '.reconciler-*'"
    for host in farm.hosts.values():
        assert answers(host, "cat /srv/story/slow-done /etc/story/more", torn)[:2] == [
            *("lost\nlost", "")
        ]


def test_of_two_reconcilers_the_one_that_is_late_is_refused(farm: HostsFarm) -> None:
    host = farm.hosts[THIRD]
    host.run("rm", "-f", "/srv/story/slow-begun")
    later = {
        "name": "later",
        "run": ["touch", "/srv/story/later"],
        "check": ["test", "-e", "/srv/story/later"],
    }
    base = {"files": files("two\n", "slow"), "commands": [SLOW, later]}
    farm.declare({THIRD: base})
    with farm.begun("sync", "-e", "production") as first:
        eventually(lambda: is_slow(host))
        second = farm.run("sync", "-e", "production", settings=farm.second)
        code = first.wait(120)
    said = farm.log.read_text() + second.stdout + second.stderr
    assert sorted([code, second.returncode]) == [0, 1], said
    assert "another reconciler has changed this host since it was looked at" in said
    farm.sync()
    assert host.run("cat", "/srv/story/slow-done") == "two\n"


LOUD = {
    f"file@{FIRST}/etc-story-more": "echo by hand >/etc/story/more",
    f"package@{SECOND}/tree": "dpkg -r tree",
    f"user@{THIRD}/teller": "usermod --shell /bin/bash teller",
    f"file@{FIRST}/etc-systemd-system-story.service": "chmod 600 /etc/systemd/system/story.service",
}
SILENT = {
    f"sysctl@{FIRST}/net.ipv4.ip_default_ttl": "echo 70 >/proc/sys/net/ipv4/ip_default_ttl",
    f"service@{SECOND}/story": "systemctl stop story",
    f"mount@{THIRD}/srv-story-ram": "umount /srv/story/ram",
}


def by_hand(farm: HostsFarm, address: str, command: str) -> None:
    """Change a thing on its host."""
    host = farm.hosts[address.partition("@")[2].partition("/")[0]]
    host.run("sh", "-c", command)


@dataclass(frozen=True, slots=True)
class Found:
    """By which detector a change was found, and how long after it happened at most."""

    detector: str
    within_seconds: float


def find(farm: HostsFarm, address: str, since: int) -> Found | None:
    """What the entries of the journal after so many say about a drift."""
    for entry in farm.journal()[since:]:
        for found in entry.detected:
            if found.startswith(f"{address} by "):
                detector, _, seconds, _ = found.removeprefix(f"{address} by ").split()
                return Found(detector, float(seconds))
    return None


def is_healed(farm: HostsFarm, since: int) -> bool | None:
    """Whether the last of so many entries of the journal says that drift was healed."""
    entries = farm.journal()
    return (len(entries) > since and entries[-1].subject.startswith("heal")) or None


def change(farm: HostsFarm, changes: Mapping[str, str]) -> list[Found]:
    """Change things by hand; how they were found. They are healed when this returns."""
    farm.await_rest()
    since = len(farm.journal())
    for address, command in changes.items():
        by_hand(farm, address, command)
    found = [eventually(partial(find, farm, address, since)) for address in changes]
    LOG.info("%s", dict(zip(changes, found, strict=True)))
    eventually(partial(is_healed, farm, since))
    return found


def test_changes_by_hand_are_found_at_once_and_healed(watched: HostsFarm) -> None:
    for address, command in LOUD.items():
        # A look that is under way just then finds it by itself, but not three times.
        tries = (change(watched, {address: command}) for _ in range(3))
        found = next((each for (each,) in tries if each.detector == "inotify"), None)
        assert found, address
        assert found.within_seconds <= AT_ONCE_SECONDS
    assert watched.plan() == {}


def test_silent_changes_are_found_soon_and_healed(watched: HostsFarm) -> None:
    for _ in range(3):
        found = change(watched, SILENT)
        assert max(each.within_seconds for each in found) <= SOON_SECONDS
        eventually(lambda: watched.plan() == {} or None)
        # The sweep that sees the first asks for a look, which finds the others by itself.
        if "sweep" in {each.detector for each in found}:
            break
    else:
        pytest.fail("no sweep has found anything")


def test_drift_is_only_reported_where_the_policy_says_so(watched: HostsFarm) -> None:
    watched.declare(drift="report")
    watched.await_rest()
    since = len(watched.journal())
    address = f"file@{FIRST}/etc-story-more"
    by_hand(watched, address, LOUD[address])
    eventually(partial(find, watched, address, since))
    watched.await_rest()
    assert watched.hosts[FIRST].run("cat", "/etc/story/more") == "by hand\n"
    assert watched.plan()[address]["held"] == "drift is only reported"
    watched.declare()
    watched.await_rest()
    assert watched.hosts[FIRST].run("cat", "/etc/story/more") == "first\n"
