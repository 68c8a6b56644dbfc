"""A zone as some server has it, by a transfer (AXFR, RFC 5936)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone
from dns.rdtypes.ANY.SOA import SOA

from reconciler.config.records import absolute, as_answered
from reconciler.drivers.dns.access import Key
from reconciler.errors import Denied, Unreachable
from reconciler.ports.nameserver import RecordSet, Timers, ZoneState

DEADLINE = timedelta(seconds=120)


def fetch_zone(
    zone: str, address: str, port: int, key: Key | None, deadline: timedelta = DEADLINE
) -> ZoneState:
    """The whole zone. `zone` is its name without the final dot, `address` an IP address.

    Raises:
        Denied: the server does not give it to us.
        Unreachable: it did not answer whole and in time.
    """
    where, what = f"{address} port {port}", f"transfer zone {zone}"
    name = dns.name.from_text(zone)
    query = dns.message.make_query(name, dns.rdatatype.AXFR)
    if key is not None:
        signing = dns.tsig.Key(key.name, key.secret, key.algorithm)
        query.use_tsig({signing.name: signing})
    copy = dns.zone.Zone(name, relativize=False)
    try:
        dns.query.inbound_xfr(address, copy, query, port=port, lifetime=deadline.total_seconds())
    except dns.xfr.TransferError as error:
        cause = f"it refuses ({error}): it must allow us the transfer, with --key if it has one"
        raise Denied(where, what, cause) from None
    except dns.tsig.PeerError as error:
        raise Denied(where, what, f"it does not take the key: {error}") from None
    except (dns.exception.DNSException, OSError, EOFError) as error:
        raise Unreachable(where, what, str(error) or type(error).__name__) from None
    return _state(zone, copy)


def _state(zone: str, copy: dns.zone.Zone) -> ZoneState:
    soa = copy.get_soa()
    records = tuple(sorted(_sets(zone, copy)))
    return ZoneState(zone, soa.serial, _timers(soa), records)


def _timers(soa: SOA) -> Timers:
    primary, contact = (absolute(each.to_text(), "") for each in (soa.mname, soa.rname))
    return Timers(primary, contact, soa.refresh, soa.retry, soa.expire, soa.minimum)


def _sets(zone: str, copy: dns.zone.Zone) -> Iterator[RecordSet]:
    for name, found in copy.iterate_rdatasets():
        kind = dns.rdatatype.to_text(found.rdtype)
        if kind != "SOA":
            owner = absolute(name.to_text(), "")
            relative = "@" if owner == f"{zone}." else owner.removesuffix(f".{zone}.")
            values = {as_answered(kind, each.to_text(), zone) for each in found}
            yield RecordSet(relative, kind, found.ttl, tuple(sorted(values)))
