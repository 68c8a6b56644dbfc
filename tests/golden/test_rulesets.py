"""Rules of the packet filter as they were agreed: each folder of `rulesets` is a case.

Its documents come into the farm of `tests.farms.repository`, and `virt1.nft` is what host virt1
then gets. Where there is an `nft` that we may ask, it must take each.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.kinds.network.ruleset import RulesetSpec
from reconciler.render.network.firewall import firewall_resources
from tests.conftest import Golden
from tests.farms.repository import documents

FOLDER = Path(__file__).parent / "rulesets"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
HOST = "virt1"
CHECK = ("unshare", "--net", "--", "nft", "-c", "-f", "-")


def source_of(case: Path) -> str:
    """The file of the host."""
    folder = "environments/production"
    changes = {f"{folder}/{each.name}": each.read_text() for each in case.glob("*.yaml")}
    found = {each.address.host: each.spec for each in firewall_resources(documents(changes))}
    spec = found[HOST]
    assert isinstance(spec, RulesetSpec)
    return spec.source


def test_there_are_cases() -> None:
    assert len(CASES) >= 3


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_firewall_becomes_these_rules(case: Path, golden: Golden) -> None:
    golden(case / f"{HOST}.nft", source_of(case))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_nft_takes_them(case: Path) -> None:
    if (
        not shutil.which("nft")
        or subprocess.run(["unshare", "--net", "true"], check=False).returncode
    ):
        pytest.skip("there is no nft here, or no network namespace to be had")
    text = (case / f"{HOST}.nft").read_bytes()
    done = subprocess.run(CHECK, input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
