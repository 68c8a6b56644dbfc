"""What follows from a Nameserver document on its hosts: files, their order, and the service."""

from __future__ import annotations

from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.service import ServiceSpec
from reconciler.model.address import Address
from reconciler.render.render import render
from tests.golden.nameservers.nameservers import HOSTS, SERVERS, farm, written

DECLARED = HOSTS.replace(
    "address: 192.168.1.18\n",
    "address: 192.168.1.18\npackages: [{name: bind9}]\n"
    "services: [{name: named, enabled: true, running: true, reads: [/etc/default/named]}]\n",
)


def test_the_directory_is_of_the_program_and_the_keys_are_for_it_alone() -> None:
    files = written(farm(SERVERS["plain"])).files
    directory, keys = files["/var/lib/bind/reconciler"], files["/etc/bind/reconciler.keys"]
    assert (directory.type, directory.owner, directory.group) == ("directory", "bind", "bind")
    assert (keys.mode, keys.owner, keys.group) == ("0640", "root", "bind")


def test_keys_are_references_until_they_are_on_the_host() -> None:
    made = farm(SERVERS["views"])
    keys = written(made).files["/etc/bind/reconciler.keys"]
    assert len(keys.sealed) == len(keys.secrets) == len(("development", "staging", "dhcp")) + 1
    assert keys.reloads is None


def test_secondaries_have_no_key_by_which_zones_of_others_are_changed() -> None:
    keys = written(farm(SERVERS["views"]), "ns-2").text("reconciler.keys")
    assert "reconciler-production" in keys
    assert all(name not in keys for name in ("development", "staging", "dhcp"))


def test_what_others_write_is_read_after_it_and_the_service_comes_last() -> None:
    found = written(farm(SERVERS["nsd"]))
    main = found.files["/etc/nsd/nsd.conf"]
    others = found.files.keys() - {"/etc/nsd/nsd.conf"}
    assert {Address("file", name_of(path), "ns-1") for path in others} <= set(main.after)
    assert found.service is not None
    assert Address("file", "etc-nsd-nsd.conf", "ns-1") in found.service.after
    assert [read.path for read in found.service.reads] == [
        "/etc/nsd/reconciler.keys",
        "/etc/nsd/nsd.conf",
    ]


def test_a_service_that_the_host_declares_reads_the_files_too() -> None:
    made = farm(SERVERS["plain"], {"environments/production/servers.yaml": DECLARED})
    assert written(made).service is None
    specs = {str(each.address): each.spec for each in render(made)}
    service, main = specs["service@ns-1/named"], specs["file@ns-1/etc-bind-named.conf"]
    assert isinstance(service, ServiceSpec)
    assert isinstance(main, FileSpec)
    assert {read.path for read in service.reads} == {
        "/etc/default/named",
        "/etc/bind/reconciler.keys",
        "/etc/bind/named.conf",
    }
    assert Address("file", "etc-bind-named.conf", "ns-1") in service.after
    assert Address("package", "bind9", "ns-1") in main.after


def test_with_views_named_may_lock_the_database_of_each() -> None:
    made = farm(SERVERS["views"])
    rules = written(made).files["/etc/apparmor.d/local/usr.sbin.named"]
    assert "/var/cache/bind/*.nzd-lock rwk," in (rules.content or "")
    main = written(made).files["/etc/bind/named.conf"]
    assert Address("command", "named-apparmor", "ns-1") in main.after
    for host, case in (("ns-2", "views"), ("ns-1", "plain"), ("ns-1", "bind-files-views")):
        assert rules.path not in written(farm(SERVERS[case]), host).files


def test_bind_is_reloaded_and_the_others_are_restarted() -> None:
    how = {}
    for case in ("plain", "bind-files", "nsd", "knot"):
        service = written(farm(SERVERS[case])).service
        assert service is not None
        how[case] = service.on_change
    assert how == {"plain": "reload", "bind-files": "reload", "nsd": "restart", "knot": "restart"}


def test_another_environment_makes_nothing_of_the_hosts() -> None:
    shared = {
        "nameserver.yaml": "kind: Nameserver\nname: ns\nenvironment: staging\n"
        "inside: [192.168.1.0/24]\nhosts: [{name: far}]\n"
        "keys: {production: 'secret://dns/production'}\n",
        "environments/production/ns.yaml": "",
    }
    assert written(farm("", shared)).files == {}


def test_a_key_that_is_changed_makes_the_server_read_again() -> None:
    first, second = (written(farm(SERVERS["plain"])).service for _ in range(2))
    assert first == second
    other = farm(SERVERS["plain"].replace("dns/production", "dns/staging"))
    assert written(other).service != first
