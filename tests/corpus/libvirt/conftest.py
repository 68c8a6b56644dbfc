"""libvirt's own test data, fetched at the first use (scripts/corpus.py), and its schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from scripts.corpus import CorpusError, corpus
from tests.corpus.libvirt.data import Data, data_in

Complaint = Callable[[str], str]
FETCHED_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that wants the corpus may have to wait for the network."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(FETCHED_SECONDS))


@pytest.fixture(scope="session")
def folder() -> Path:
    try:
        return corpus()
    except CorpusError as error:  # no skip: without the corpus nobody knows
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def data(folder: Path) -> Data:
    return data_in(folder)


@pytest.fixture(scope="session")
def complaint(folder: Path) -> Complaint:
    """What libvirt's schema has against the XML of a domain; "" when nothing."""
    schema: Any = etree.RelaxNG(etree.parse(folder / "src" / "conf" / "schemas" / "domain.rng"))

    def check(text: str) -> str:
        return "" if schema.validate(etree.fromstring(text)) else str(schema.error_log)

    return check
