"""Who may change what: as BIND is told it, and as it tells it back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.dns.rules import Statement, parse, read_rules, rule_statements
from reconciler.ports.nameserver import Grant, Rules

ZONE = "farm.internal"
GRANTS = st.builds(
    Grant,
    st.sampled_from(["development", "staging", "production", "dhcp"]),
    st.sampled_from(["@", "dev", "a.b", "0/25", "_tcp"]),
    st.booleans(),
    st.sampled_from([(), ("A",), ("A", "AAAA", "TXT")]),
)
# As 9.18 prints it.
SHOWN = (
    'zone "farm.internal" { type primary; file "/x/farm.internal.db"; also-notify { 192.0.2.1 port '
    '5300; }; update-policy { grant "reconciler-production" zonesub "ANY"; grant '
    '"reconciler-development" subdomain "dev.farm.internal." "A" "TXT"; }; '
    "serial-update-method date; };"
)


def test_rules_are_written_as_bind_reads_them() -> None:
    rules = Rules((Grant("production"), Grant("staging", "a.b", False, ("A",))), "date")
    policy, method = map(str, rule_statements(rules, ZONE, None))
    assert policy == (
        "update-policy { grant reconciler-production zonesub ANY; "
        'grant reconciler-staging name "a.b.farm.internal." A; };'
    )
    assert method == "serial-update-method date;"


@given(
    st.lists(GRANTS, max_size=5),
    st.sampled_from(["increment", "date"]),
    st.sampled_from([None, "inside", "outside"]),
)
def test_what_was_written_is_read_back(grants: list[Grant], serials: str, view: str | None) -> None:
    rules = Rules(tuple(grants), serials)  # type: ignore[arg-type]
    text = " ".join(map(str, rule_statements(rules, ZONE, view)))
    assert read_rules(parse(text), ZONE, view) == rules


def test_what_bind_shows_is_read_and_can_be_given_back() -> None:
    (statement,) = parse(SHOWN)
    assert str(statement) == SHOWN
    assert statement.body is not None
    assert read_rules(statement.body, ZONE, None) == Rules(
        (Grant("production"), Grant("development", "dev", True, ("A", "TXT"))), "date"
    )


def test_clients_are_kept_from_the_apex() -> None:
    rules = Rules((Grant("production"), Grant("dhcp", types=("A",))))
    policy, _ = map(str, rule_statements(rules, ZONE, None))
    assert policy.startswith(
        'update-policy { deny reconciler-dhcp name "farm.internal." ANY; grant '
    )
    unguarded = policy.replace('deny reconciler-dhcp name "farm.internal." ANY; ', "")
    assert read_rules(parse(unguarded), ZONE, None) != rules


@pytest.mark.parametrize(
    "text",
    [
        "update-policy { grant reconciler-production self * A; };",
        "update-policy { deny reconciler-production zonesub ANY; };",
        "update-policy { grant other zonesub ANY; };",
        "update-policy { grant reconciler-production-outside zonesub ANY; };",
        "update-policy { grant reconciler-production zonesub; };",
        "update-policy local;",
        "allow-update { any; };",
    ],
)
def test_what_we_would_not_write_equals_nothing_of_ours(text: str) -> None:
    (grant,) = read_rules(parse(text), ZONE, None).grants
    assert grant.holder.startswith("by hand: ")


@pytest.mark.parametrize("text", ["a {", "a", "}", "a { b; ", 'a "b', "a { b }; c;", "a; };"])
def test_half_a_configuration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"brace|quotes|end"):
        parse(text)


@pytest.mark.parametrize("word", ['a"b', "a b", "a;b", "a{b", "a\\b", "a\nb", "é"])
def test_a_word_that_could_end_its_quotes_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        str(Statement(("file", word)))
    with pytest.raises(ValueError, match="cannot be written"):
        [str(each) for each in rule_statements(Rules((Grant(word),)), ZONE, None)]


def test_a_type_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no type"):
        rule_statements(Rules((Grant("production", types=("A; }",)),)), ZONE, None)
