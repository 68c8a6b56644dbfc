"""Records by hand: healed, or accepted and from then on ours; and zones that are adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.ports.nameserver import NewZone, RecordSet, Timers
from tests.remotes.origin import git
from tests.story.desk import Desk

ZONE, SERVER = "farm.internal", "ns"
FILE = "environments/production/zones/farm.yaml"
HOUR = 3600
CHAT = RecordSet("chat", "A", HOUR, ("192.168.1.77",))
DOCKER = RecordSet("docker", "CNAME", HOUR, ("mail.farm.internal.",))
WEB = RecordSet("web-1", "A", HOUR, ("192.168.1.99",))
PRODUCTION = ("-e", "production")


@pytest.fixture
def clone(desk: Desk) -> Path:
    """A work tree of production."""
    tree = desk.root / "work"
    git(desk.root, "clone", "--quiet", "--branch=production", str(desk.remote), str(tree))
    return tree


def merge(clone: Path) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
    git(clone, "add", "--all")
    git(clone, *identity, "commit", "--quiet", "--message=Accept")
    git(clone, "push", "--quiet", "origin", "production")


def accept(desk: Desk, clone: Path, *words: str, zone: str = ZONE) -> tuple[int, str]:
    done = desk.run("accept", f"zone/{zone}", *words, *PRODUCTION, "--into", str(clone))
    return done.exit_code, done.output


def sync(desk: Desk) -> str:
    done = desk.run("sync", *PRODUCTION)
    assert done.exit_code == 0, done.output
    return done.output


def served(desk: Desk) -> dict[str, RecordSet]:
    zone = desk.farm.nameserver(SERVER).zone(ZONE)
    return {record.key: record for record in zone.records}


def test_a_drifted_record_is_healed(desk: Desk) -> None:
    before = served(desk)["docker/CNAME"]
    by_hand.put_record(desk.farm, SERVER, ZONE, DOCKER)
    assert desk.run("drift", *PRODUCTION).exit_code == 2
    sync(desk)
    assert served(desk)["docker/CNAME"] == before


def test_a_record_by_hand_is_kept_accepted_and_ours_until_git_drops_it(
    desk: Desk, clone: Path
) -> None:
    by_hand.put_record(desk.farm, SERVER, ZONE, CHAT)
    sync(desk)
    assert served(desk)["chat/A"] == CHAT
    code, said = accept(desk, clone, "chat/A")
    assert code == 0, said
    assert "chat/A: 192.168.1.77" in said
    assert f"wrote {FILE}" in said
    text = (clone / FILE).read_text("utf-8")
    assert "{name: chat, type: A, values: [192.168.1.77]}" in text
    merge(clone)
    sync(desk)
    assert served(desk)["chat/A"] == CHAT
    assert desk.run("plan", *PRODUCTION).exit_code == 0
    without = "\n".join(line for line in text.splitlines() if "name: chat" not in line)
    (clone / FILE).write_text(f"{without}\n", "utf-8")
    merge(clone)
    sync(desk)
    assert "chat/A" not in served(desk)


def test_a_drifted_record_is_accepted_where_it_stands_and_comments_stay(
    desk: Desk, clone: Path
) -> None:
    text = (clone / FILE).read_text("utf-8")
    docker = "  - {name: docker, type: CNAME, values: [git]}\n"
    assert docker in text
    (clone / FILE).write_text(text.replace(docker, f"  # the images\n{docker}"), "utf-8")
    merge(clone)
    sync(desk)
    by_hand.put_record(desk.farm, SERVER, ZONE, DOCKER)
    code, said = accept(desk, clone)
    assert code == 0, said
    changed = (clone / FILE).read_text("utf-8")
    assert (
        "  # the images\n  - {name: docker, type: CNAME, values: [mail.farm.internal.]}" in changed
    )
    merge(clone)
    sync(desk)
    assert served(desk)["docker/CNAME"] == DOCKER


def test_a_record_that_was_taken_away_can_be_accepted_too(desk: Desk, clone: Path) -> None:
    by_hand.remove_record(desk.farm, SERVER, ZONE, "docker/CNAME")
    code, said = accept(desk, clone)
    assert code == 0, said
    assert "docker/CNAME: gone" in said
    assert "docker" not in (clone / FILE).read_text("utf-8")
    merge(clone)
    sync(desk)
    assert "docker/CNAME" not in served(desk)


def test_what_would_lead_nowhere_is_not_written(desk: Desk, clone: Path) -> None:
    before = (clone / FILE).read_text("utf-8")
    stray = RecordSet("docker", "CNAME", HOUR, ("nowhere.farm.internal.",))
    by_hand.put_record(desk.farm, SERVER, ZONE, stray)
    code, said = accept(desk, clone)
    assert code == 1
    assert "nothing is written, because this would be wrong then:\n" in said
    assert "points at nowhere.farm.internal., which is not there" in said
    assert (clone / FILE).read_text("utf-8") == before


def test_a_record_of_a_machine_is_not_accepted_and_its_source_is_named(
    desk: Desk, clone: Path
) -> None:
    before = (clone / FILE).read_text("utf-8")
    by_hand.put_record(desk.farm, SERVER, ZONE, WEB)
    code, said = accept(desk, clone, "web-1/A")
    assert code == 1
    assert "web-1/A is not accepted: it comes from machine web-1 (vms/web-1.yaml:" in said
    assert (clone / FILE).read_text("utf-8") == before


def test_nothing_by_hand_is_nothing_to_accept(desk: Desk, clone: Path) -> None:
    assert accept(desk, clone) == (0, "Nobody made or changed a record of this zone by hand.\n")
    code, said = accept(desk, clone, "www/CNAME", "nobody/A")
    assert code == 1
    assert "www/CNAME is not accepted: it is as git says" in said
    assert "nobody/A is not accepted: there is no such record set in the zone" in said


def test_the_journal_knows_what_was_done_by_hand(desk: Desk, clone: Path) -> None:
    by_hand.put_record(desk.farm, SERVER, ZONE, CHAT)
    by_hand.put_record(desk.farm, SERVER, ZONE, DOCKER)
    sync(desk)  # which heals one, and so writes down what it saw
    by_hand.remove_record(desk.farm, SERVER, ZONE, "chat/A")
    code, said = accept(desk, clone, "chat/A", "--world", "journal")
    assert code == 0, said
    assert "name: chat" in (clone / FILE).read_text("utf-8")


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("else.internal", "no Zone document describes else.internal; there are: farm.internal"),
        ("1.168.192.in-addr.arpa", "write a Zone document for it"),
    ],
)
def test_a_zone_without_a_document_is_named(desk: Desk, clone: Path, zone: str, said: str) -> None:
    code, output = accept(desk, clone, zone=zone)
    assert code == 1
    assert said in output


# ---------------------------------------------------------------------------- adopt zone

OLD = "old.internal"
OLD_FILE = "zones/old.internal.yaml"
TIMERS = Timers("ns.old.internal.", r"first\.last.old.internal.", 10800, 1800, 1209600, 300)
ZONE_FILE = """\
$TTL 1h
@ SOA ns first\\.last 7 3h 30m 2w 5m
@ NS ns
ns A 192.168.1.2
www 60 CNAME ns
mail TXT "a;b" ( "c" )
x LOC 51 30 12.748 N 0 7 39.612 W 0.00m
"""


def adopt(desk: Desk, clone: Path, *words: str) -> tuple[int, str]:
    done = desk.run("adopt", "zone", *words, *PRODUCTION, "--into", str(clone))
    return done.exit_code, done.output


@pytest.fixture
def zone_file(desk: Desk) -> Path:
    file = desk.root / "db.old"
    file.write_text(ZONE_FILE)
    return file


def test_a_zone_that_is_served_becomes_ours_unchanged(
    desk: Desk, clone: Path, zone_file: Path
) -> None:
    records = (
        RecordSet("@", "NS", HOUR, ("ns.old.internal.",)),
        RecordSet("mail", "TXT", HOUR, ('"a;b" "c"',)),
        RecordSet("ns", "A", HOUR, ("192.168.1.2",)),
        RecordSet("www", "CNAME", 60, ("ns.old.internal.",)),
    )
    by_hand.add_zone(desk.farm, SERVER, NewZone(OLD, TIMERS, 7, records, "production"))
    code, said = adopt(desk, clone, OLD, "--from-file", str(zone_file), "--server", SERVER)
    assert code == 0, said
    assert f"wrote {OLD_FILE}: 3 record sets" in said
    assert "x/LOC is left out: documents have no records of type LOC" in said
    text = (clone / OLD_FILE).read_text("utf-8")
    assert "contact: first.last@old.internal" in text
    assert "ttl: 1h" in text
    merge(clone)
    sync(desk)
    after = desk.farm.nameserver(SERVER).zone(OLD)
    assert after.timers == TIMERS
    assert [each for each in after.records if "_reconciler" not in each.name] == list(records)
    assert desk.run("plan", *PRODUCTION).exit_code == 0


def test_a_plan_refused_for_a_record_of_a_new_zone_is_opened_as_its_remedy_says(
    desk: Desk, clone: Path, zone_file: Path
) -> None:
    records = (
        RecordSet("@", "NS", HOUR, ("ns.old.internal.",)),
        RecordSet("ns", "A", HOUR, ("192.168.1.3",)),
    )
    by_hand.add_zone(desk.farm, SERVER, NewZone(OLD, TIMERS, 7, records, "production"))
    assert adopt(desk, clone, OLD, "--from-file", str(zone_file), "--server", SERVER)[0] == 0
    merge(clone)
    refused = desk.run("sync", *PRODUCTION)
    assert f"`reconciler accept zone/{OLD} ns/A`" in refused.output
    code, said = accept(desk, clone, zone=OLD)
    assert code == 0, said
    assert "ns/A: 192.168.1.3" in said
    assert "NS" not in said
    assert "mail/TXT" not in said
    assert accept(desk, clone, "@/NS", zone=OLD) == (1, "@/NS is not accepted: it is as git says\n")
    merge(clone)
    sync(desk)
    after = {each.key: each for each in desk.farm.nameserver(SERVER).zone(OLD).records}
    assert after["ns/A"] == records[1]
    assert "mail/TXT" in after


def test_what_the_farm_gives_is_left_out_and_what_it_gives_otherwise_is_told(
    desk: Desk, clone: Path
) -> None:
    file = desk.root / "db.farm"
    zone = served(desk)
    web, db = zone["web-1/A"], zone["db-1/A"]
    file.write_text(
        "@ 3600 SOA ns-1 j\\.doe 1 3h 30m 2w 30m\n@ 3600 NS ns-1\nns-1 3600 A 192.168.1.2\n"
        f"web-1 3600 A {web.values[0]}\ndb-1 3600 A 192.168.1.250\nnew 3600 A 192.168.1.251\n"
    )
    assert db.values != ("192.168.1.250",)
    code, said = adopt(desk, clone, ZONE, "--from-file", str(file))
    assert code == 0, said
    text = (clone / FILE).read_text("utf-8")
    assert "{name: new, type: A, values: [192.168.1.251]}" in text
    assert "name: web-1" not in text
    assert f"db-1/A is left out: the documents give {db.values[0]}" in said


def test_all_that_is_wrong_with_a_file_is_said_at_once(desk: Desk, clone: Path) -> None:
    file = desk.root / "db.bad"
    file.write_text("$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 1.2.3\nx MX mail\n")
    code, said = adopt(desk, clone, OLD, "--from-file", str(file), "--server", SERVER)
    assert code == 1
    assert f"{file}:4:1: A: " in said
    assert f"{file}:5:1: MX: " in said
    assert not (clone / OLD_FILE).exists()


def test_a_server_must_be_chosen_and_a_source_given(
    desk: Desk, clone: Path, zone_file: Path
) -> None:
    (clone / "other.yaml").write_text("kind: Nameserver\nname: other\naddress: 192.0.2.53\n")
    code, said = adopt(desk, clone, OLD)
    assert (code, "give --from-file FILE or --from-server ADDRESS" in said) == (1, True)
    code, said = adopt(desk, clone, OLD, "--from-file", str(zone_file))
    assert (code, "which name server? Give --server NAME" in said) == (1, True)


def test_the_only_name_server_is_taken(desk: Desk, clone: Path, zone_file: Path) -> None:
    code, said = adopt(desk, clone, OLD, "--from-file", str(zone_file))
    assert code == 0, said
    assert f"server: {SERVER}\n" in (clone / OLD_FILE).read_text("utf-8")


def test_a_weak_key_is_refused_with_the_reason(desk: Desk, clone: Path) -> None:
    key = desk.root / "key"
    key.write_text('key "old" { algorithm hmac-md5; secret "c2VjcmV0c2VjcmV0c2VjcmV0"; };\n')
    code, said = adopt(desk, clone, OLD, "--from-server", "127.0.0.1", "--key", str(key))
    assert code == 1
    assert "hmac-md5 is refused" in said
    assert "c2VjcmV0" not in said
