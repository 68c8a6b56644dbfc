"""What Debian's rules of AppArmor lack for a BIND with views. Pure.

They let named lock the database of added zones of the view that there is without views, and of no
other. Where no AppArmor holds named there is nothing to do.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.model.address import Address
from reconciler.render.nameservers.site import Site

PROFILE = "/etc/apparmor.d/usr.sbin.named"
OWN_RULES = "/etc/apparmor.d/local/usr.sbin.named"
LOADED = "/var/cache/reconciler-usr.sbin.named"  # the rules as they were when they were loaded
RULES = """\
# Written by reconciler: what is changed here is undone.
/var/cache/bind/*.nzd-lock rwk,
"""
COMMAND = "named-apparmor"
_LOAD = 'apparmor_parser -r "$1" && cp "$2" "$3"'
_IS_LOADED = """\
! grep -qsE '^(/usr/sbin/)?named ' /sys/kernel/security/apparmor/profiles || cmp -s "$2" "$3"
"""


def confinement(site: Site, after: tuple[Address, ...]) -> tuple[FileSpec | CommandSpec, ...]:
    """The rules, and what loads them; nothing for a server that adds no zones to views."""
    if not (site.server.software == "bind" and site.server.outside and site.is_primary):
        return ()
    rules = FileSpec(site.host, OWN_RULES, "file", "0644", "root", "root", RULES, after=after)
    words = (COMMAND, PROFILE, OWN_RULES, LOADED)
    load = CommandSpec(
        site.host, COMMAND, run=("sh", "-c", _LOAD, *words), check=("sh", "-c", _IS_LOADED, *words)
    )
    return rules, replace(load, after=(*after, Address("file", name_of(OWN_RULES), site.host)))
