"""Our table of the packet filter: when two are the same, whose a text is, and how it is put in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from reconciler.drivers.ssh.onhost.rulesets import (
    beside_path,
    exchange_of,
    is_only_of,
    normal_form,
    path_of,
    unit_path,
    wanted_path,
)
from tests.unit.drivers.ssh.onhost.ground import Ground

TABLE = "reconciler"
SOURCE = f"""\
# remarks {{ may come before
table inet {TABLE} {{}}
delete table inet {TABLE}
table inet {TABLE} {{
\tchain input {{
\t\ttype filter hook input priority filter; policy accept;
\t\ttcp dport {{ 80, 443 }} accept comment "}} rule"
\t}}
}}
"""
# As `nft -j list table` of nftables 1.0.6 tells it.
LISTED = """\
{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5",
"json_schema_version": 1}}, {"table": {"family": "inet", "name": "reconciler", "handle": 2}},
{"set": {"family": "inet", "name": "zone_lan_ipv4", "table": "reconciler", "type": "ipv4_addr",
"handle": 5, "flags": ["interval"], "elem": [{"prefix": {"addr": "10.0.0.0", "len": 24}},
{"prefix": {"addr": "10.0.2.0", "len": 25}}]}}, {"chain": {"family": "inet", "table": "reconciler",
"name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
{"rule": {"family": "inet", "table": "reconciler", "chain": "input", "handle": 7, "comment": "x",
"expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": {"set": ["eth0",
"br-lan"]}}}, {"counter": {"packets": 3, "bytes": 180}}, {"accept": null}]}}]}
"""


@pytest.fixture
def filtered(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A host with `nft`, to which we came by ssh."""
    nft = ground.path("/usr/sbin/nft")
    nft.parent.mkdir(parents=True)
    nft.touch(0o755)
    monkeypatch.setenv("SSH_CONNECTION", "10.213.7.1 55000 10.213.7.18 22")
    return ground


def put(source: str = SOURCE, *management: str) -> dict[str, Any]:
    return {"act": "put_ruleset", "table": TABLE, "source": source, "management": list(management)}


REMOVE = {"act": "remove_ruleset", "table": TABLE}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"handle": 7', '"handle": 70'),
        ('"packets": 3, "bytes": 180', '"packets": 4, "bytes": 99'),
        ('["eth0",\n"br-lan"]', '["br-lan", "eth0"]'),
        ("1.0.6", "1.0.7"),
    ],
)
def test_what_changes_by_itself_is_no_difference(old: str, new: str) -> None:
    assert old in LISTED
    assert normal_form(LISTED.replace(old, new)) == normal_form(LISTED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"len": 25', '"len": 24'),
        ('"policy": "accept"', '"policy": "drop"'),
        ('"br-lan"]', '"br-lan", "x"]'),
        ('{"accept": null}', '{"drop": null}'),
        ('"handle": 2}', '"handle": 2, "flags": "dormant"}'),
        (', {"counter": {"packets": 3, "bytes": 180}}', ""),
        ('"comment": "x",', ""),
    ],
)
def test_what_somebody_changed_is_one(old: str, new: str) -> None:
    assert old in LISTED
    assert normal_form(LISTED.replace(old, new)) != normal_form(LISTED)


def test_the_order_of_rules_counts() -> None:
    told = json.loads(LISTED)
    told["nftables"][-1]["rule"]["expr"].reverse()
    assert normal_form(json.dumps(told)) != normal_form(LISTED)


def test_a_text_is_of_the_table_that_it_makes_anew() -> None:
    assert is_only_of(SOURCE, TABLE)
    assert not is_only_of(SOURCE, "other")


@pytest.mark.parametrize(
    "other",
    [
        "",
        "flush ruleset\n" + SOURCE,
        SOURCE + "flush ruleset\n",
        SOURCE + "table ip x {\n}\n",
        SOURCE.replace("accept comment", "accept } } table ip x { chain y { comment"),
        SOURCE.replace("\t\ttcp", '\t\tinclude "/etc/shadow"\n\t\ttcp'),
        SOURCE.replace(f"delete table inet {TABLE}\n", ""),
        SOURCE.replace("\t}\n}\n", "\t}\n"),
        SOURCE.replace("\t}\n}\n", "}\n"),
    ],
)
def test_a_text_that_says_something_of_another_is_not(filtered: Ground, other: str) -> None:
    assert not is_only_of(other, TABLE)
    assert "of another table than reconciler" in filtered.refused(put(other))
    assert not filtered.programs.calls


def test_it_is_checked_loaded_and_only_then_written_down(filtered: Ground) -> None:
    filtered.done(put())
    checked, listed, tried, loaded, reread = filtered.programs.calls
    assert checked.startswith("nft -c -f ")
    assert listed == f"nft -j list table inet {TABLE}"
    assert tried.startswith("unshare --net -- sh -c ")
    assert loaded.startswith("nft -f ")
    assert reread == "systemctl daemon-reload"
    assert filtered.path(path_of(TABLE)).read_text() == SOURCE
    assert filtered.path(path_of(TABLE)).stat().st_mode & 0o777 == 0o600
    assert (
        f"ExecStart=/usr/sbin/nft -f {path_of(TABLE)}"
        in filtered.path(unit_path(TABLE)).read_text()
    )
    assert str(filtered.path(wanted_path(TABLE)).readlink()) == unit_path(TABLE)
    assert filtered.path(beside_path(TABLE)).exists()


def listed(*objects: Mapping[str, Any]) -> str:
    return json.dumps({"nftables": [{"metainfo": {}}, *objects]})


def chain(name: str, **more: Any) -> dict[str, Any]:
    return {"chain": {"name": name, "handle": len(name), "type": "filter", "prio": 0, **more}}


def test_chains_are_kept_and_what_is_in_them_is_exchanged() -> None:
    there = listed(chain("input"), chain("output"), {"set": {"name": "lan", "handle": 9}})
    meant = listed(chain("input", handle=1), {"set": {"name": "lan"}})
    text = exchange_of(SOURCE, TABLE, there, meant)
    assert text == SOURCE.replace(
        f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n",
        f"flush table inet {TABLE}\ndelete set inet {TABLE} lan\n"
        f"delete chain inet {TABLE} output\n",
    )


@pytest.mark.parametrize("more", [{"prio": 1}, {"policy": "drop"}, {"type": "nat"}])
def test_another_chain_of_the_name_is_made_anew(more: Mapping[str, Any]) -> None:
    assert (
        exchange_of(SOURCE, TABLE, listed(chain("input")), listed(chain("input", **more))) is None
    )


def test_what_is_loaded_keeps_the_chains_that_are_there(filtered: Ground) -> None:
    loaded = []

    def load(argv: Sequence[str]) -> Ran:
        loaded.append(Path(argv[-1]).read_text())
        return Ran(0)

    told = Ran(0, listed(chain("input")))
    filtered.programs.answers |= {"nft -j list": told, "unshare": told, "nft -f": load}
    filtered.done(put())
    assert [text.count(f"flush table inet {TABLE}\n") for text in loaded] == [1]
    assert filtered.path(path_of(TABLE)).read_text() == SOURCE


@pytest.mark.parametrize(
    "answer", ["", "{}", '{"nftables": [1]}', '{"nftables": [{"set": {"x": 1}}]}']
)
def test_where_nothing_can_be_found_out_the_table_is_made_anew(
    filtered: Ground, answer: str
) -> None:
    loaded = []

    def load(argv: Sequence[str]) -> Ran:
        loaded.append(Path(argv[-1]).read_text())
        return Ran(0)

    told = Ran(0, answer)
    filtered.programs.answers |= {"nft -j list": told, "unshare": told, "nft -f": load}
    filtered.done(put())
    assert loaded == [SOURCE]


def test_systemd_reads_its_units_again_only_if_they_changed(filtered: Ground) -> None:
    filtered.done(put(), put(SOURCE.replace("443", "444")))
    assert len(filtered.programs.called("systemctl")) == 1


@pytest.mark.parametrize("way", ["nft -c -f", "nft -f"])
def test_what_nft_refuses_is_not_written_down(filtered: Ground, way: str) -> None:
    filtered.done(put())
    filtered.programs.answers[way] = Ran(1, "", "Error: syntax error")
    assert "Error: syntax error" in filtered.refused(put(SOURCE.replace("443", "444")))
    assert filtered.path(path_of(TABLE)).read_text() == SOURCE
    assert [each.name for each in filtered.path("/etc/nftables.d").iterdir()] == [f"{TABLE}.nft"]


@pytest.mark.parametrize("management", [("10.213.7.0/24",), ("fd00::/8", "10.213.7.1/32"), ()])
def test_who_lets_us_in_is_loaded(filtered: Ground, management: tuple[str, ...]) -> None:
    filtered.done(put(SOURCE, *management))


def test_who_would_shut_us_out_is_refused(filtered: Ground) -> None:
    told = filtered.refused(put(SOURCE, "192.0.2.0/24", "fd00::/8"))
    assert "comes from 10.213.7.1" in told
    assert "`management:`, which has 192.0.2.0/24, fd00::/8" in told
    assert not filtered.programs.calls


@pytest.mark.parametrize("client", ["::ffff:10.213.7.1", "fe80::1%eth0"])
def test_an_address_is_known_in_every_form(
    filtered: Ground, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", f"{client} 55000 fe80::2 22")
    filtered.done(put(SOURCE, "10.213.7.0/24", "fe80::/10"))


def test_without_nft_nothing_is_done(ground: Ground) -> None:
    assert "declare the package nftables" in ground.refused(put())
    assert not ground.path("/etc/nftables.d").exists()


def test_it_is_taken_away_whole(filtered: Ground) -> None:
    filtered.done(put(), REMOVE, REMOVE)
    assert f"nft table inet {TABLE} {{}}; delete table inet {TABLE}" in filtered.programs.calls
    left = [path for path in filtered.path("/etc").rglob("*") if TABLE in path.name]
    assert not left
    assert not filtered.path("/etc/nftables.d").exists()


def test_what_others_have_in_the_folders_stays(filtered: Ground) -> None:
    filtered.done(put())
    other = filtered.path("/etc/nftables.d/own.nft")
    other.touch()
    filtered.done(REMOVE)
    assert other.exists()
