"""S30: an error of a host that is as long as an answer may be is cut before it is worked on."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from reconciler.drivers.redact import LONGEST_TEXT, MASK, redact
from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.shell import LARGEST_BYTES
from reconciler.drivers.ssh.task import Task
from reconciler.errors import Conflict
from reconciler.ports.acts import RemovePath

FEW = timedelta(seconds=5)


def test_the_longest_error_takes_no_time_and_no_room() -> None:
    words = "".join(f"{number:08}" for number in range(LARGEST_BYTES // 10))
    answer = json.dumps({"act": 0, "error": words}).encode()
    task = Task.of([RemovePath("/srv/a")], lambda _: "")
    begun = time.monotonic()
    with pytest.raises(Conflict) as caught:
        task.expect_done("virt1", Result(1, answer, b""))
    assert len(str(caught.value)) < LONGEST_TEXT
    assert time.monotonic() - begun < FEW.total_seconds()


def test_what_is_left_has_no_secret_in_it() -> None:
    told = redact("canary-7f3a " * LONGEST_TEXT, ["canary-7f3a"])
    assert "canary-7" not in told
    assert MASK in told
