"""What all tests share: golden files with the option that writes them anew, and examples.

Hypothesis tries the same examples in every run; `--hypothesis-profile=search` looks for new ones,
and for twenty times as many.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=SLOW
)
settings.register_profile(
    "search", max_examples=2000, database=None, deadline=None, suppress_health_check=SLOW
)
settings.load_profile("steady")

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the golden files anew from what the code gives now; then read the diff",
    )
    parser.addoption(
        "--all-crash-points",
        action="store_true",
        help="kill at every change of a real host, not at a few: half an hour instead of a minute",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(path, text)` asserts that the file says the text, or makes it say so."""
    regenerate = bool(request.config.getoption("--regenerate"))

    def check(path: Path, text: str) -> None:
        if regenerate:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; run pytest --regenerate and read the diff"
        assert text == path.read_text(encoding="utf-8"), f"{path} says something else"

    return check
