"""S35: what is installed is what was locked, each file known by its hash, none too old."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCKS = ("requirements-build.lock", "requirements.lock", "requirements-dev.lock")

# The first version without the faults that were published: option injection in GitPython.
SAFE = {"gitpython": Version("3.1.58")}

# In pieces, so that this file may be committed too.
REGISTRIES = tuple(
    f"{host}.{domain}"
    for host, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry.npmjs", "org"),
        ("deb.debian", "org"),
        ("security.debian", "org"),
        ("proxy.golang", "org"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
    ]
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One requirement of a lock file with its hashes."""

    requirement: Requirement
    hashes: int

    @property
    def name(self) -> str:
        """The normalised name."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> Version:
        """The one version that is allowed."""
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "=="
        return Version(specifier.version)


def read_lock(text: str) -> Iterator[Pin]:
    """The pins of a lock file; a line that is neither a pin nor its hash is an error."""
    for entry in re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n?", "", text)).splitlines():
        requirement, *hashes = re.split(r"\s+--hash=sha256:", entry.strip())
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in hashes), entry
        yield Pin(Requirement(requirement), len(hashes))


@pytest.fixture(scope="module")
def locks(root: Path) -> Mapping[str, tuple[Pin, ...]]:
    return {name: tuple(read_lock((root / name).read_text("utf-8"))) for name in LOCKS}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def versions(pins: tuple[Pin, ...]) -> dict[tuple[str, str], Version]:
    """Versions by name and marker: a universal lock may hold one per Python version."""
    return {(pin.name, str(pin.requirement.marker or "")): pin.version for pin in pins}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_has_one_version_and_hashes(
    locks: Mapping[str, tuple[Pin, ...]], name: str
) -> None:
    assert locks[name]
    assert [pin.name for pin in locks[name] if not pin.hashes] == []
    assert all(pin.version.release for pin in locks[name])


def test_a_requirement_without_a_hash_is_recognised() -> None:
    pins = tuple(read_lock(f"a==1 \\\n    --hash=sha256:{'0' * 64}\n    # via b\nb==2\n"))
    assert [(pin.name, pin.hashes) for pin in pins] == [("a", 1), ("b", 0)]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_no_package_is_older_than_is_safe(
    locks: Mapping[str, tuple[Pin, ...]], project: dict[str, Any], lock: str
) -> None:
    found = {pin.name: pin.version for pin in locks[lock] if pin.name in SAFE}
    assert found.keys() == SAFE.keys()
    assert {name: version for name, version in found.items() if version < SAFE[name]} == {}
    for text in project["project"]["dependencies"]:
        requirement = Requirement(text)
        if (safe := SAFE.get(canonicalize_name(requirement.name))) is not None:
            assert not requirement.specifier.contains(f"{safe.major}.{safe.minor}.{safe.micro - 1}")


@pytest.mark.parametrize(
    ("lock", "table", "group"),
    [
        ("requirements.lock", "project", "dependencies"),
        ("requirements-dev.lock", "project", "dependencies"),
        ("requirements-dev.lock", "dependency-groups", "dev"),
        ("requirements-build.lock", "dependency-groups", "build"),
        ("requirements-build.lock", "build-system", "requires"),
    ],
)
def test_the_lock_satisfies_the_project(
    locks: Mapping[str, tuple[Pin, ...]], project: dict[str, Any], lock: str, table: str, group: str
) -> None:
    pinned = {pin.name: pin.version for pin in locks[lock]}
    wanted = {text: Requirement(text) for text in project[table][group]}
    unmet = [
        text
        for text, requirement in wanted.items()
        if (version := pinned.get(canonicalize_name(requirement.name))) is None
        or not requirement.specifier.contains(version)
    ]
    assert unmet == [], "run `make lock`"


def test_developers_run_the_versions_that_users_run(locks: Mapping[str, tuple[Pin, ...]]) -> None:
    users, developers = (
        versions(locks[name]) for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert {key: developers.get(key) for key in users} == users


def test_all_locks_agree(locks: Mapping[str, tuple[Pin, ...]]) -> None:
    build, dev = (
        versions(locks[name]) for name in ("requirements-build.lock", "requirements-dev.lock")
    )
    shared = build.keys() & dev.keys()
    assert {key: build[key] for key in shared} == {key: dev[key] for key in shared}


def committed_files(root: Path) -> list[Path]:
    """What git tracks or would track."""
    answer = subprocess.run(
        f"git -c safe.directory={root} ls-files -z --cached --others --exclude-standard".split(),
        cwd=root,
        capture_output=True,
        check=True,
        timeout=60,
    )
    names = answer.stdout.decode().split("\0")
    return [root / name for name in names if name and (root / name).is_file()]


def test_no_file_names_the_host_of_a_registry(root: Path) -> None:
    pattern = re.compile("|".join(map(re.escape, REGISTRIES)).encode())
    found = [
        str(file.relative_to(root))
        for file in committed_files(root)
        if pattern.search(file.read_bytes())
    ]
    assert found == []


def test_there_is_no_lock_that_names_one(root: Path) -> None:
    assert not (root / "uv.lock").exists()
