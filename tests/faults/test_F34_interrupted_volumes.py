"""F34: volumes are made, written, thrown away and restored although it is cut off at each step.

Killed before or after any step, or with the answer lost: doing it again comes to the same end, and
at no moment has any data gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_ import trash, volumes
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.refusal import Missing, Refused
from reconciler.errors import Unreachable
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import ImageSource, NewVolume, Seed, VolumeState
from tests.unit.drivers.libvirt_.fakehost import (
    GIB,
    POOL,
    FakeFile,
    FakeGuest,
    FakeHost,
    libvirt_error,
    storage,
)

OWNER = Owner("production", "web-1-data", "0123456789abcdef")
IMAGE = ImageSource("debian-12", "https://images.example/x", "ab" * 32)
IMAGE_FILE = "debian-12.abababababababab"
COPY = NewVolume(POOL, "web-data", "qcow2", 8 * GIB, image=IMAGE, content="one")
SEED = NewVolume(POOL, "web-seed", "iso", 2**20, seed=Seed("id: 1\n", "", ""), content="one")
TRASH = "trash.20261121T120000.1.web-data"
LOST = libvirt_error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
Act = Callable[[FakeHost, Storage], None]


class Killed(BaseException):
    """The reconciler is gone: no handler of it does anything more."""


@dataclass
class Cut:
    """Raises at the step of a number, and from then on at all when the process is dead."""

    at: int
    error: BaseException
    steps: list[str] = field(default_factory=list)

    def __call__(self, step: str) -> None:
        self.steps.append(step)
        here = len(self.steps) - 1
        is_dead = isinstance(self.error, Killed) and here >= self.at
        if here == self.at or is_dead:
            raise self.error


def create(host: FakeHost, store: Storage) -> None:
    if "web-data" not in seen(host, store):
        volumes.create(host, store, COPY, OWNER)


def write_seed(host: FakeHost, store: Storage) -> None:
    """As the plan does it: what is not there is made, what is there is written."""
    new = replace(SEED, content="two")
    if "web-seed" not in seen(host, store):
        volumes.create(host, store, new, OWNER)
    elif seen(host, store)["web-seed"].content != "two":
        volumes.write_seed(host, store, new, OWNER)


def throw_away(host: FakeHost, store: Storage) -> None:
    trash.put(host, store, POOL, "web-data")


def restore(host: FakeHost, store: Storage) -> None:
    with suppress(Missing):
        trash.restore(host, store, POOL, TRASH)


def purge(host: FakeHost, store: Storage) -> None:
    trash.purge(host, store, POOL, TRASH)


def seen(host: FakeHost, store: Storage) -> dict[str, Any]:
    return {each.name: each for each in volumes.observe(host, store)}


def seeded(host: FakeHost, store: Storage) -> None:
    """A seed that a running guest has."""
    volumes.create(host, store, SEED, OWNER)
    host.domains = [FakeGuest(host, "web-seed")]


ACTS: dict[str, tuple[tuple[Act, ...], Act]] = {
    "create": ((), create),
    "write seed": ((seeded,), write_seed),
    "throw away": ((create,), throw_away),
    "restore": ((create, throw_away), restore),
    "purge": ((create, throw_away), purge),
}


def prepared(before: tuple[Act, ...]) -> tuple[FakeHost, Storage]:
    host = FakeHost(files={IMAGE_FILE: FakeFile("debian", 2 * GIB)})
    store = storage(host)
    for act in before:
        act(host, store)
    return host, store


def ending(
    host: FakeHost, store: Storage
) -> tuple[list[VolumeState], list[str], list[Owner | None]]:
    """What is there in the end: volumes in use, the trash, and whose they are."""
    in_trash = sorted(each.trash_name for each in trash.listing(host, store))
    owners = [each.owner for each in trash.listing(host, store)]
    return (sorted(seen(host, store).values(), key=lambda each: each.name), in_trash, owners)


def number_of_steps(name: str) -> int:
    before, act = ACTS[name]
    host, store = prepared(before)
    cut = host.on_step = Cut(10**6, Killed())
    act(host, store)
    return len(cut.steps)


def cases() -> Iterator[Any]:
    errors = (Killed(), LOST, Unreachable("virt1", "run", "no answer"))
    for name in ACTS:
        for at in range(number_of_steps(name)):
            for error in errors:
                yield pytest.param(name, at, error, id=f"{name}-{at}-{type(error).__name__}")


@pytest.mark.parametrize(("name", "at", "error"), [*cases()])
def test_it_comes_to_the_same_end(name: str, at: int, error: BaseException) -> None:
    before, act = ACTS[name]
    undisturbed = prepared(before)
    act(*undisturbed)
    host, store = prepared(before)
    data = {file.data for file in host.files.values()}
    host.on_step = Cut(at, error)
    with pytest.raises(type(error)):
        act(host, store)
    host.on_step = lambda _step: None
    if name in {"throw away", "restore"}:
        assert {file.data for file in host.files.values()} == data
    act(host, store)
    ours, in_trash, owners = ending(host, store)
    expected, expected_trash, expected_owners = ending(*undisturbed)
    assert ours == expected
    leftovers = [each for each in in_trash if name == "create"]
    assert (in_trash, owners) == (expected_trash, expected_owners) or leftovers
    begun = [key for key, mark in store.manifest.read().items() if mark.begun]
    assert begun == [f"{POOL}/{each}" for each in in_trash if leftovers]


@pytest.mark.parametrize("step", ["before create web-data", "after create web-data"])
def test_a_pool_that_gets_full_meanwhile_keeps_nothing_half(step: str) -> None:
    host, store = prepared(())
    full = libvirt_error(libvirt.VIR_ERR_SYSTEM_ERROR)

    def on_step(name: str) -> None:
        if name == step.replace("after create", "before resize"):
            raise full

    host.on_step = on_step
    with pytest.raises(libvirt.libvirtError):
        create(host, store)
    assert list(host.files) == [IMAGE_FILE]
    assert store.manifest.read() == {}


def test_room_that_was_made_by_hand_is_found() -> None:
    host, store = prepared(())
    host.free_bytes, host.truly_free_bytes = 7 * GIB, 9 * GIB
    create(host, store)
    assert set(host.files) == {IMAGE_FILE, "web-data"}


def test_a_full_pool_is_said_before_anything_is_made() -> None:
    host, store = prepared(())
    host.free_bytes = 7 * GIB
    with pytest.raises(Refused, match="pool default has 7 GiB left"):
        create(host, store)
    assert list(host.files) == [IMAGE_FILE]
