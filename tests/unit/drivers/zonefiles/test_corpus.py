"""BIND's own zone files: the good ones mean what BIND reads in them, the bad ones are errors."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.config.records import as_answered
from reconciler.drivers.zonefiles.inclusion import zone_file
from reconciler.drivers.zonefiles.reading import ReadZone, read_zone
from reconciler.errors import ConfigError

CORPUS = Path(__file__).parents[3] / "corpus/bind-checkzone/zones"
REVERSE = {"good-dns-sd-reverse.db", "bad-dns-sd-reverse.db", "bad-svcb-servername.db"}
GOOD = sorted(path.name for path in CORPUS.glob("good*.db"))
BAD = sorted(path.name for path in CORPUS.glob("bad*.db"))
Line = tuple[str, str, str, str]


def origin_of(name: str) -> str:
    return "0.0.0.0.in-addr.arpa" if name in REVERSE else "example"


def read(name: str) -> ReadZone:
    text, include = zone_file(CORPUS / name)
    return read_zone(text, origin_of(name), name, include)


def compiled(name: str) -> set[Line]:
    """What named-compilezone makes of a file: owner, TTL, type and value of each record."""
    argv = ("named-compilezone", "-q", "-i", "local", "-k", "ignore", "-o", "-")
    done = subprocess.run(
        [*argv, origin_of(name), CORPUS / name], capture_output=True, text=True, check=True
    )
    lines = (line.split(None, 4) for line in done.stdout.splitlines())
    return {
        (owner.lower(), ttl, kind, as_answered(kind, value.replace("\t", " "), ""))
        for owner, ttl, _, kind, value in lines
    }


def told(zone: ReadZone) -> set[Line]:
    state = zone.state
    found = set()
    for record in state.records:
        owner = f"{state.name}." if record.name == "@" else f"{record.name}.{state.name}."
        for value in record.values:
            found.add((owner, str(record.ttl_seconds), record.type, value))
    return found


def test_the_corpus_is_whole() -> None:
    assert (len(GOOD), len(BAD)) == (14, 99)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_means_what_bind_reads_in_it(name: str) -> None:
    theirs = compiled(name)
    soa = {line for line in theirs if line[2] == "SOA"}
    timers = read(name).state.timers
    ((_, _, _, value),) = soa
    assert value.split()[2] == str(read(name).state.serial)
    assert value.split()[:2] == [timers.primary, timers.contact]
    assert value.split()[3:] == [
        str(timers.refresh_seconds),
        str(timers.retry_seconds),
        str(timers.expire_seconds),
        str(timers.negative_ttl_seconds),
    ]
    ours, rest = told(read(name)), theirs - soa
    assert {_loose(line) for line in ours} == {_loose(line) for line in rest}


def _loose(line: Line) -> Line:
    """What types we only keep are written in with other blanks and other letters."""
    owner, ttl, kind, value = line
    if kind == "SVCB":  # with fewer quotes, and numbers for newer names
        value = value.replace('"', "").replace("key7=", "dohpath=")
    if kind in {"DNSKEY", "CDNSKEY", "KEY", "CDS", "NSEC3", "NSAP"}:
        value = value.replace(" ", "").replace("(", "").replace(")", "").upper()
    return owner, ttl, kind, value


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_that_names_a_line(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(name)
    for problem in caught.value.problems:
        assert problem.position.file == name
        assert problem.position.line >= 1
        assert problem.what


def test_a_number_that_runs_over_makes_one_record_and_no_more() -> None:
    text, include = zone_file(CORPUS / "generate-overflow.db")
    zone = read_zone(text, "example.com", "generate-overflow.db", include)
    assert sum(record.type == "CNAME" for record in zone.state.records) == 1
