"""Nameserver documents become the configuration of the program on their hosts, and its service.

The main file of the program is ours as a whole: what is told of zones elsewhere in the package's
files is not read while the document is there, and it is the package's again when the document goes.
A new file is checked by the program itself before it is put in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconciler.config.documents import Host
from reconciler.config.repository import Documents
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.model.secret import references_in
from reconciler.render.nameservers.confinement import confinement
from reconciler.render.nameservers.places import NOBODYS, places_of
from reconciler.render.nameservers.programs import PROGRAMS
from reconciler.render.nameservers.site import Site, site_of
from reconciler.render.network.made import declared

_THERE = 'command -v {0} >/dev/null || {{ echo "{0} is not there: declare its package"; exit 1; }}'


_Spec = FileSpec | CommandSpec | ServiceSpec


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a server, in the order in which they are written."""

    others: tuple[FileSpec | CommandSpec, ...]
    keys: FileSpec
    configuration: FileSpec

    @property
    def all(self) -> tuple[FileSpec | CommandSpec, ...]:
        """All of them."""
        return (*self.others, self.keys, self.configuration)


def nameserver_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """What the name servers of the environment make of its hosts."""
    for host in documents.hosts.values():
        if site := site_of(documents, host):
            for spec in _specs(documents, host, site):
                position = documents.position("Nameserver", site.server.name)
                yield Desired(_address(spec), spec, position, adopts=True)


def reading_zones(documents: Documents, host: Host, spec: ServiceSpec) -> ServiceSpec:
    """A service that the host's document describes: a name server reads its configuration, too."""
    site = site_of(documents, host)
    if site is None or places_of(site.server).unit != spec.unit:
        return spec
    files = _files(documents, host, site)
    known = {read.path for read in spec.reads}
    new = [each for each in (files.keys, files.configuration) if each.path not in known]
    reads = (*spec.reads, *(read_of(each.path, each) for each in new))
    return replace(spec, reads=reads, after=(*spec.after, *map(_address, files.all)))


def _specs(documents: Documents, host: Host, site: Site) -> Iterator[_Spec]:
    files, unit = _files(documents, host, site), places_of(site.server).unit
    yield from files.all
    if unit not in {service.name for service in host.services}:
        reads = tuple(read_of(each.path, each) for each in (files.keys, files.configuration))
        after = (*files.keys.after, *map(_address, files.all))
        service = ServiceSpec(host.name, unit, enabled=True, running=True, reads=reads)
        yield replace(service, on_change=PROGRAMS[site.server.software].on_change, after=after)


def _files(documents: Documents, host: Host, site: Site) -> _Files:
    first = declared(host, packages=places_of(site.server).packages)
    others = (*_others(host, site, first), *confinement(site, first))
    keys = _keys(documents, host, site, first)
    after = (*first, *map(_address, others), _address(keys))
    return _Files(others, keys, _configuration(host, site, after))


def _others(host: Host, site: Site, first: tuple[Address, ...]) -> Iterator[FileSpec]:
    """Where zones are, or the lists of them, of which each begins with one of nobody's."""
    places = places_of(site.server)
    if not site.is_primary:
        return
    if places.home:
        group = places.group
        yield FileSpec(host.name, places.home, "directory", "0755", group, group, after=first)
    for folder in map(places.listed, site.views) if places.lists else ():
        directory = FileSpec(host.name, folder, "directory", "0755", "root", "root", after=first)
        yield directory
        text, after = PROGRAMS[site.server.software].empty, (*first, _address(directory))
        path = f"{folder}/{NOBODYS}"
        yield FileSpec(host.name, path, "file", "0644", "root", "root", text, after=after)


def _keys(documents: Documents, host: Host, site: Site, after: tuple[Address, ...]) -> FileSpec:
    places, program = places_of(site.server), PROGRAMS[site.server.software]
    content = program.keys(site)
    sealed = tuple(map(documents.secrets.sealed, references_in(content)))
    labels = tuple(secret.label for secret in sealed)
    spec = FileSpec(host.name, places.keys, "file", "0640", "root", places.group, content)
    # Nobody is told when they go: the configuration that names them may go after them.
    return replace(
        spec, secrets=labels, sealed=sealed, check=_check(program.check_keys), after=after
    )


def _configuration(host: Host, site: Site, after: tuple[Address, ...]) -> FileSpec:
    places, program = places_of(site.server), PROGRAMS[site.server.software]
    content = program.configuration(site)
    spec = FileSpec(host.name, places.configuration, "file", "0644", "root", places.group, content)
    # A secondary that is told of a zone before it can be had asks again only after a minute.
    zones = () if site.is_primary else tuple(site.zone_addresses())
    after = (*after, *zones)
    return replace(spec, check=_check(program.check), reloads=places.unit, after=after)


def _check(what: str) -> tuple[str, ...]:
    command = what.partition(" ")[0]
    return ("sh", "-c", f"{_THERE.format(command)}; exec {what}", command, "{}")


def _address(spec: _Spec) -> Address:
    if isinstance(spec, CommandSpec):
        return Address("command", name_of(spec.name), spec.host)
    if isinstance(spec, ServiceSpec):
        return Address("service", name_of(spec.unit), spec.host)
    return Address("file", name_of(spec.path), spec.host)
