"""New files are encrypted for those whom `.sops.yaml` names, by its first rule that fits."""

from __future__ import annotations

import pytest

from reconciler.config.secret_rules import rule_for
from reconciler.errors import ConfigError

PATH = "secrets/web.sops.yaml"


def test_the_first_rule_that_fits_decides() -> None:
    text = """
creation_rules:
  - path_regex: ^other/
    age: age1other
  - path_regex: secrets/.*\\.yaml$
    age: age1one, age1two
    mac_only_encrypted: true
    encrypted_regex: .
  - age: age1all
"""
    rule = rule_for(PATH, text.encode())
    assert rule.recipients == ("age1one", "age1two")
    assert rule.selectors.is_mac_only_encrypted
    assert not rule.selectors.leaves_open(("a",))


def test_recipients_may_be_a_list_and_a_rule_may_fit_all() -> None:
    rule = rule_for(PATH, b"creation_rules: [{age: [age1one, age1two]}]")
    assert rule.recipients == ("age1one", "age1two")
    assert rule.selectors.leaves_open(("a_unencrypted",))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no creation rule fits"),
        ("creation_rules: [{path_regex: ^x, age: age1one}]", "no creation rule fits"),
        ("creation_rules: [{age: age1one, pgp: FFFF}]", r"creation rule 1: .*another kind.*pgp"),
        ("creation_rules: [{key_groups: [{age: [age1one]}]}]", "another kind"),
        ("creation_rules: [{age: ''}]", "nobody could read"),
        ("creation_rules: [{path_regex: '(', age: age1one}]", "cannot be read"),
    ],
)
def test_rules_that_do_not_say_who_are_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        rule_for(PATH, text.encode())
