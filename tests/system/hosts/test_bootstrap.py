"""A bare machine becomes a host: for real, up to where sync takes over."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.fresh import Fresh, fresh_machine
from tests.system.lab import Lab

INSTALLER = "/root/.oldroot/nfs/install/installimage"
# Where the real one would fill the disks and run the script in the new system, this one runs it
# in the old one: after the restart the machine is what the script made of it.
FAKE_INSTALLER = """\
#!/bin/bash
[[ "$1 $2 $4" == "-a -c -x" ]] || exit 1
grep -qx 'DRIVE1 /dev/sda' "$3" && grep -qx 'PART / ext4 all' "$3" || exit 1
echo x >>/var/installations
exec bash "$5"
"""
INSTALL = """\
install:
  image: Debian-1208-bookworm-amd64-base.tar.gz
  disks: [/dev/sda]
  partitions:
    - {name: swap, path: swap, size: 1 GiB}
    - {name: root, path: /}
"""


@pytest.fixture
def fresh(lab: Lab, tmp_path: Path) -> Iterator[Fresh]:
    with fresh_machine(lab, tmp_path) as machine:
        yield machine


def levels(machine: Fresh, code: int = 0) -> dict[str, str]:
    told = machine.reconciler("doctor", "--host", "fresh", "--format", "json", code=code)
    found = json.loads(told.stdout)["findings"]
    return {each["name"]: each["level"] for each in found if each["subject"] == "fresh"}


pytestmark = pytest.mark.timeout(600)


def test_a_machine_with_a_password_becomes_a_host(fresh: Fresh) -> None:
    assert levels(fresh, code=1) == {"address": "ok", "host key": "bad"}

    first = fresh.reconciler(*fresh.bootstrap())
    for step in ("pin", "let-in", "packages", "check"):
        assert f"{step}: done" in first.stdout
    assert "bad" not in set(levels(fresh).values())
    assert fresh.host.run("python3", "-c", "print(1)") == "1\n"
    assert fresh.host.run("stat", "-c", "%a %U", "/var/lib/reconciler") == "700 root\n"

    again = fresh.reconciler(*fresh.bootstrap())
    for step in ("let-in", "state", "packages"):
        assert f"{step}: is done already" in again.stdout
    assert fresh.host.run("wc", "-l", "/root/.ssh/authorized_keys").split()[0] == "1"


def test_sync_takes_over_where_it_ends(fresh: Fresh) -> None:
    fresh.reconciler(*fresh.bootstrap())
    fresh.describe('files:\n  - {path: /etc/motd, content: "ours\\n"}\n')
    fresh.reconciler("sync", "--environment", "development")
    assert fresh.host.run("cat", "/etc/motd") == "ours\n"
    fresh.reconciler("plan", "--environment", "development")


def test_killed_at_any_step_it_goes_on(fresh: Fresh) -> None:
    for step, seconds in (("pin", 0.0), ("let-in", 0.0), ("let-in", 0.3), ("packages", 1.5)):
        with fresh.going(*fresh.bootstrap()) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(f"{step}:"):
                    break
            threading.Event().wait(seconds)
    done = fresh.reconciler(*fresh.bootstrap())
    assert "check: done" in done.stdout
    assert fresh.host.run("dpkg", "--audit") == ""
    assert fresh.host.run("wc", "-l", "/root/.ssh/authorized_keys").split()[0] == "1"


def test_a_wrong_password_and_a_wrong_key_change_nothing(fresh: Fresh) -> None:
    other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    refused = fresh.reconciler(*fresh.bootstrap("--host-key", other), code=1)
    assert "somebody may be in between" in refused.stderr
    assert fresh.known_hosts.read_text() == ""

    (fresh.desk / "password").write_text("battery-staple\n")
    refused = fresh.reconciler(*fresh.bootstrap(), code=1)
    assert "does not let root in with this password" in refused.stderr
    assert "staple" not in refused.stdout + refused.stderr
    assert levels(fresh, code=1)["access"] == "bad"


def rescue_of(fresh: Fresh) -> None:
    """Make the machine look like one that runs a rescue system, until it is restarted."""
    fresh.describe(INSTALL)
    fresh.reconciler(*fresh.bootstrap())  # the way in for this test's own hands
    hands = fresh.host
    for place in ("/root/.oldroot", "/root/reconciler"):
        hands.run("mkdir", "-p", place)
        hands.run("mount", "-t", "tmpfs", "tmpfs", place)
    hands.run("mkdir", "-p", "/root/.oldroot/nfs/install")
    hands.write_file(INSTALLER, FAKE_INSTALLER.encode())
    hands.run("chmod", "755", INSTALLER)
    hands.run("rm", "/root/.ssh/authorized_keys", "-r", "/var/lib/reconciler")
    fresh.known_hosts.write_text("")


def test_a_rescue_system_is_installed_restarted_and_known_by_its_new_key(fresh: Fresh) -> None:
    rescue_of(fresh)
    before = fresh.fingerprint()
    refused = fresh.reconciler(*fresh.bootstrap("--rescue", "--yes-i-typed", "other"), code=1)
    assert "nothing was destroyed" in refused.stderr

    with fresh.going(*fresh.bootstrap("--rescue", "--yes-i-typed", "fresh")) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("wait:"):
                break
        fresh.await_end()
        fresh.act("boot")
        rest = process.stdout.read()
        assert process.wait() == 0, rest
    assert "check: done" in rest
    assert fresh.fingerprint() != before
    assert fresh.fingerprint() in rest or fresh.known_hosts.read_text()
    assert fresh.host.run("cat", "/var/lib/reconciler/installed") == "fresh\n"
    assert fresh.host.run("cat", "/var/installations") == "x\n"

    again = fresh.reconciler(*fresh.bootstrap("--rescue", "--yes-i-typed", "fresh"))
    assert "going on there" in again.stderr
    assert fresh.host.run("cat", "/var/installations") == "x\n"


def test_an_ordinary_system_is_never_installed_over(fresh: Fresh) -> None:
    fresh.describe(INSTALL)
    fresh.reconciler(*fresh.bootstrap())
    refused = fresh.reconciler(*fresh.bootstrap("--rescue", "--yes-i-typed", "fresh"), code=1)
    assert "runs no rescue system" in refused.stderr
