"""The history of a branch tells which addresses it gave up, and when."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.gitops.quarantine import GivenUp, addresses_in, given_up
from tests.remotes.origin import NOON, Origin
from tests.remotes.writers import mirror_of

BEFORE = NOON - timedelta(days=1)
WEB, DB = "vms/web.yaml", "vms/db.yaml"


def machine(address: str) -> bytes:
    return f"networks:\n  - {{network: lan, address: {address}}}\n".encode()


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path / "origin.git")
    made.commit("production", {WEB: machine("10.0.0.5"), DB: machine("10.0.0.6")})
    return made


def past(origin: Origin, state: Path, branch: str = "production", **more: object) -> GivenUp:
    with mirror_of(origin, state) as mirror:
        head = mirror.heads()[branch]
        return given_up(mirror.git(), head, **{"since": BEFORE, **more})  # type: ignore[arg-type]  # a test's shorthand


def times(found: GivenUp) -> dict[str, int]:
    """The seconds after noon at which each address was given up; commits tick seconds."""
    return {str(ip): int((when - NOON).total_seconds()) for ip, when in found.times.items()}


def test_nothing_was_given_up_by_the_first_commit(origin: Origin, tmp_path: Path) -> None:
    assert past(origin, tmp_path / "state") == GivenUp({}, None)


def test_what_a_commit_took_away_counts_from_it(origin: Origin, tmp_path: Path) -> None:
    origin.commit("production", {WEB: machine("10.0.0.7")})
    origin.commit("production", {DB: None})
    assert times(past(origin, tmp_path / "state")) == {"10.0.0.5": 2, "10.0.0.6": 3}


def test_the_last_time_counts(origin: Origin, tmp_path: Path) -> None:
    for address in ("10.0.0.7", "10.0.0.5", "10.0.0.7"):
        origin.commit("production", {WEB: machine(address)})
    assert times(past(origin, tmp_path / "state")) == {"10.0.0.5": 4, "10.0.0.7": 3}


def test_what_is_older_does_not_count(origin: Origin, tmp_path: Path) -> None:
    origin.commit("production", {WEB: None})
    origin.commit("production", {DB: None})
    found = past(origin, tmp_path / "state", since=NOON + timedelta(seconds=3))
    assert times(found) == {"10.0.0.6": 3}


def test_a_merge_gives_up_what_it_takes_from_its_branch(origin: Origin, tmp_path: Path) -> None:
    """The commit of the other branch gave it up earlier, when this one still had it."""
    mine = origin.head("production") or ""
    theirs = origin.commit("feature/x", {WEB: None}, parents=(mine,))
    origin.commit("production", {WEB: None}, parents=(mine, theirs))
    assert times(past(origin, tmp_path / "state")) == {"10.0.0.5": 3}


def test_what_the_branch_never_had_it_did_not_give_up(origin: Origin, tmp_path: Path) -> None:
    mine = origin.head("production") or ""
    origin.commit("feature/x", {"new.yaml": machine("10.0.0.9")}, parents=(mine,))
    theirs = origin.commit("feature/x", {"new.yaml": machine("10.0.0.10")})
    origin.commit("production", {"new.yaml": machine("10.0.0.10")}, parents=(mine, theirs))
    assert times(past(origin, tmp_path / "state")) == {}


def test_only_so_many_commits_are_looked_at_and_that_is_said(
    origin: Origin, tmp_path: Path
) -> None:
    origin.commit("production", {WEB: None})
    origin.commit("production", {DB: None})
    found = past(origin, tmp_path / "state", most=1)
    assert times(found) == {"10.0.0.6": 3}
    assert found.reaches == NOON + timedelta(seconds=3)
    assert past(origin, tmp_path / "state", since=NOON + timedelta(days=1), most=1).reaches is None


def test_texts_and_secrets_are_no_documents(origin: Origin, tmp_path: Path) -> None:
    origin.commit("production", {"README.md": b"10.0.0.9\n", "a.yml": b"address: 10.0.0.8\n"})
    origin.commit("production", {"README.md": None, "a.yml": None})
    assert times(past(origin, tmp_path / "state")) == {"10.0.0.8": 3}


def test_a_line_that_looks_like_a_head_is_a_line(origin: Origin, tmp_path: Path) -> None:
    origin.commit("production", {WEB: b"-- a/x\n-- 10.0.0.9\ndiff --git a b\n@@ 1 @@\n"})
    origin.commit("production", {WEB: b"\n"})
    assert times(past(origin, tmp_path / "state")) == {"10.0.0.5": 2, "10.0.0.9": 3}


def test_a_change_that_is_too_large_is_an_error(origin: Origin, tmp_path: Path) -> None:
    lines = b"# 10.0.0.9 and a long line that says nothing at all, again and again\n" * 300_000
    origin.commit("production", {f"{n}.yaml": lines for n in range(4)})
    origin.commit("production", {f"{n}.yaml": None for n in range(4)})
    with pytest.raises(SourceUnavailable):
        past(origin, tmp_path / "state")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"address: 10.0.0.5", ["10.0.0.5"]),
        (b"[10.0.0.5, '10.0.0.6',10.0.0.7]", ["10.0.0.5", "10.0.0.6", "10.0.0.7"]),
        (b"{address: 10.0.0.5}# was 10.0.0.4", ["10.0.0.4", "10.0.0.5"]),
        (b"range: 10.0.0.0/24", []),
        (b"range: 10.0.0.5-10.0.0.9", []),
        (b"version: 1.10.0.0.5", []),
        (b"10.0.0.256 010.0.0.1 ::ffff:10.0.0.5", []),
    ],
)
def test_the_addresses_in_a_text(text: bytes, found: list[str]) -> None:
    assert sorted(addresses_in([text])) == sorted(map(IPv4Address, found))
