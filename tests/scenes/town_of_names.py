"""One domain and network for three environments: a remote, a name server, and turns over them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.gitops.report import Report
from reconciler.ports.nameserver import RecordSet
from reconciler.reconcile import turn
from tests.remotes.origin import Origin
from tests.scenes.scene import ENVIRONMENTS, Clock, example_hosts, site

DOMAINS = {
    "production": "farm.internal",
    "staging": "stage.farm.internal",
    "development": "dev.farm.internal",
}
REVERSE = "1.168.192.in-addr.arpa"
ZONE = """\
kind: Zone
name: farm.internal
environment: production
share:
  development: {below: [dev], networks: [lan]}
  staging: {below: [stage], networks: [lan]}
server: ns
primary: ns
nameservers: [ns]
reverse: [lan]
records:
  - {name: ns, type: A, values: [192.168.1.2]}
"""
FILES = {
    "farm.yaml": "kind: Farm\nname: farm\ndomain: farm.internal\ncontact: ops@farm.internal\n",
    "networks.yaml": "kind: Network\nname: lan\nsubnet: 192.168.1.0/24\nbridge: br-lan\n",
    "hosts.yaml": "kind: Host\nname: virt1\nenvironment: production\naddress: 192.168.1.17\n"
    "memory: 64 GiB\n"
    "pools: [{name: default, size: 1 TiB, target: /var/lib/libvirt/images}]\nshare:\n"
    "  staging: {memory: 16 GiB, cpus: 16}\n  development: {memory: 16 GiB, cpus: 16}\n",
    "zones.yaml": ZONE,
    **{
        f"environments/{name}/environment.yaml": f"kind: Environment\nname: {name}\n"
        f"domain: {domain}\nmax_disruption: data-loss\n"
        "max_deletions: {machines_percent: 100, records_percent: 100}\n"
        for name, domain in DOMAINS.items()
    },
}
Files = Mapping[str, str | None]


def machine(name: str, address: int, environment: str) -> dict[str, str]:
    """A machine of one environment, by the path of its file."""
    text = (
        f"kind: VirtualMachine\nname: {name}\nmemory: 1 GiB\n"
        f"networks: [{{network: lan, address: 192.168.1.{address}}}]\n"
    )
    return {f"environments/{environment}/vms/{name}.yaml": text}


MACHINES = (
    machine("web", 31, "production")
    | machine("web", 32, "staging")
    | machine("web", 33, "development")
)


class TownOfNames:
    """Three branches with the same tree, and the farm that follows them."""

    def __init__(self, root: Path, files: Files | None = None) -> None:
        self.origin = Origin(root / "origin.git")
        self.farm = SimulatedFarm(example_hosts())
        tree = {**FILES, **MACHINES, **(files or {})}
        first = self.origin.commit("production", _encoded(tree), message="Describe the farm")
        for branch in ("staging", "development"):
            self.origin.git("branch", branch, first)
        self.site = site(root, self.origin.url, self.farm, Clock())

    def push(self, branch: str, files: Files, *, allow: str = "") -> str:
        """Commit files to a branch; None takes one away."""
        message = "Change" + (f"\n\nReconciler-Allow: {allow}" if allow else "")
        return self.origin.commit(branch, _encoded(files), message=message)

    def promote(self, commit: str, branch: str) -> None:
        """Let a branch go on to a commit of a lower one."""
        self.origin.git("update-ref", f"refs/heads/{branch}", commit)

    def sync(self, environment: str) -> Report:
        """Fetch, and one turn."""
        self.site.source.refresh()
        return turn(environment, self.site)

    def sync_all(self) -> None:
        """Who makes the zones comes first."""
        for environment in reversed(ENVIRONMENTS):
            assert self.sync(environment).refusal is None

    def records(self, zone: str = "farm.internal") -> dict[str, tuple[str, ...]]:
        """What a zone serves, without what the registry keeps in it."""
        served = self.farm.state.nameservers["ns"].zones[zone].records
        return {each.key: each.values for each in served if not _is_mark(each)}


def _encoded(files: Files) -> dict[str, bytes | None]:
    return {path: None if text is None else text.encode() for path, text in files.items()}


def _is_mark(record: RecordSet) -> bool:
    return record.name.endswith("_reconciler")


def refusal(report: Report) -> str:
    """Why a turn did nothing."""
    assert report.refusal is not None
    return str(report.refusal.error)
