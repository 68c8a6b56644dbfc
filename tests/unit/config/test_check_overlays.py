"""What overlays must not say, and what follows from what they say."""

from __future__ import annotations

import pytest

from reconciler.config.networks import IpsecField, TunnelField
from reconciler.config.overlays import end_name, mtu_of, overlay_mtu
from reconciler.errors import ConfigError
from tests.farms.repository import documents

MORE_HOSTS = "---\n".join(
    f"kind: Host\nname: virt{n}\nenvironment: production\naddress: 192.168.1.{n}\nmemory: 8 GiB\n"
    for n in (2, 3)
)
ALL = "[{name: virt1}, {name: virt2}, {name: virt3}]"
UNDER = (
    "[{name: virt1, address: 10.0.0.1}, {name: virt2, address: 10.0.0.2}, "
    "{name: virt3, address: 10.0.0.3}]"
)
IPSEC = IpsecField(certificate="/etc/a.pem", private_key="/etc/a.key", authority="/etc/ca.pem")


def network(name: str, subnet: str, tunnel: str = "", hosts: str = ALL, more: str = "") -> str:
    tunnels = f"tunnel: {tunnel}\n" if tunnel else ""
    return (
        f"kind: Network\nname: {name}\nenvironment: production\nsubnet: {subnet}\n"
        f"bridge: br-{name}\nswitch: openvswitch\nhosts: {hosts}\n{tunnels}{more}"
    )


def files(*networks: str) -> dict[str, str]:
    return {"more-hosts.yaml": MORE_HOSTS, "overlays.yaml": "---\n".join(networks)}


def problems(*networks: str) -> list[str]:
    try:
        documents(files(*networks))
    except ConfigError as error:
        return [str(each) for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("tunnel", "most"),
    [
        (TunnelField(type="gre"), 1462),
        (TunnelField(type="gre", key=7), 1458),
        (TunnelField(type="vxlan", key=7), 1450),
        (TunnelField(type="gre", ipsec=IPSEC), 1422),
    ],
)
def test_the_size_of_packets_follows_from_the_tunnel(tunnel: TunnelField, most: int) -> None:
    assert overlay_mtu(tunnel, 1500) == most
    assert overlay_mtu(tunnel, 9000) == most + 7500


def test_the_size_of_packets_follows_from_the_underlay() -> None:
    found = documents(
        files(
            network("a", "10.0.0.0/24", hosts=UNDER, more="mtu: 9000\n"),
            network("b", "10.0.1.0/24", "{underlay: a}"),
            network("c", "10.0.2.0/24", "{key: 1, underlay_mtu: 1600}"),
            network("d", "10.0.3.0/24", "{key: 2}", more="mtu: 1400\n"),
        )
    ).networks
    sizes = {name: mtu_of(each, found) for name, each in found.items()}
    assert sizes == {"lan": None, "a": 9000, "b": 8962, "c": 1558, "d": 1400}


def test_names_of_ends_are_short_lasting_and_never_the_kernels() -> None:
    gre, vxlan = TunnelField(type="gre"), TunnelField(type="vxlan", key=1)
    assert end_name(gre, "production", "lan", "virt1") == "gre107181364"
    assert end_name(vxlan, "production", "lan", "virt1") == "vx107181364"
    names = {end_name(gre, "production", "lan", f"virt{number}") for number in range(1000)}
    assert len(names) == 1000
    assert end_name(gre, "staging", "lan", "virt1") not in names
    assert "gre0" not in names
    assert max(map(len, names)) < 15


def test_an_overlay_that_is_right_is_let_be() -> None:
    under = network("a", "10.0.0.0/24", hosts=UNDER)
    assert not problems(under, network("b", "10.0.1.0/24", "{underlay: a}"))
    assert not problems(network("b", "10.0.1.0/24", "{}", more="mtu: 1462\n"))


def test_packets_that_do_not_fit_are_refused_with_what_fits() -> None:
    (said,) = problems(network("b", "10.0.1.0/24", "{key: 5}", more="mtu: 1462\n"))
    assert "1462 bytes do not fit" in said
    assert "at most 1458" in said


def test_a_tunnel_that_leads_into_its_own_network_is_refused() -> None:
    """It would send its own packets through itself, and the switch would do nothing else."""
    place = "[{name: virt1, address: 192.168.9.1}, {name: virt2}]"
    hosts = MORE_HOSTS.replace("192.168.1.", "192.168.9.")
    with pytest.raises(
        ConfigError, match=r"192\.168\.9\.2 of host virt2, which is an address of that"
    ):
        documents({**files(network("b", "192.168.9.0/24", "{}", place)), "more-hosts.yaml": hosts})


def test_overlays_that_run_in_each_other_are_refused() -> None:
    said = problems(
        network("a", "10.0.0.0/24", "{underlay: b}", UNDER),
        network("b", "10.0.1.0/24", "{underlay: a}", UNDER.replace("10.0.0", "10.0.1")),
    )
    assert sum("in themselves" in each for each in said) == 2


def test_an_underlay_that_is_no_network_or_lacks_a_host_is_refused() -> None:
    (said,) = problems(network("b", "10.0.1.0/24", "{underlay: nowhere}"))
    assert "nowhere, which is no network" in said
    some = "[{name: virt1, address: 10.0.0.1}, {name: virt2, address: 10.0.0.2}, {name: virt3}]"
    (said,) = problems(
        network("a", "10.0.0.0/24", hosts=some), network("b", "10.0.1.0/24", "{underlay: a}")
    )
    assert "host virt3 of network b has no address in a" in said


def test_two_overlays_with_the_same_tunnels_are_refused() -> None:
    one, other = network("b", "10.0.1.0/24", "{}"), network("c", "10.0.2.0/24", "{}")
    (said,) = problems(one, other)
    assert "networks b and c have the same tunnels between virt1 and virt2" in said
    assert not problems(one, network("c", "10.0.2.0/24", "{key: 1}"))
    assert not problems(one, network("c", "10.0.2.0/24", "{type: vxlan, key: 1}"))


def test_ends_of_one_name_are_refused() -> None:
    """It takes two names whose sums are the same."""
    hosts = MORE_HOSTS.replace("virt2", "h67").replace("virt3", "h20764")
    place = "[{name: virt1}, {name: h67}, {name: h20764}]"
    with pytest.raises(ConfigError, match="are called gre150383953; rename one"):
        documents({**files(network("b", "10.0.1.0/24", "{}", place)), "more-hosts.yaml": hosts})
