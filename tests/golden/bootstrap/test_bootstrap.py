"""All that a bootstrap would run and write, word for word: much of it needs hardware we lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.render.bootstrap.fresh import fresh_steps
from reconciler.render.bootstrap.installimage import configuration, ending, opening
from reconciler.render.bootstrap.rescue import rescue_steps
from reconciler.render.bootstrap.step import spelled_out
from tests.conftest import Golden
from tests.golden.bootstrap.servers import KEY, SERVERS, server

HERE = Path(__file__).parent


def text(lines: object) -> str:
    assert not isinstance(lines, str)
    return "".join(f"{line}\n" for line in lines)  # type: ignore[attr-defined]  # an iterator


@pytest.mark.parametrize("name", SERVERS)
def test_what_the_installer_is_told(name: str, golden: Golden) -> None:
    golden(HERE / name / "install.conf", configuration(server(name), "virt1.farm.internal"))


@pytest.mark.parametrize("name", SERVERS)
def test_the_steps_from_a_rescue_system(name: str, golden: Golden) -> None:
    steps = rescue_steps("virt1", "virt1.farm.internal", server(name), KEY)
    golden(HERE / name / "rescue.txt", text(spelled_out(steps)))


def test_the_script_at_the_end_of_the_installation(golden: Golden) -> None:
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\n(made on the machine)\n-----END\n"
    state = "/var/lib/reconciler"
    whole = opening(KEY, state) + private + ending("virt1", state)
    golden(HERE / "post-install", whole)


def test_the_steps_for_a_fresh_machine(golden: Golden) -> None:
    golden(HERE / "fresh.txt", text(spelled_out(fresh_steps(KEY))))


def test_a_machine_without_guests_gets_no_hypervisor() -> None:
    told = text(spelled_out(fresh_steps(KEY, guests=False)))
    assert "install python3, inotify-tools\n" in told
    assert "libvirt" not in told
    assert "qemu" not in told


def test_the_steps_that_open_what_is_encrypted(golden: Golden) -> None:
    steps = fresh_steps(KEY, server("mirror-with-encrypted-zfs"))
    golden(HERE / "mirror-with-encrypted-zfs" / "again.txt", text(spelled_out(steps)))
