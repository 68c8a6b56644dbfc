"""The neighbour: Ansible's `community.libvirt.virt`, in an environment of its own.

It works as its documentation says it should: the module runs on the host, reached by ssh with
pipelining and a kept connection, the fastest that Ansible offers; a template makes the XML.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import libvirt
import libvirtmod  # type: ignore[import-not-found] # in C, without stubs
import lxml

from benchmarks.libvirt_host import BRIDGE, POOL, Reach, domain_name, mac, uuid_of

PACKAGE = "ansible==12.3.0"
LIBRARIES = "/var/tmp/bench-ansible"  # noqa: S108 - on a host of the lab, which only root uses
_RECAP = re.compile(r"ok=(\d+) +changed=(\d+) +unreachable=0 +failed=0")

_SETTINGS = """\
[defaults]
inventory = inventory.json
local_tmp = tmp
stdout_callback = default
display_ok_hosts = false
[ssh_connection]
pipelining = true
"""
_PLAYBOOK = f"""\
- hosts: all
  gather_facts: false
  environment: {{PYTHONPATH: {LIBRARIES}}}
  tasks:
    - name: define
      community.libvirt.virt:
        command: define
        xml: "{{{{ lookup('template', 'domain.xml.j2') }}}}"
      loop: "{{{{ machines }}}}"
      loop_control: {{label: "{{{{ item.name }}}}"}}
"""
_TEMPLATE = f"""\
<domain type='qemu'>
  <name>{{{{ item.name }}}}</name>
  <uuid>{{{{ item.uuid }}}}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <features><acpi/><apic/></features>
  <devices>
    <disk type='volume' device='disk'>
      <driver name='qemu' type='raw'/>
      <source pool='{POOL}' volume='{{{{ item.name }}}}-root'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='bridge'>
      <mac address='{{{{ item.mac }}}}'/>
      <source bridge='{BRIDGE}'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'/>
  </devices>
</domain>
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the playbook, and how many of its tasks changed something."""

    seconds: float
    changed: int


def installed(directory: Path) -> Path:
    """The environment with Ansible in it, made if it is not there: 300 MiB, from PyPI."""
    program = directory / "bin" / "ansible-playbook"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        pip = str(directory / "bin" / "pip")
        subprocess.run([pip, "install", "--quiet", "--no-compile", PACKAGE], check=True)
    return program


def bring_libraries(reach: Reach) -> None:
    """Give the host what the module needs there: libvirt's and lxml's bindings for Python."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file in (libvirt.__file__, libvirtmod.__file__, str(Path(lxml.__file__).parent)):
            tar.add(file, Path(file).name)
    command = f"mkdir -p {LIBRARIES} && tar -x --no-same-owner -C {LIBRARIES}"
    subprocess.run([*ssh(reach), command], input=archive.getvalue(), check=True)


def remove_libraries(reach: Reach) -> None:
    """Remove them."""
    subprocess.run([*ssh(reach), f"rm -rf {LIBRARIES}"], check=True)


def write_playbook(directory: Path, reach: Reach, machines: int) -> None:
    """Write a playbook that defines so many domains, and all it needs."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ansible.cfg").write_text(_SETTINGS)
    (directory / "site.yaml").write_text(_PLAYBOOK)
    (directory / "domain.xml.j2").write_text(_TEMPLATE)
    host = {**variables(reach), "machines": [_machine(number) for number in range(machines)]}
    (directory / "inventory.json").write_text(json.dumps({"all": {"hosts": {reach.name: host}}}))


def variables(reach: Reach) -> dict[str, object]:
    """What Ansible is to know of a host to reach it."""
    return {
        "ansible_host": reach.address,
        "ansible_user": reach.access.user,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(reach.access.key_file.absolute()),
        "ansible_ssh_common_args": " ".join(_options(reach)),
    }


def play(program: Path, directory: Path) -> Run:
    """Run the playbook.

    Raises:
        RuntimeError: it failed.
    """
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
    }
    began = time.perf_counter()
    done = subprocess.run(
        [program, "site.yaml"],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        message = f"Ansible failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        raise RuntimeError(message)
    return Run(seconds, changed(done.stdout))


def changed(said: str) -> int:
    """How many tasks changed something, by Ansible's own recap.

    Raises:
        ValueError: the recap tells of a failure, or there is none.
    """
    recap = _RECAP.search(said)
    if recap is None:
        message = f"Ansible does not say that all went well:\n{said[-2000:]}"
        raise ValueError(message)
    return int(recap[2])


def _machine(number: int) -> dict[str, str]:
    name = domain_name(number)
    return {"name": name, "uuid": uuid_of(name), "mac": mac(number)}


def ssh(reach: Reach) -> list[str]:
    """The command that reaches a host, without what is to be done there."""
    key = str(reach.access.key_file.absolute())
    return ["ssh", "-i", key, *_options(reach), f"{reach.access.user}@{reach.address}"]


def _options(reach: Reach) -> list[str]:
    known_hosts = reach.access.known_hosts.absolute()
    return ["-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={known_hosts}"]
