"""The kinds of a base on a Debian: made, adopted, changed past us, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.pool import PoolSpec
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.resource import Desired
from reconciler.model.secret import SealedSecret
from reconciler.plan.plan import Cause
from tests.farms.bases import HOST, is_settled, only_change, plan_of, sealed, sync, wanted
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost, taken

CLEANUP = Path(__file__).parents[1].joinpath("clean-base")
PATIENCE = timedelta(seconds=60)
ROOM = "/srv/contract"
FILE = FileSpec(HOST, f"{ROOM}/ntp.conf", "file", "0640", "root", "adm", "pool ä\n")
SECRET = "hunter2-of-the-lab"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBcMx9Ka5mYVq3mYh2wXx5lTqfXo7Q3E1D5uEoYp5dGf a@b"
UNIT = f"""\
[Service]
ExecStartPre=/bin/sh -c 'echo started >>{ROOM}/starts'
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
EXAMPLES: dict[str, tuple[str, Any]] = {
    "file": ("file", FILE),
    "directory": ("file", FileSpec(HOST, f"{ROOM}/d", "directory", "0750", "root", "adm")),
    "link": ("file", FileSpec(HOST, f"{ROOM}/link", "link", target="/etc/motd")),
    "no file": ("file", FileSpec(HOST, f"{ROOM}/none", "absent")),
    "group": ("group", GroupSpec(HOST, "contractors", 2600)),
    "user": (
        "user",
        UserSpec(HOST, "contractor", 2601, "A name", ("adm",), "/bin/bash", (KEY,), sudo=True),
    ),
    "no package": ("package", PackageSpec(HOST, "hello", "absent")),
    "sysctl": ("sysctl", SysctlSpec(HOST, "net.ipv4.ip_default_ttl", "63", "63")),
    "mount": ("mount", MountSpec(HOST, f"{ROOM}/m", "tmpfs", "tmpfs", "size=1m,nosuid")),
    "command": (
        "command",
        CommandSpec(HOST, "agent", ("touch", f"{ROOM}/ran"), ("test", "-e", f"{ROOM}/ran")),
    ),
    "pool": ("pool", PoolSpec(HOST, "contract", "directory", f"{ROOM}/pool")),
}
every = pytest.mark.parametrize("example", EXAMPLES)
PLACE = "virt3"  # the host that the examples call by the name of another


@pytest.fixture(scope="module")
def real(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    state, place = tmp_path_factory.mktemp("state"), lab.hosts[PLACE]
    known = replace(lab, hosts={HOST: place})
    with taken(lab.directory, PLACE), driven(known, state, reveal=reveal) as farm:
        yield farm
        clean(place)


@pytest.fixture
def farm(lab: Lab, real: RealFarm) -> Iterator[RealFarm]:
    clean(lab.hosts[PLACE])
    real.machine(HOST).look([])  # the fence went with the directory that was cleaned away
    lab.hosts[PLACE].run("mkdir", "-p", ROOM)
    yield real
    real.hypervisor(HOST).remove_pool("contract")


@pytest.fixture
def host(lab: Lab) -> LabHost:
    return lab.hosts[PLACE]


def reveal(environment: str, secret: SealedSecret) -> str:
    assert environment
    return SECRET + secret.ciphertext[4]


def clean(host: LabHost) -> None:
    host.run("bash", "-s", stdin=CLEANUP.read_bytes(), within=PATIENCE)


def read(host: LabHost, path: str) -> str:
    return host.run("cat", path)


@every
def test_what_is_wanted_is_made_kept_and_taken_back(example: str, farm: RealFarm) -> None:
    want = wanted(*EXAMPLES[example])
    first = sync(farm, want)
    assert len(first.changes) == (0 if example.startswith("no ") else 1)
    assert is_settled(plan_of(farm, want))
    assert only_change(sync(farm)).action is Action.DELETE
    assert is_settled(plan_of(farm))


@every
def test_what_is_so_already_is_adopted_without_a_change(
    example: str, farm: RealFarm, host: LabHost
) -> None:
    want = wanted(*EXAMPLES[example])
    sync(farm, want)
    host.run("rm", "-r", "/var/lib/reconciler")
    assert sync(farm, want).changes == ()
    assert is_settled(plan_of(farm, want))


HANDS: dict[str, tuple[str, ...]] = {
    "file": ("chmod", "0666", FILE.path),
    "directory": ("rmdir", f"{ROOM}/d"),
    "link": ("ln", "-sfn", "/etc/shadow", f"{ROOM}/link"),
    "no file": ("touch", f"{ROOM}/none"),
    "group": ("groupmod", "--gid", "2700", "contractors"),
    "user": ("usermod", "--groups", "adm,sudo", "contractor"),
    "sysctl": ("sysctl", "-w", "net.ipv4.ip_default_ttl=62"),
    "mount": ("umount", f"{ROOM}/m"),
    "command": ("rm", f"{ROOM}/ran"),
    "pool": ("virsh", "-q", "pool-destroy", "contract"),
}


@pytest.mark.parametrize("example", HANDS)
def test_what_somebody_changes_is_drift_and_healed(
    example: str, farm: RealFarm, host: LabHost
) -> None:
    want = wanted(*EXAMPLES[example])
    sync(farm, want)
    host.run(*HANDS[example])
    assert only_change(sync(farm, want)).cause is Cause.DRIFT
    assert is_settled(plan_of(farm, want))


def test_what_was_there_before_us_comes_back(farm: RealFarm, host: LabHost) -> None:
    host.write_file(FILE.path, b"theirs\n")
    sync(farm, wanted("file", FILE))
    sync(farm)
    assert read(host, FILE.path) == "theirs\n"


def with_secret(version: str) -> FileSpec:
    secret = sealed(version)
    content = f"password {secret.reference}\n"
    return replace(FILE, content=content, secrets=(secret.label,), sealed=(secret,))


def service(*files: FileSpec) -> list[Desired[Any]]:
    unit = FileSpec(
        HOST, "/etc/systemd/system/contract.service", "file", "0644", "root", "root", UNIT
    )
    told = [wanted("file", unit), *(wanted("file", file) for file in files)]
    spec = ServiceSpec(
        HOST,
        "contract",
        enabled=True,
        running=True,
        reads=tuple(read_of(file.path, file) for file in files),
        after=tuple(Address("file", name_of(each.spec.path), HOST) for each in told),
    )
    return [*told, wanted("service", spec)]


def starts(host: LabHost) -> int:
    return read(host, f"{ROOM}/starts").count("started")


def test_three_changed_files_are_one_restart(farm: RealFarm, host: LabHost) -> None:
    files = [replace(FILE, path=f"{ROOM}/{name}.conf") for name in "abc"]
    sync(farm, *service(*files))
    assert starts(host) == 1
    assert is_settled(plan_of(farm, *service(*files)))
    changed = [replace(file, content="other\n") for file in files]
    assert len(sync(farm, *service(*changed)).changes) == 4
    assert starts(host) == 2
    assert is_settled(plan_of(farm, *service(*changed)))


def test_a_secret_is_written_kept_renewed_and_healed(farm: RealFarm, host: LabHost) -> None:
    first, second = service(with_secret("1")), service(with_secret("2"))
    sync(farm, *first)
    assert read(host, FILE.path) == f"password {SECRET}1\n"
    assert is_settled(plan_of(farm, *first))
    plan = sync(farm, *second)
    assert read(host, FILE.path) == f"password {SECRET}2\n"
    assert SECRET not in repr(plan)
    assert starts(host) == 2
    assert is_settled(plan_of(farm, *second))
    host.write_file(FILE.path, b"password of-mallory\n")
    plan = sync(farm, *second)
    assert {change.cause for change in plan.changes} == {Cause.DRIFT}
    assert "of-mallory" not in repr(plan)
    assert is_settled(plan_of(farm, *second))


def test_a_host_is_renamed_and_named_back(farm: RealFarm, host: LabHost) -> None:
    name = host.run("hostname").strip()
    try:
        want = wanted("setting", SettingSpec(HOST, "hostname", "contract"))
        sync(farm, want)
        assert is_settled(plan_of(farm, want))
        assert host.run("hostname").strip() == "contract"
    finally:
        sync(farm, wanted("setting", SettingSpec(HOST, "hostname", name)))
