"""S17: what documents say of bridges, VLANs, bonds and routes ends no word and no line of a file.

It ends in files of systemd-networkd, netplan and ifupdown2, the last of which a shell reads, and in
the arguments of `ip`.
"""

from __future__ import annotations

import json
import re

import pytest

from reconciler.errors import ConfigError
from reconciler.ports.network_acts import Tool
from reconciler.render.network.links import links
from tests.farms.repository import documents

PAYLOADS = {
    "a line": "eth1\npost-up reboot",
    "a carriage return": "eth1\rx",
    "a word": "eth1 eth2",
    "a tab": "eth1\tx",
    "a section": "eth1]\n[Network]",
    "a key": "eth1=x",
    "a quote": 'eth1"',
    "a brace": "eth1}",
    "a comma": "eth1,eth2",
    "a mapping": "eth1: x",
    "a remark": "eth1 # x",
    "a command": "eth1;reboot",
    "a substitution": "$(reboot)",
    "another substitution": "`reboot`",
    "a pattern": "eth*",
    "a path": "../eth1",
    "an option": "-force",
    "a NUL": "eth1\x00",
    "a look-alike": "еth1",
    "what is not ours": "lo",
}
BOX = "kind: Host\nname: box\nenvironment: production\naddress: 192.168.1.20\nmemory: 8 GiB\n"
LAN = "kind: Network\nname: x\n"
FIELDS = {
    "bridge": LAN + "subnet: 10.9.0.0/24\nbridge: {}\n",
    "port": LAN + "subnet: 10.9.0.0/24\nbridge: b\nhosts: [{{name: box, ports: [{}]}}]\n",
    "address": LAN + "subnet: 10.9.0.0/24\nbridge: b\nhosts: [{{name: box, address: {}}}]\n",
    "subnet": LAN + "subnet: {}\nbridge: b\n",
    "route": LAN + "subnet: 10.9.0.0/24\nbridge: b\nroutes: [{{to: {}}}]\n",
    "router": LAN + "subnet: 10.9.0.0/24\nbridge: b\nroutes: [{{to: 10.0.0.0/8, via: {}}}]\n",
    "kind of route": LAN + "subnet: 10.9.0.0/24\nbridge: b\nroutes: [{{to: fd00::/8, type: {}}}]\n",
    "mtu": LAN + "subnet: 10.9.0.0/24\nbridge: b\nmtu: {}\n",
    "bond": BOX + "bonds: [{{name: {}, members: [eth0]}}]\n",
    "member": BOX + "bonds: [{{name: bond0, members: [{}]}}]\n",
    "mode": BOX + "bonds: [{{name: bond0, members: [eth0], mode: {}}}]\n",
    "vlan": BOX + "vlans: [{{name: {}, link: eth0, id: 7}}]\n",
    "parent": BOX + "vlans: [{{name: v, link: {}, id: 7}}]\n",
    "number": BOX + "vlans: [{{name: v, link: eth0, id: {}}}]\n",
    "tool": BOX + "network_tool: {}\n",
}
WIDEST = "a" + "b" * 12 + "-_"  # what a name may be at most


def problems(text: str) -> list[str]:
    """What is wrong with the document itself."""
    files = {"x.yaml": text} if text.startswith("kind: Host") else {"box.yaml": BOX, "x.yaml": text}
    try:
        documents(files)
    except ConfigError as error:
        return [str(each) for each in error.problems if each.position.file == "x.yaml"]
    return []


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_document_cannot_say_more_than_a_value(field: str, payload: str) -> None:
    assert problems(FIELDS[field].format(json.dumps(payload)))


@pytest.mark.parametrize("tool", ["networkd", "netplan", "ifupdown2"])
def test_the_longest_names_are_one_word_in_each_file(tool: Tool) -> None:
    host = f"{BOX}network_tool: {tool}\nbonds: [{{name: {WIDEST}, members: [e.1, e-2]}}]\n"
    lan = f"{LAN}subnet: 10.9.0.0/24\nbridge: b.r\nhosts: [{{name: box, ports: [{WIDEST}]}}]\n"
    found = [
        file
        for each in links(documents({"box.yaml": host, "x.yaml": lan}))
        for file in each.spec.files
    ]
    said = [word for file in found for word in re.findall(r"[\w.-]+", file.content)]
    assert {word for word in said if WIDEST[:5] in word} == {WIDEST}
    assert all(re.fullmatch(r"/[\w./-]+", file.path) and ".." not in file.path for file in found)
