"""The smallest config repository that validates as it is: what `init` writes."""

from __future__ import annotations

from collections.abc import Mapping

ENVIRONMENTS = ("development", "staging", "production")
_POLICY = {
    "development": (
        "max_disruption: data-loss\nmax_deletions: {machines_percent: 100, records_percent: 100}\n"
    ),
    "staging": "max_disruption: replace\n",
    "production": "max_disruption: restart\n",
}


def new_repository(name: str, domain: str) -> Mapping[str, str]:
    """The files of a new config repository by path; `domain` is the farm's domain."""
    files = {"farm.yaml": _farm(name, domain), "README.md": _readme(name)}
    files |= {
        f"environments/{each}/environment.yaml": _environment(each, domain) for each in ENVIRONMENTS
    }
    files["hosts/virt1.yaml"] = _HOST
    files["stacks/linux.yaml"] = _STACK
    files["vms/hello.yaml"] = _MACHINE
    return files


def _farm(name: str, domain: str) -> str:
    return f"kind: Farm\nname: {name}\ndomain: {domain}\ncontact: hostmaster@{domain}\n"


def _environment(name: str, domain: str) -> str:
    prefix = {"production": "", "staging": "staging.", "development": "dev."}[name]
    return f"kind: Environment\nname: {name}\ndomain: {prefix}{domain}\n{_POLICY[name]}"


def _readme(name: str) -> str:
    return (
        f"# {name}\n\n"
        "What stands on the branches `development`, `staging` and `production` is what\n"
        "`reconciler` makes of the farm. Change it on a branch, look at the plan, merge it up.\n\n"
        "- `farm.yaml`: the farm; `hosts/`, `stacks/`, `vms/`, …: shared by all environments\n"
        "- `environments/<name>/`: that environment's policy, its own documents, and patches\n"
    )


_HOST = """kind: Host
name: virt1
environment: production
address: 192.168.1.1
memory: 64 GiB
reserved_memory: 4 GiB
pools:
  - {name: default, size: 500 GiB, target: /var/lib/libvirt/images}
share:
  staging: {memory: 16 GiB, cpus: 8}
  development: {memory: 8 GiB, cpus: 8}
"""
_MACHINE = """kind: VirtualMachine
name: hello
description: The first machine; rename it, or write your own beside it
stack: linux
"""
_STACK = """kind: Stack
name: linux
cpus: 1
memory: 1 GiB
disks:
  - {name: root, size: 16 GiB}
"""
