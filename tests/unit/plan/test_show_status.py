"""`status.json` there and back, and what is done with one that is broken."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Stalled
from reconciler.model.address import Address, Scope
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as ConditionStatus
from reconciler.model.resource import Applied
from reconciler.plan.show.status import (
    Status,
    drift_json,
    drift_markdown,
    read_status,
    status_json,
)
from tests.golden.plan.cases import CASES, COMMIT

READY = Condition(
    ConditionType.READY,
    ConditionStatus.TRUE,
    "ReconciliationSucceeded",
    "fine",
    "2026-01-02T03:04:05Z",
)
STATUS = Status(
    environment="production",
    revision=COMMIT,
    ready_revision=COMMIT[::-1],
    conditions=(READY,),
    applied={
        Address("zone", "farm"): Applied("ef" * 8),
        Address("domain", "web-1"): Applied("ab" * 8, "virt1"),
    },
    hold="history was rewritten",
    scopes=(Scope("host", "virt1"), Scope("zone", "farm", "ns1")),
    refused="c" * 40,
)
text = st.text(max_size=20)
names = st.text("abcdefghijklmnop-./ü", min_size=1, max_size=12).filter(
    lambda name: "/" not in name
)
commits = st.just("") | st.text("0123456789abcdef", min_size=40, max_size=40)
machines = st.from_regex(r"[a-z0-9_-]{1,8}(\.[a-z0-9_-]{1,8})?", fullmatch=True)
addresses = st.builds(Address, st.sampled_from(["domain", "zone"]), names, st.none())
statuses = st.builds(
    Status,
    environment=names,
    revision=commits,
    ready_revision=commits,
    conditions=st.lists(
        st.builds(
            Condition, st.sampled_from(ConditionType), st.sampled_from(ConditionStatus), *[text] * 3
        )
    ).map(tuple),
    applied=st.dictionaries(addresses, st.builds(Applied, text, st.none() | names)),
    hold=st.none() | text,
    scopes=st.frozensets(st.builds(Scope, st.just("host"), machines)).map(
        lambda scopes: tuple(sorted(scopes))
    ),
    refused=commits,
)


@given(statuses)
def test_status_comes_back_as_it_was(status: Status) -> None:
    assert read_status(status_json(status)) == status


def test_status_is_written_the_same_whatever_the_order_was() -> None:
    applied = dict(reversed(list(STATUS.applied.items())))
    other = replace(STATUS, applied=applied, scopes=STATUS.scopes[::-1])
    assert status_json(other) == status_json(STATUS)


def test_status_has_a_line_per_value_and_sorted_keys() -> None:
    lines = status_json(STATUS).decode().split("\n")
    assert lines[-1] == ""
    document = json.loads("\n".join(lines))
    assert list(document) == sorted(document)
    assert '    "domain/web-1": {' in lines


def test_new_journal_needs_to_say_nothing_but_the_environment() -> None:
    assert read_status(b'{"environment": "production"}') == Status("production")


def test_what_a_newer_version_wrote_besides_is_skipped() -> None:
    document = json.loads(status_json(STATUS))
    document["weather"] = {"sunny": True}
    document["applied"]["domain/web-1"]["mood"] = "good"
    document["conditions"][0]["colour"] = "green"
    assert read_status(json.dumps(document).encode()) == STATUS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EOF"),
        (b"[]", "read: Input should be an object"),
        (b"\xff", "JSON"),
        (b'{"environment": "a", "revision"', "JSON"),
        (b"{}", "environment: it is missing"),
        (b'{"environment": 5}', "environment: "),
        (b'{"environment": "a", "revision": null}', "revision: "),
        (b'{"environment": "a", "refused": ["b"]}', "refused: "),
        (b'{"environment": "a", "hold": true}', "hold: "),
        (b'{"environment": "a", "scopes": [{"kind": "moon", "name": "b"}]}', "scopes.0.kind"),
        (b'{"environment": "a", "applied": {"x": {"digest": "y"}}}', "'x' is not an address"),
        (b'{"environment": "a", "applied": {"a/b": {"digest": 5}}}', "applied.a/b.digest"),
        (b'{"environment": "a", "conditions": [{"type": "Ready"}]}', "conditions.0.status"),
    ],
)
def test_broken_status_stalls_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Stalled) as caught:
        read_status(content)
    assert reason in caught.value.reason
    assert "journal" in caught.value.remedy


def test_very_broken_status_names_a_few_reasons_and_counts_the_rest() -> None:
    document = {"environment": "a", "scopes": list(range(9))}
    with pytest.raises(Stalled, match="and 4 more"):
        read_status(json.dumps(document).encode())


def test_drift_is_written_for_machines_and_for_people() -> None:
    plan = CASES["drift"]().plan()
    document = json.loads(drift_json(plan))
    assert {each["address"] for each in document["changes"]} == {
        "volume/web-2-root",
        "domain/web-1",
        "domain/web-2",
        "zone/farm",
    }
    page = drift_markdown(plan, {}).decode()
    assert page.startswith("# Drift of `production`\n\n4 resources differ")
