"""S23 and S33: schemathesis finds no request that is answered with a server error."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error

from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import KINDS, Sample, push_of

DESCRIBED = Path(__file__).parents[1] / "webhooks/openapi.json"
SCHEMA = schemathesis.openapi.from_dict(json.loads(DESCRIBED.read_text("utf-8")))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with tempfile.TemporaryDirectory() as directory:
        yield Receiver(settings_of(Path(directory), repository="infra/farm"))


@pytest.fixture(scope="module")
def where(receiver: Receiver) -> Iterator[str]:
    with receiver.listening() as address:
        yield address


@SCHEMA.parametrize()
def test_no_described_request_is_a_server_error(case: Any, where: str) -> None:
    case.call_and_validate(base_url=where, checks=[not_a_server_error])


@SCHEMA.include(path_regex="hooks").parametrize()
def test_no_described_payload_is_a_server_error_when_signed(case: Any, receiver: Receiver) -> None:
    if not isinstance(case.body, dict | list | str | int | float | None):
        return
    for kind in KINDS:
        assert receiver.send(Sample(kind, push_of(kind).event, case.body)) < 500
