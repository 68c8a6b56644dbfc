"""Values in words, and the one point of redaction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.secret import SecretReference
from reconciler.plan.show.escape import code_span, fence_for, line, shortened, visible
from reconciler.plan.show.value import HIDDEN, items, redacted, worded


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("memory_bytes", 2 * 1024**3, "2 GiB"),
        ("memory_bytes", 2 * 1024**3 + 1, "2147483649 B"),
        ("timers.refresh_seconds", 10800, "3h"),
        ("ttl_seconds", 10**30, "1" + "0" * 30),
        ("vcpus", 2, "2"),
        ("running", True, "true"),
        ("running", False, "false"),
        ("share_bytes", True, "true"),
        ("load", 0.5, "0.5"),
        ("host", None, "(none)"),
        ("host", "", '""'),
        ("host", " x", '" x"'),
        ("values", ["a", "b"], "a, b"),
        ("values", [], "[]"),
        ("image", {}, "{}"),
        (
            "disks.root",
            {"pool": "fast", "capacity_bytes": 1024},
            "pool: fast, capacity_bytes: 1 KiB",
        ),
        ("records.a/A", {"name": "a", "values": ["1", "2"]}, "name: a, values: (1, 2)"),
    ],
)
def test_value_is_put_into_words(path: str, value: object, words: str) -> None:
    assert worded(path, value) == words


def test_list_of_things_has_a_line_for_each() -> None:
    assert items("disks", [{"name": "root"}, {"name": "data"}]) == ("name: root", "name: data")
    assert items("values", ["a"]) == ()
    assert items("disks", []) == ()


@pytest.mark.parametrize(
    "path",
    ["password", "account.root_password", "secret", "tsig_key", "api_token", "Passphrase", "keys"],
)
def test_value_of_a_field_named_like_a_secret_is_hidden(path: str) -> None:
    assert redacted(path, "hunter2") == HIDDEN
    assert redacted(path, ["hunter2"]) == [HIDDEN]
    assert redacted(path, {"x": 1, "password": "hunter2"})["password"] == HIDDEN
    assert "hunter2" not in worded(path, "hunter2")


def test_value_below_a_thing_is_hidden_by_the_name_of_its_own_field() -> None:
    shown = redacted(
        "accounts.root", {"name": "root", "password": "hunter2", "keys": [{"key": "a"}]}
    )
    assert shown == {"name": "root", "password": HIDDEN, "keys": [{"key": HIDDEN}]}


@pytest.mark.parametrize(
    "path", ["public_key", "ssh_keys", "authorized_keys", "host_key", "tunnel_key", "monkey"]
)
def test_value_that_is_public_is_shown(path: str) -> None:
    assert redacted(path, "ssh-ed25519 AAAA") == "ssh-ed25519 AAAA"


def test_record_or_disk_called_secret_is_no_secret() -> None:
    assert redacted("records.secret/A", {"name": "secret"}) == {"name": "secret"}
    assert redacted("records.secret/A.values", ["192.0.2.1"]) == ["192.0.2.1"]
    assert redacted("disks.key", {"pool": "fast"}) == {"pool": "fast"}


@pytest.mark.parametrize(
    "value",
    ["secret://dns/tsig", SecretReference("dns", "tsig"), {"file": "dns", "key": "tsig"}],
)
def test_reference_to_a_secret_is_shown_as_the_reference(value: object) -> None:
    assert redacted("password", value) == "secret://dns/tsig"
    assert redacted("anything", {"x": value}) == {"x": "secret://dns/tsig"}


def test_what_only_looks_like_a_reference_is_hidden() -> None:
    assert redacted("password", "secret://dns/tsig and more") == HIDDEN
    assert redacted("tls", {"file": "a b", "key": "hunter2"}) == {"file": "a b", "key": HIDDEN}


def test_login_in_a_url_is_hidden() -> None:
    shown = redacted("image", {"url": "https://me:hunter2@images.example/a.qcow2"})
    assert shown == {"url": "https://(hidden)@images.example/a.qcow2"}
    assert redacted("url", "ssh://git@forge.example/x") == "ssh://git@forge.example/x"


def test_nothing_stays_nothing_whatever_it_is_called() -> None:
    assert redacted("password", None) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202eabc", r"\u202eabc"),
        ("\u2066\u200b\u2028", r"\u2066\u200b\u2028"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("\x7f\x00", r"\x7f\x00"),
        ("##[add-mask]x", r"\x23#[add-mask]x"),
        ("a ##VSO[task]", r"a \x23#VSO[task]"),
        ("fe80::1 zürich 日本", "fe80::1 zürich 日本"),
        ("# one ## two", "# one ## two"),
    ],
)
def test_what_does_not_print_becomes_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_visible_text_is_one_printing_line(text: str) -> None:
    assert visible(text).isprintable()


def test_long_text_is_cut_and_says_so() -> None:
    assert shortened("a" * 1000, 10) == "aaaaaaaaaa… (990 more characters)"
    assert shortened("a" * 10, 10) == "a" * 10


def test_line_that_a_runner_takes_for_a_command_is_broken() -> None:
    assert line("  ::set-env name=A::b") == r"  \x3a:set-env name=A::b"
    assert line("address: fe80::1") == "address: fe80::1"


@given(st.text(alphabet="`a ", min_size=1))
def test_no_code_span_is_closed_from_inside(text: str) -> None:
    span = code_span(text)
    ticks = len(span) - len(span.lstrip("`"))
    inner = span[ticks:-ticks].strip(" ")
    assert "`" * ticks not in inner


def test_fence_is_longer_than_what_it_holds() -> None:
    assert fence_for(["a"]) == "```"
    assert fence_for(["a ```` b", "`"]) == "`````"
    assert fence_for([]) == "```"
