"""The zones that follow from documents, as a name server would serve them.

Each folder has a `tree`; of each of its environments what it writes is told word for word, and
all of it together is one zone file for each zone, which must be sound to others, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest

from reconciler.config.load import environments_of, load
from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec
from reconciler.render.names.zones import zone_resources
from tests.conftest import Golden
from tests.documents.corpus import FileTree, files_below
from tests.farms.zone_files import (
    check_by_named,
    combined,
    file_name,
    is_closed,
    told,
    zone_file,
)
from tests.sealed.sealing import Reader, seal

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if (path / "tree").is_dir())
HOLDERS = ("development", "staging", "production", "dhcp")
SECRETS = seal(dict.fromkeys(HOLDERS, "c2VjcmV0"), [Reader().recipient]).encode()


def rendered(case: str) -> Mapping[str, tuple[ZoneSpec, ...] | ConfigError]:
    """The zones of each environment, or why there are none."""
    tree = FileTree(files_below(HERE / case / "tree") | {"secrets/dns.sops.yaml": SECRETS})
    found: dict[str, tuple[ZoneSpec, ...] | ConfigError] = {}
    for environment in environments_of(tree):
        try:
            resources = tuple(zone_resources(load(tree, environment)))
            found[environment] = tuple(each.spec for each in resources)
        except ConfigError as error:
            found[environment] = error
    return found


def served(case: str) -> Mapping[str, tuple[ZoneSpec, ...]]:
    """What the environments write together, by zone and door."""
    specs = [spec for each in rendered(case).values() if isinstance(each, tuple) for spec in each]
    return combined(specs)


def test_there_are_cases() -> None:
    assert len(CASES) >= 6


@pytest.mark.parametrize("case", CASES)
def test_what_each_environment_writes(case: str, golden: Golden) -> None:
    for environment, found in rendered(case).items():
        text = f"{found}\n" if isinstance(found, ConfigError) else "\n".join(map(told, found))
        golden(HERE / case / f"{environment}.txt", text)


@pytest.mark.parametrize("case", CASES)
def test_what_is_served_is_sound(case: str, golden: Golden, tmp_path: Path) -> None:
    expected = set()
    for name, specs in served(case).items():
        path = HERE / case / "zones" / file_name(name)
        text = zone_file(specs)
        golden(path, text)
        expected.add(path.name)
        check_by_named(specs[0].name, text, tmp_path, full=is_closed(specs))
        zone = dns.zone.from_text(text, f"{specs[0].name}.")
        records = {
            (str(owner), dns.rdatatype.to_text(data.rdtype), data.ttl, str(each))
            for owner, data in zone.iterate_rdatasets()
            for each in zone.find_rdataset(owner, data.rdtype)
            if data.rdtype != dns.rdatatype.SOA
        }
        assert len(records) == sum(len(r.values) for spec in specs for r in spec.records)
    assert {path.name for path in (HERE / case / "zones").glob("*")} == expected
