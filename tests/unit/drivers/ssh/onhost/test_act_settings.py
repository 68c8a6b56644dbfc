"""Host name, time zone, locale."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from reconciler.drivers.ssh.onhost.look_settings import locale, timezone
from reconciler.drivers.ssh.onhost.remembered import Remembered
from tests.unit.drivers.ssh.onhost.ground import Ground


def put(name: str, value: str) -> dict[str, Any]:
    return {"act": "put_setting", "name": name, "value": value}


@pytest.fixture
def host(ground: Ground) -> Ground:
    ground.path("/usr/share/zoneinfo/Europe").mkdir(parents=True)
    ground.path("/usr/share/zoneinfo/Europe/Helsinki").write_text("TZif2")
    ground.path("/etc/default").mkdir()
    ground.programs.answers["locale"] = Ran(0, "C\nC.utf8\nPOSIX\n")
    return ground


def known(ground: Ground) -> Remembered:
    return Remembered([], root=str(ground.root))


def test_the_host_has_a_name_now_and_later(host: Ground) -> None:
    host.done(put("hostname", "virt1"))
    assert host.path("/etc/hostname").read_text() == "virt1\n"
    assert host.programs.calls == ["hostname virt1"]


def test_a_name_that_it_has_is_not_given_again(host: Ground) -> None:
    host.done(put("hostname", os.uname().nodename))
    assert host.programs.calls == []


def test_a_time_zone_is_a_link_as_a_look_reads_it(host: Ground) -> None:
    host.path("/etc/localtime").symlink_to("/usr/share/zoneinfo/UTC")
    host.done(put("timezone", "Europe/Helsinki"))
    assert host.path("/etc/localtime").readlink() == Path("/usr/share/zoneinfo/Europe/Helsinki")
    assert host.path("/etc/timezone").read_text() == "Europe/Helsinki\n"
    assert timezone(known(host)) == "Europe/Helsinki"


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "Europe", "../../../etc/passwd"])
def test_a_zone_that_is_not_there_is_refused(host: Ground, zone: str) -> None:
    assert f"there is no time zone {zone} here" in host.refused(put("timezone", zone))
    assert not host.path("/etc/timezone").exists()


def test_a_locale_is_set_and_other_words_stay(host: Ground) -> None:
    host.path("/etc/default/locale").write_text("LANG=C\nLC_TIME=C.UTF-8\n")
    host.done(put("locale", "C.UTF-8"))
    assert host.path("/etc/default/locale").read_text() == "LANG=C.UTF-8\nLC_TIME=C.UTF-8\n"
    assert locale(known(host)) == "C.UTF-8"


def test_a_locale_is_made_where_it_can_be(host: Ground) -> None:
    tool = host.path("/usr/sbin/locale-gen")
    tool.parent.mkdir(parents=True)
    tool.touch(mode=0o755)
    answers = iter([Ran(0, "C\n"), Ran(0, "C\nfi_FI.utf8\n")])
    host.programs.answers["locale -a"] = lambda _: next(answers)
    host.done(put("locale", "fi_FI.UTF-8"))
    assert host.path("/etc/locale.gen").read_text() == "fi_FI.UTF-8 UTF-8\n"
    assert "locale-gen" in host.programs.calls
    assert locale(known(host)) == "fi_FI.UTF-8"


def test_a_locale_that_cannot_be_made_is_refused(host: Ground) -> None:
    assert "there is no locale fi_FI.UTF-8 here" in host.refused(put("locale", "fi_FI.UTF-8"))
    assert not host.path("/etc/default/locale").exists()
