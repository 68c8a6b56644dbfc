"""Name servers to write configuration for: each case shows what the ones before do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.config.repository import Documents
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.service import ServiceSpec
from reconciler.render.nameservers.resources import nameserver_resources
from tests.farms.repository import documents
from tests.sealed.sealing import Reader, seal

HOSTS = "\n---\n".join(
    f"kind: Host\nname: {name}\nenvironment: production\naddress: {address}\nmemory: 2 GiB\n"
    for name, address in (("ns-1", "192.168.1.18"), ("ns-2", "192.168.1.19"))
)
HOLDERS = ("development", "staging", "production", "dhcp")
TWO = "hosts: [{name: ns-1}, {name: ns-2}]\nkeys: {production: 'secret://dns/production'}\n"
INSIDE = "inside: [lan, '2001:db8:7::/64']\n"
SERVERS: Mapping[str, str] = {
    "plain": "hosts: [{name: ns-1}]\ninside: [lan]\n"
    "keys: {production: 'secret://dns/production'}\n",
    "redundant": f"{TWO}{INSIDE}forwarders: [192.0.2.53, '2001:db8::53']\n",
    "views": "hosts:\n  - {name: ns-1}\n  - {name: ns-2, address: '2001:db8:7::19'}\n"
    "port: 5353\noutside: true\nkeys:\n  algorithm: hmac-sha512\n"
    + "".join(f"  {holder}: secret://dns/{holder}\n" for holder in HOLDERS)
    + f"{INSIDE}forwarders: [192.0.2.53]\ndnssec_validation: false\n",
    "authoritative": f"{TWO}{INSIDE}recursion: false\n",
    "bind-files": f"software: bind-files\n{TWO}{INSIDE}",
    "bind-files-views": f"software: bind-files\n{TWO}{INSIDE}outside: true\n",
    "nsd": f"software: nsd\n{TWO}",
    "knot": f"software: knot\n{TWO}",
    "knot-alone": "software: knot\nhosts: [{name: ns-1}]\n",
    "nsd-alone": "software: nsd\nhosts: [{name: ns-1}]\n",
}
ZONE = (
    "kind: Zone\nname: farm.internal\nserver: ns\nprimary: ns-1.host\nnameservers: [ns-1.host]\n"
    "ttl: 5m\nreverse: [lan]\n"
    "delegations: [{to: lab, nameservers: [ns.lab]}]\n"
    "records: [{name: ns.lab, type: A, values: [192.168.1.77]}]\n"
)
SECRETS = seal(dict.fromkeys(HOLDERS, "c2VjcmV0"), [Reader().recipient])


@dataclass(frozen=True)
class Written:
    """What a name server makes of one host, and the farm that it is in."""

    farm: Documents
    files: Mapping[str, FileSpec]
    service: ServiceSpec | None

    def text(self, end: str) -> str:
        """The content of the file whose path ends so."""
        (found,) = (spec.content for path, spec in self.files.items() if path.endswith(end))
        return found or ""


def farm(server: str, more: Mapping[str, str] | None = None) -> Documents:
    """The farm with a name server that says this, whose hosts are ns-1 and ns-2."""
    head = "kind: Nameserver\nname: ns\n"
    files = {
        "environments/production/servers.yaml": HOSTS,
        "environments/production/ns.yaml": head + server,
        "environments/production/zone.yaml": ZONE,
        "secrets/dns.sops.yaml": SECRETS,
    }
    return documents({**files, **(more or {})})


def written(made: Documents, host: str = "ns-1") -> Written:
    """What of the hosts the name servers of a farm make."""
    specs = [each.spec for each in nameserver_resources(made) if each.spec.host == host]
    files = {spec.path: spec for spec in specs if isinstance(spec, FileSpec)}
    service = next((spec for spec in specs if isinstance(spec, ServiceSpec)), None)
    return Written(made, files, service)
