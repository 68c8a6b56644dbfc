"""Files that set interfaces up at boot, as they were agreed: all of them, for each of the tools.

The tools' own checkers look at them where they are installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.ports.network_acts import Tool
from reconciler.ports.network_facts import Route, TextFile
from reconciler.render.network.boot_files import BootLink, boot_files
from tests.conftest import Golden

HERE = Path(__file__).parent / "boot_files"
TOOLS: tuple[Tool, ...] = ("networkd", "netplan", "ifupdown2")
NETPLAN = ("/usr/libexec/netplan/generate", "/usr/lib/netplan/generate", "/lib/netplan/generate")
DECLARED = {"bond0": "bond", "bond0.20": "vlan", "br-lan": "bridge"}
LINKS = (
    BootLink("bond0", "bond", ("eth0", "eth1"), mode="802.3ad", mtu=9000, declared=DECLARED),
    BootLink("bond0.20", "vlan", parent="bond0", vlan=20, mtu=1500, declared=DECLARED),
    BootLink("eth5.7", "vlan", parent="eth5", vlan=7, declared=DECLARED),
    BootLink("br-lan.9", "vlan", parent="br-lan", vlan=9, declared=DECLARED),
    BootLink(
        "br-lan",
        "bridge",
        ("bond0.20", "eth2"),
        mtu=1500,
        addresses=("192.168.1.17/24",),
        routes=(
            Route("0.0.0.0/0", "192.168.1.1"),
            Route("10.10.60.0/24"),
            Route("10.0.0.0/8", type="blackhole"),
            Route("fd00::/8", type="blackhole"),
        ),
        declared=DECLARED,
    ),
    BootLink("br-empty", "bridge"),
    BootLink(
        "br-ovs",
        "internal",
        mtu=1462,
        addresses=("10.1.0.1/24",),
        routes=(Route("10.9.0.0/16", "10.1.0.254"),),
    ),
)


def files(tool: Tool) -> tuple[TextFile, ...]:
    return tuple(file for link in LINKS for file in boot_files(link, tool))


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_is_told_what_was_agreed(tool: Tool, golden: Golden) -> None:
    told = "\n".join(f"==> {file.path} <==\n{file.content}" for file in files(tool))
    golden(HERE / f"{tool}.txt", told)


@pytest.mark.parametrize("tool", TOOLS)
def test_no_two_interfaces_write_one_file(tool: Tool) -> None:
    paths = [file.path for file in files(tool)]
    assert len(set(paths)) == len(paths)


def test_netplan_makes_of_it_what_networkd_is_told_otherwise(tmp_path: Path) -> None:
    generate = next(filter(shutil.which, NETPLAN), None)
    if generate is None:
        pytest.skip("netplan is not installed here")
    for file in files("netplan"):
        path = tmp_path / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        path.chmod(0o600)
    subprocess.run([generate, "--root-dir", tmp_path], check=True, timeout=30)
    made = tmp_path / "run/systemd/network"
    bridge = (made / "10-netplan-br-lan.network").read_text()
    assert "Destination=10.0.0.0/8\nType=blackhole" in bridge
    assert re.search(r"^Address=192\.168\.1\.17/24$", bridge, re.MULTILINE)
    assert "Bridge=br-lan" in (made / "10-netplan-bond0.20.network").read_text()
    assert "VLAN=br-lan.9" in bridge
