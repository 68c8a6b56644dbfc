"""What Nameserver documents, and hosts without guests, must not say; and what is right."""

from __future__ import annotations

import pytest

from reconciler.config.zone_fields import weakness
from reconciler.errors import ConfigError
from reconciler.render.render import rooms
from tests.farms.repository import documents
from tests.golden.nameservers.nameservers import SERVERS, TWO, ZONE, farm

NS = "environments/production/ns.yaml"
KEY = "keys: {production: 'secret://dns/production'}\n"
ONE = f"hosts: [{{name: ns-1}}]\n{KEY}"
INSIDE = "inside: [lan]\n"
BARE = (
    "kind: Host\nname: box\nenvironment: production\naddress: 192.168.1.30\n"
    "memory: 2 GiB\nguests: false\n"
)
BOX = "environments/production/box.yaml"


def told(server: str, more: dict[str, str] | None = None) -> list[str]:
    """What is said against a name server that says this."""
    with pytest.raises(ConfigError) as caught:
        farm(server, more)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (KEY, f"{NS}:1:1: name server ns needs either hosts or an address"),
        (f"{ONE}{INSIDE}address: 192.168.1.2\n", "needs either hosts or an address"),
        (f"hosts: [{{name: ns-9}}]\n{KEY}{INSIDE}", "there is no host ns-9; did you mean ns-"),
        (f"hosts: [{{name: ns-1}}, {{name: ns-1}}]\n{KEY}{INSIDE}", "host ns-1 is there twice"),
        (
            f"hosts: [{{name: ns-1}}, {{name: ns-2, address: 192.168.1.18}}]\n{KEY}{INSIDE}",
            "hosts ns-1 and ns-2 of name server ns are both 192.168.1.18",
        ),
        (ONE, f"{NS}:3:1: name server ns says of nobody that he is inside"),
        (f"{ONE}outside: true\n", "answers the outside, and says of nobody that he is inside"),
        (f"{ONE}inside: [lann]\n", "there is no network lann; did you mean lan?"),
        (f"{ONE}inside: ['0.0.0.0/0']\n", "0.0.0.0/0 is everybody: name server ns would be open"),
        (f"{ONE}inside: ['::/0']\n", "::/0 is everybody"),
        (
            f"{ONE}{INSIDE}recursion: false\nforwarders: [192.0.2.1]\n",
            f"{NS}:7:1: name server ns has forwarders and no recursion",
        ),
        (f"software: nsd\n{ONE}outside: true\n", "name server ns is nsd, which has no `outside:`"),
        (f"software: knot\n{ONE}{INSIDE}", "name server ns is knot, which has no `inside:`"),
        (
            f"software: nsd\n{ONE}forwarders: [192.0.2.1]\n",
            "has no `forwarders:`; remove it, or write `software: bind`",
        ),
        (
            f"{TWO.replace('production', 'staging')}{INSIDE}",
            "has secondaries, and no key of production, by which they read the zones; write ",
        ),
        (
            f"hosts: [{{name: ns-1}}]\n{INSIDE}",
            "no key of production, which changes zone farm.internal (environments/production/z",
        ),
        (
            f"hosts: [{{name: ns-1}}]\n{INSIDE}keys: {{production: 'secret://dns/production_'}}\n",
            f"{NS}:5:8: secret://dns/production_: secrets/dns.sops.yaml has no value production_",
        ),
        (
            f"{INSIDE}hosts: [{{name: ns-1}}]\nkeys: {{production: c2VjcmV0}}\n",
            "must be a reference",
        ),
    ],
)
def test_a_name_server_that_cannot_be_is_told_so(server: str, said: str) -> None:
    assert said in "\n".join(told(server))


@pytest.mark.parametrize("case", SERVERS)
def test_one_that_can_be_is_right(case: str) -> None:
    assert farm(SERVERS[case]).nameservers.keys() == {"ns"}


@pytest.mark.parametrize(
    ("algorithm", "why"),
    [
        ("hmac-md5", "must not be hmac-md5: MD5 is broken"),
        ("hmac-sha1", "must not be hmac-sha1: SHA-1 is broken"),
        ("hmac-sha224", "no stronger than sha256"),
        ("hmac-sha999", "must be 'hmac-sha256', 'hmac-sha384' or 'hmac-sha512'"),
    ],
)
def test_a_weak_algorithm_is_refused_with_the_reason(algorithm: str, why: str) -> None:
    keys = KEY.replace("{", f"{{algorithm: {algorithm}, ")
    (problem,) = [
        each for each in told(f"hosts: [{{name: ns-1}}]\n{INSIDE}{keys}") if "algorithm" in each
    ]
    assert why in problem
    assert problem.startswith(f"{NS}:5:8: keys.algorithm ")


@pytest.mark.parametrize("name", ["hmac-md5", "HMAC-MD5.SIG-ALG.REG.INT.", "md5", "hmac-sha1."])
def test_weak_algorithms_are_known_by_all_their_names(name: str) -> None:
    assert weakness(name)
    assert weakness("hmac-sha256.") is None


def test_a_host_runs_one_name_server() -> None:
    two = {"environments/production/other.yaml": f"kind: Nameserver\nname: other\n{ONE}{INSIDE}"}
    said = told(f"{ONE}{INSIDE}", two)
    assert [each for each in said if "host ns-1 runs name server" in each]


def test_what_the_name_server_writes_no_host_declares() -> None:
    host = (
        "kind: Host\nname: ns-1\nenvironment: production\naddress: 192.168.1.18\nmemory: 2 GiB\n"
        "files: [{path: /etc/bind/named.conf, content: x}]\n"
    )
    (said,) = told(f"{ONE}{INSIDE}", {"environments/production/servers.yaml": host})
    assert "host ns-1 has /etc/bind/named.conf, which name server ns writes" in said


def test_who_shares_a_zone_and_dhcp_need_keys() -> None:
    zone = ZONE.replace("ttl: 5m", "share: {staging: {below: [st]}}\nttl: 5m")
    said = told(f"{ONE}{INSIDE}", {"environments/production/zone.yaml": zone})
    assert [each for each in said if "no key of staging" in each]
    zone = ZONE.partition("delegations")[0] + "updated_by: dhcp\n"
    said = told(f"{ONE}{INSIDE}", {"environments/production/zone.yaml": zone})
    assert [each for each in said if "no key of dhcp" in each]


def test_a_host_of_others_is_not_made_a_name_server() -> None:
    servers = {
        "environments/production/servers.yaml": "",
        "environments/production/far.yaml": "kind: Host\nname: ns-1\nenvironment: staging\n"
        "address: 192.168.1.18\nmemory: 2 GiB\n",
    }
    said = told(f"{ONE}{INSIDE}", servers)
    assert [each for each in said if "host ns-1 of Nameserver ns belongs to staging" in each]


def test_who_does_not_make_it_need_not_know_its_hosts_and_networks() -> None:
    shared = {
        "ns.yaml": "kind: Nameserver\nname: ns\nenvironment: staging\nhosts: [{name: far}]\n"
        f"inside: [there]\n{KEY}",
        NS: "",
    }
    assert farm("", shared).nameservers["ns"].environment == "staging"


def test_a_host_without_guests_gets_no_machines() -> None:
    made = documents({BOX: BARE})
    assert [room.host for room in rooms(made)] == ["virt1"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("share: {staging: {memory: 1 GiB, cpus: 1}}\n", "host box has `share:`, and no guests"),
        ("pools: [{name: p, size: 1 GiB, target: /p}]\n", "host box has `pools:`, and no guests"),
    ],
)
def test_what_only_hosts_with_guests_have_is_refused(more: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        documents({BOX: BARE + more})
    (problem,) = map(str, caught.value.problems)
    assert problem.startswith(f"{BOX}:7:1: {said} ({BOX}:6:1)")


def test_a_machine_that_must_run_on_it_is_told_with_both_lines() -> None:
    pinned = "kind: VirtualMachine\nname: pin\nmemory: 1 GiB\nhost: box\n"
    with pytest.raises(ConfigError) as caught:
        documents({BOX: BARE, "vms/pin.yaml": pinned})
    (problem,) = map(str, caught.value.problems)
    assert problem == (
        "vms/pin.yaml:4:1: machine pin must run on host box, which has no guests "
        f"({BOX}:6:1); name another host"
    )


def test_a_network_of_libvirt_is_not_made_on_it() -> None:
    network = "kind: Network\nname: nat\nsubnet: 10.7.7.0/24\nbridge: nat0\nswitch: libvirt\n"
    with pytest.raises(ConfigError, match="network nat is of libvirt, and host box has no guests"):
        documents({BOX: BARE, "networks/nat.yaml": network + "hosts: [{name: box}]\n"})


def test_a_host_that_is_one_of_the_machines_has_the_address_of_the_machine() -> None:
    machine = (
        "kind: VirtualMachine\nname: box\nmemory: 1 GiB\n"
        "networks: [{network: lan, address: 192.168.1.30}]\n"
    )
    assert "box" in documents({BOX: BARE, "vms/box.yaml": machine}).machines
    for other in (BARE.replace("guests: false\n", ""), BARE.replace("name: box", "name: bix")):
        with pytest.raises(ConfigError, match=r"192\.168\.1\.30"):
            documents({BOX: other, "vms/box.yaml": machine})
