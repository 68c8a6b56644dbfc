"""The files that Kea gets for the farms with DHCP: a bare one, and all that is served there."""

from __future__ import annotations

import json
from dataclasses import asdict
from ipaddress import ip_network
from typing import Any

from reconciler.config.repository import Documents
from reconciler.drivers.ssh.onhost.dhcp import config_of, text_of
from reconciler.drivers.ssh.onhost.dhcp_config import number_of, with_reservations, with_subnet
from reconciler.kinds.network.dhcp import ReservationsSpec, SubnetSpec
from reconciler.render.network.dhcp import dhcp_resources
from tests.farms.repository import documents
from tests.golden.dynamic_names.dynamic_farms import farm
from tests.golden.networks.test_networks import allocated, loaded, tree
from tests.unit.render.network.test_dhcp import HOSTS, NETWORK, SECOND, machine

BARE = """\
// nothing is served yet
{ "Dhcp4": {
  "interfaces-config": { "interfaces": [ ] },
  "control-socket": { "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" },
  "lease-database": { "type": "memfile" }, // in /var/lib/kea
} }
"""
EVERYTHING = (
    f"{NETWORK}  routes: [{{to: 10.9.0.0/16, via: 10.0.0.7}}]\n  boot_server: 10.0.0.9\n"
    "  boot_file: pxe/boot.0\n  domain: leased.internal\nmtu: 1442\n"
)


def farms() -> dict[str, tuple[Documents, ...]]:
    """Documents by name, one for each environment."""
    files = {
        "hosts.yaml": f"{HOSTS}---\n{SECOND}",
        "leased.yaml": EVERYTHING,
        "environments/production/a.yaml": machine(),
        "environments/staging/b.yaml": machine("any-9", "partition: dynamic"),
    }
    return {
        "everything": tuple(documents(files, name) for name in ("production", "staging")),
        "names": (farm(),),
        **{name: loaded(allocated(tree(name))) for name in ("office", "stages")},
    }


def configurations() -> dict[str, str]:
    """The text of the file of each server, by farm and host."""
    found: dict[str, dict[str, Any]] = {}
    for name, environments in farms().items():
        wanted = [each for documents in environments for each in dhcp_resources(documents)]
        for spec in sorted(
            (each.spec for each in wanted), key=lambda s: isinstance(s, ReservationsSpec)
        ):
            key = f"{name}-{spec.host}"
            found[key] = _with(found.get(key) or config_of(BARE), spec)
    return {key: text_of(config) for key, config in sorted(found.items())}


def _is_second(spec: SubnetSpec | ReservationsSpec) -> bool:
    """Reservations come after all subnets."""
    return isinstance(spec, ReservationsSpec)


def _with(config: dict[str, Any], spec: SubnetSpec | ReservationsSpec) -> dict[str, Any]:
    if isinstance(spec, SubnetSpec):
        options = [(each.name, each.value) for each in spec.options]
        number = number_of(int(ip_network(spec.subnet).network_address), config)
        return with_subnet(config, {**asdict(spec), "options": options}, number, retries=True)
    entries = [asdict(each) for each in spec.entries]
    after = with_reservations(config, spec.subnet, spec.environment, entries)
    assert after is not None
    return after


def anywhere(text: str) -> str:
    """The same for a machine that has none of the interfaces but the one that all have."""
    config = json.loads(text)["Dhcp4"]
    config["interfaces-config"]["interfaces"] = []
    for subnet in config["subnet4"]:
        subnet["interface"] = "lo"
    return text_of(config)
