"""S17 for real: what the kernel has of a firewall is what its document says, and nothing else.

The rules are loaded into a network namespace without anything, where they keep nobody out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from reconciler.config.firewall import Firewall
from reconciler.render.network.firewall import firewall_table
from reconciler.render.network.nftables import ruleset_text
from tests.farms.repository import documents
from tests.rulesets.reading import meant, told
from tests.rulesets.sampling import FIREWALLS
from tests.system.lab import Lab, taken

HOST = "virt5"
LOAD = "nft -f - && exec nft -j list table inet reconciler"
GOLDEN = Path(__file__).parents[2] / "golden/rulesets"
DOCUMENTS = documents()


@pytest.mark.timeout(300)
def test_the_kernel_has_what_the_document_says(lab: Lab) -> None:
    host = lab.hosts[HOST]

    @settings(max_examples=40, phases=[Phase.generate])
    @given(FIREWALLS)
    def read_back(document: dict[str, Any]) -> None:
        firewall = Firewall.model_validate(document)
        table = firewall_table(DOCUMENTS, firewall, DOCUMENTS.hosts["virt1"])
        text = ruleset_text(table)
        listing = host.run("unshare", "--net", "sh", "-c", LOAD, stdin=text.encode())
        assert told(listing) == meant(table), text

    with taken(lab.directory, HOST):
        read_back()


def test_nft_takes_what_was_agreed(lab: Lab) -> None:
    for path in sorted(GOLDEN.glob("*/virt1.nft")):
        check = ("unshare", "--net", "nft", "-c", "-f", "-")
        assert lab.hosts[HOST].run(*check, stdin=path.read_bytes()) == "", path
