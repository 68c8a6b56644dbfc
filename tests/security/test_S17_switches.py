"""S17: what a Network document says of switches and tunnels is one value for Open vSwitch.

`ovs-vsctl` reads its words: `--` begins another command, and a comma, a quote or a brace another
value. What documents may say has none of these; and what is told to it is quoted all the same.
"""

from __future__ import annotations

import json
import re

import pytest

from reconciler.drivers.ssh.onhost.act_switches import switch_commands, tunnel_commands
from reconciler.drivers.ssh.onhost.ovs import Switches
from reconciler.errors import ConfigError
from tests.farms.repository import documents

PAYLOADS = {
    "another command": "x -- del-br br-lan",
    "an option": "--all",
    "another value": 'x",local_ip="10.6.6.6',
    "a quote": 'x"',
    "a brace": "x}",
    "a line": "x\ny",
    "a command of a shell": "x;reboot",
    "a substitution": "$(reboot)",
}
PLACE = {
    "bridge": ("bridge: {}", "br-lan"),
    "port": ("hosts: [{{name: virt1, ports: [{}]}}]", "eth1"),
    "host": ("hosts: [{{name: {}}}]", "virt1"),
    "underlay": ("tunnel: {{underlay: {}}}", "lan"),
    "certificate": ("tunnel: {{ipsec: {{certificate: {}, private_key: /k, authority: /a}}}}", "/c"),
    "mark": (
        "tunnel: {{ipsec: {{certificate: /c, private_key: /k, authority: /a, mark: {}}}}}",
        "0x1/0x1",
    ),
}
NOTHING = Switches({"br-lan": "system"}, {}, {})
WORD = re.compile(r'\Aoptions=\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\}\Z')


def refused(field: str, value: str) -> list[str]:
    """What is wrong with a network that says this."""
    form, _ = PLACE[field]
    lines = {"bridge": "bridge: br-x", "hosts": "hosts: []", "tunnel": ""}
    said = form.format(json.dumps(value))
    lines[said.partition(":")[0]] = said
    text = "kind: Network\nname: x\nsubnet: 10.9.0.0/24\nswitch: openvswitch\n"
    try:
        documents({"x.yaml": text + "\n".join(lines.values()) + "\n"})
    except ConfigError as error:
        return [str(each) for each in error.problems if each.position.file == "x.yaml"]
    return []


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("field", PLACE)
def test_a_document_cannot_say_more_than_a_value(field: str, payload: str) -> None:
    shaped = f"/{payload}" if field == "certificate" else payload
    assert refused(field, shaped)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_what_is_told_to_open_vswitch_is_quoted_all_the_same(payload: str) -> None:
    port = {"name": "gre1", "type": "gre", "tunnel_key": 1}
    port |= {"peer": payload, "remote": payload, "remote_name": payload}
    commands = tunnel_commands(NOTHING, "br-lan", [port], [payload] * 4)
    (options,) = (word for command in commands for word in command if word.startswith("options="))
    assert WORD.match(options)
    told = re.findall(r'="((?:[^"\\]|\\.)*)"', options)
    assert [json.loads(f'"{value}"') for value in told] == ["true", "1", payload, payload]
    quoted = [word for command in commands for word in command if word.startswith(("oth", "ext"))]
    assert [json.loads(word.partition("=")[2]) for word in quoted] == [payload] * 5


def test_no_word_of_a_switch_is_an_option_of_another() -> None:
    commands = switch_commands(NOTHING, "br-lan", "system", ("eth1",), 1462)
    options = [word for command in commands for word in command if word.startswith("-")]
    assert options == ["--may-exist"]
