"""Files that set interfaces up at boot: which stay, who is told, and who may refuse them."""

from __future__ import annotations

import pytest

from reconciler.drivers.ssh.onhost.boot_files import put_files, tell_tools
from reconciler.drivers.ssh.onhost.host import Ran, Refused
from tests.unit.drivers.ssh.onhost.ground import Ground

NETWORKD = "/etc/systemd/network"
PART = f"{NETWORKD}/50-reconciler-eth0.network"
ONE, TWO = f"{PART}.d/br0.conf", f"{PART}.d/eth0.7.conf"
NETPLAN = "/etc/netplan/92-reconciler-br0.yaml"
IFUPDOWN = "/etc/network/interfaces.d/reconciler-br0"


def file(path: str, content: str = "x\n") -> dict[str, str]:
    return {"path": path, "content": content}


def install(ground: Ground, program: str) -> None:
    path = ground.path(f"/usr/sbin/{program}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)


def test_a_shared_file_goes_with_the_last_that_has_a_part_in_it(ground: Ground) -> None:
    batch = ground.batch()
    put_files(batch, [file(PART), file(ONE), file(TWO)])
    put_files(batch, [], [PART, ONE])
    assert (ground.path(PART).exists(), ground.path(ONE).exists()) == (True, False)
    put_files(batch, [], [PART, TWO])
    assert list(ground.path(NETWORKD).iterdir()) == []


def test_only_what_changed_is_told(ground: Ground) -> None:
    batch = ground.batch()
    assert put_files(batch, [file(PART), file(ONE)], [TWO]) == (PART, ONE)
    assert put_files(batch, [file(PART), file(ONE, "y\n")], [TWO]) == (ONE,)
    assert put_files(batch, [], [PART, ONE]) == (PART, ONE)
    assert put_files(batch, [], [PART, ONE]) == ()


def test_networkd_that_runs_reads_anew_and_looks_at_ours_only(ground: Ground) -> None:
    tell_tools(ground.batch(), [PART], ["br0", "eth0"])
    assert ground.programs.called("networkctl") == [
        "networkctl reload",
        "networkctl reconfigure br0",
        "networkctl reconfigure eth0",
    ]


@pytest.mark.parametrize("path", [PART, NETPLAN])
def test_what_does_not_run_reads_at_boot(ground: Ground, path: str) -> None:
    ground.programs.answers["systemctl is-active"] = Ran(3)
    tell_tools(ground.batch(), [path], ["br0"])
    assert not ground.programs.called("networkctl") + ground.programs.called("netplan")


def test_nothing_new_is_nothing_to_read(ground: Ground) -> None:
    tell_tools(ground.batch(), [], ["br0"])
    assert ground.programs.calls == []


def test_netplan_and_ifupdown2_are_asked_before_and_told_after(ground: Ground) -> None:
    install(ground, "netplan")
    install(ground, "ifreload")
    changed = put_files(ground.batch(), [file(NETPLAN), file(IFUPDOWN)])
    checks = ["ifreload -a --syntax-check", "netplan generate"]
    assert sorted(ground.programs.calls) == checks
    assert ground.path(NETPLAN).stat().st_mode & 0o777 == 0o600
    tell_tools(ground.batch(), changed, ["br0"])
    assert "netplan apply" in ground.programs.calls
    assert "ifreload -a" in ground.programs.calls
    assert not [call for call in ground.programs.calls if "restart" in call]


def test_what_netplan_refuses_is_as_it_was(ground: Ground) -> None:
    install(ground, "netplan")
    put_files(ground.batch(), [file(NETPLAN, "old\n")])
    ground.programs.answers["netplan generate"] = Ran(1, "", "line 3: no such key")
    with pytest.raises(Refused, match="line 3: no such key"):
        put_files(ground.batch(), [file(NETPLAN, "new\n"), file(NETPLAN + "x")])
    assert ground.path(NETPLAN).read_text() == "old\n"
    assert not ground.path(NETPLAN + "x").exists()


def test_of_ifupdown2_only_errors_about_our_files_count(ground: Ground) -> None:
    install(ground, "ifreload")
    ours = f"error: {IFUPDOWN}: line1: iface br0: unsupported address method 'x'"
    warned = "warning: br0: bridge inherits mtu\nerror: /etc/network/interfaces: line 3: nonsense"
    ground.programs.answers["ifreload -a --syntax-check"] = Ran(1, "", warned)
    put_files(ground.batch(), [file(IFUPDOWN, "a\n")])
    ground.programs.answers["ifreload -a --syntax-check"] = Ran(1, "", f"{warned}\n{ours}")
    with pytest.raises(Refused, match="unsupported address method"):
        put_files(ground.batch(), [file(IFUPDOWN, "b\n")])
    assert ground.path(IFUPDOWN).read_text() == "a\n"
