"""A machine's first boot data becomes a seed, and its parts have their cost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.config.first_boot import FirstBoot
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeKind, VolumeSpec
from reconciler.ports.hypervisor import Disk, Seed
from reconciler.render.first_boot import HEADER, instance_digest
from reconciler.render.identity import machine_mac, machine_uuid
from reconciler.render.render import render
from tests.farms.repository import FARM, documents

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBoXWgmiesmAWqNiCx+pd0QjhJLQ4miJTaes14AF9UrY"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAKKuZLFqgywzIGPOM8HSnbl8obHQsO6xml804NGXFgV"
WEB = FARM["vms/web-1.yaml"]
OPS = "first_boot:\n  accounts:\n    - {name: ops}\n"
LAN = FARM["networks.yaml"]
FILE = {"path": "/a", "content": "x"}
FAST = FARM["hosts.yaml"].replace(
    "pools:\n", "pools:\n  - {name: fast, size: 1 TiB, target: /srv/fast}\n"
)


def rendered(machine: str = WEB + OPS, **files: str) -> dict[str, Any]:
    changes = {f"{name}.yaml": text for name, text in files.items()}
    changes["vms/web-1.yaml"] = machine
    return {str(each.address): each.spec for each in render(documents(changes))}


def seed(machine: str = WEB + OPS, **files: str) -> Seed:
    found = rendered(machine, **files)["volume/web-1-seed"].seed
    assert isinstance(found, Seed)
    return found


def user_data(machine: str = WEB + OPS, **files: str) -> Any:
    return json.loads(seed(machine, **files).user_data.removeprefix(HEADER))


def interfaces(machine: str = WEB + OPS, **files: str) -> Any:
    network = json.loads(seed(machine, **files).network_config)
    assert network["version"] == 2
    return network["ethernets"]


def test_a_machine_without_first_boot_has_no_seed() -> None:
    found = rendered(WEB)
    assert "volume/web-1-seed" not in found
    assert [disk.device for disk in found["domain/web-1"].disks] == ["disk", "disk"]
    assert (found["domain/web-1"].first_boot, found["volume/web-1-root"].content) == (None, None)


def test_the_seed_is_a_volume_beside_the_root_disk_and_the_last_disk_of_the_domain() -> None:
    found = rendered(WEB.replace("size: 16 GiB", "size: 16 GiB, pool: fast") + OPS, hosts=FAST)
    volume = found["volume/web-1-seed"]
    assert (volume.pool, volume.name, volume.format) == ("fast", "production-web-1-seed", "iso")
    assert volume.capacity_bytes == 4 * 2**20
    assert found["domain/web-1"].disks[-1] == Disk(
        "seed", "fast", "production-web-1-seed", device="cdrom"
    )


def test_the_guest_is_called_as_in_dns() -> None:
    data = user_data()
    assert (data["hostname"], data["fqdn"]) == ("web-1", "web-1.farm.internal")
    zone = FARM["environments/production/zone.yaml"] + "naming: {machines: '{name}.vm'}\n"
    changes = {"environments/production/zone.yaml": zone, "vms/web-1.yaml": WEB + OPS}
    found = {str(each.address): each.spec for each in render(documents(changes))}
    assert '"fqdn": "web-1.vm.farm.internal"' in found["volume/web-1-seed"].seed.user_data


def test_accounts_packages_and_files_are_as_written() -> None:
    text = (
        "first_boot:\n  accounts:\n"
        f"    - {{name: ops, ssh_keys: [{KEY} me], groups: [sudo, adm], sudo: true}}\n"
        "  packages: [nginx, curl=7.88.1-10]\n  upgrade: true\n"
        "  files:\n    - {path: /srv/b, content: b, mode: '0600', owner: ops}\n"
        '    - {path: /etc/a, content: "a\\n"}\n'
        "  timezone: Europe/Berlin\n  locale: C.UTF-8\n  grow: false\n"
    )
    data = user_data(WEB + text)
    (account,) = data["users"]
    assert account["ssh_authorized_keys"] == [f"{KEY} me"]
    assert (account["groups"], account["sudo"]) == (["adm", "sudo"], "ALL=(ALL) NOPASSWD:ALL")
    assert (data["packages"], data["package_update"]) == (["curl=7.88.1-10", "nginx"], True)
    assert [(file["path"], file["permissions"], file["owner"]) for file in data["write_files"]] == [
        ("/etc/a", "0644", "root:root"),
        ("/srv/b", "0600", "ops"),
    ]
    assert [file["defer"] for file in data["write_files"]] == [False, True], "no account yet"
    assert (data["timezone"], data["locale"]) == ("Europe/Berlin", "C.UTF-8")
    assert (data["growpart"]["mode"], data["resize_rootfs"]) == ("off", False)
    assert data["package_upgrade"] is True


def test_what_is_not_written_is_left_to_the_image() -> None:
    data = user_data(f"{WEB}first_boot: {{}}\n")
    assert not data.keys() & {"users", "packages", "write_files", "timezone", "locale"}
    assert (data["growpart"]["mode"], data["package_update"]) == ("auto", False)


def test_an_address_of_its_own_is_in_the_seed_with_the_way_out() -> None:
    networks = f"{LAN}nameservers: [192.168.1.2, 192.168.1.3]\n"
    assert interfaces(networks=networks) == {
        "lan": {
            "match": {"macaddress": machine_mac("production", "web-1", "lan")},
            "dhcp4": False,
            "addresses": ["192.168.1.129/24"],
            "nameservers": {
                "addresses": ["192.168.1.2", "192.168.1.3"],
                "search": ["farm.internal"],
            },
            "routes": [{"to": "0.0.0.0/0", "via": "192.168.1.1"}],
        }
    }


def test_without_an_address_it_asks_for_one() -> None:
    text = WEB.replace(", address: 192.168.1.129", ", mac: '52:54:00:00:00:07'")
    found = interfaces(text + OPS)
    assert found == {"lan": {"match": {"macaddress": "52:54:00:00:00:07"}, "dhcp4": True}}


def test_there_is_one_way_out() -> None:
    dmz = "---\nkind: Network\nname: dmz\nsubnet: 10.0.0.0/24\nbridge: br-dmz\ngateway: 10.0.0.1\n"
    both = WEB + "  - {network: dmz, address: 10.0.0.7}\n" + OPS
    found = interfaces(both, networks=LAN + dmz)
    assert ["routes" in each for each in found.values()] == [True, False]


def test_the_network_is_looked_at_again_at_each_boot() -> None:
    assert user_data()["updates"] == {"network": {"when": ["boot"]}}


CHANGES = {
    "an account": ("    - {name: ops}", "    - {name: adm}", "once"),
    "a key": ("{name: ops}", f"{{name: ops, ssh_keys: [{KEY}]}}", "once"),
    "a package": ("accounts:", "packages: [nginx]\n  accounts:", "once"),
    "an upgrade": ("accounts:", "upgrade: true\n  accounts:", "once"),
    "a file": ("accounts:", "files: [{path: /a, content: b}]\n  accounts:", "once"),
    "the time zone": ("accounts:", "timezone: UTC\n  accounts:", "once"),
    "the locale": ("accounts:", "locale: C.UTF-8\n  accounts:", "once"),
    "whether it grows": ("accounts:", "grow: false\n  accounts:", "each boot"),
    "the address": ("192.168.1.129", "192.168.1.130", "each boot"),
    "a hardware address": ("lan, ", "lan, mac: '52:54:00:00:00:07', ", "each boot"),
    "a remark": ("{name: ops}", "{name: ops, description: Night shift}", "never"),
    "the memory": ("memory: 2 GiB", "memory: 3 GiB", "never"),
}


def costs(before: str, after: str) -> tuple[bool, bool, bool, bool]:
    """Whether the root disk is made anew, the guest reruns, the seed and its instance change."""
    one, other = rendered(before), rendered(after)
    return (
        one["volume/web-1-root"].content != other["volume/web-1-root"].content,
        one["domain/web-1"].first_boot != other["domain/web-1"].first_boot,
        one["volume/web-1-seed"].content != other["volume/web-1-seed"].content,
        seed(before).meta_data != seed(after).meta_data,
    )


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("on_change", ["replace", "rerun", "keep"])
def test_what_a_change_costs(change: str, on_change: str) -> None:
    old, new, when = CHANGES[change]
    before = f"{WEB}{OPS}  on_change: {on_change}\n"
    after = before.replace(old, new, 1)
    assert before != after
    is_once, is_seen = when == "once", when != "never"
    assert (
        costs(before, after)
        == {
            "replace": (is_once, False, is_seen, is_once),
            "rerun": (False, is_once, is_seen, is_once),
            "keep": (False, False, False, False),
        }[on_change]
    )


def test_a_rename_writes_the_new_name_into_the_seed_and_changes_nothing_else() -> None:
    before = rendered()
    renamed = WEB.replace("name: web-1", "name: shop\nrenamed_from: web-1") + OPS
    found = {each.address.name: each for each in render(documents({"vms/web-1.yaml": renamed}))}
    assert found["shop-root"].spec == before["volume/web-1-root"]
    assert found["shop"].spec == before["domain/web-1"]
    assert str(found["shop-seed"].formerly) == "volume/web-1-seed"
    one, other = before["volume/web-1-seed"], found["shop-seed"].spec
    assert (one.name, one.pool) == (other.name, other.pool)
    instances = [json.loads(spec.seed.meta_data)["instance-id"] for spec in (one, other)]
    assert instances[0] == instances[1], "cloud-init runs nothing again"
    assert json.loads(other.seed.meta_data)["local-hostname"] == "shop"


def test_a_kept_seed_is_never_written_again() -> None:
    keep = f"{WEB}{OPS}  on_change: keep\n"
    wanted = rendered(keep.replace("ops", "adm") + "  packages: [nginx]\n")["volume/web-1-seed"]
    there = VolumeSpec("virt1", wanted.pool, wanted.name, "iso", wanted.capacity_bytes, "abc")
    placed = VolumeSpec(**{**fields_of(wanted), "host": "virt1"})
    assert VolumeKind().diff(placed, there) == ()
    assert json.loads(wanted.seed.meta_data)["instance-id"] == machine_uuid("production", "web-1")


def fields_of(spec: VolumeSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in spec.__slots__}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"packages": ["a", "b"]}, {"packages": ["b", "a"]}),
        ({"packages": []}, {}),
        ({"upgrade": False, "grow": False}, {"grow": True}),
        (
            {"accounts": [{"name": "a"}, {"name": "b", "ssh_keys": [KEY, OTHER]}]},
            {"accounts": [{"name": "b", "ssh_keys": [f"{OTHER} x", f"{KEY} y"]}, {"name": "a"}]},
        ),
        ({"files": [{**FILE}]}, {"files": [{**FILE, "mode": "0644", "owner": "root:root"}]}),
    ],
    ids=["packages", "nothing", "defaults", "accounts", "files"],
)
def test_order_remarks_and_defaults_make_no_other_system(one: Any, other: Any) -> None:
    digests = {instance_digest(FirstBoot.model_validate(each)) for each in (one, other)}
    assert len(digests) == 1


def test_the_digest_is_the_same_for_ever() -> None:
    """Another one would make the root disks of a whole farm anew."""
    everything = {
        "accounts": [{"name": "ops", "ssh_keys": [KEY], "groups": ["adm"], "sudo": True}],
        "packages": ["nginx"],
        "upgrade": True,
        "files": [{"path": "/etc/motd", "content": "é\n", "mode": "0600", "owner": "ops"}],
        "timezone": "UTC",
        "locale": "C.UTF-8",
    }
    assert instance_digest(FirstBoot.model_validate(everything)) == "bb6f1748e7a1e249"
    assert instance_digest(FirstBoot()) == "44136fa355b3678a"


def test_a_domain_says_what_its_guest_is_to_act_on_again() -> None:
    spec = rendered(f"{WEB}{OPS}  on_change: rerun\n")["domain/web-1"]
    assert isinstance(spec, DomainSpec)
    written = FirstBoot.model_validate({"accounts": [{"name": "ops"}]})
    assert spec.first_boot == instance_digest(written)
