"""Encrypted files are changed as sops changes them: what stays keeps its ciphertext."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.secret_rules import Selectors
from reconciler.config.secrets import read_secrets
from reconciler.drivers.sops.age import identities
from reconciler.drivers.sops.document import (
    Document,
    encrypted_again,
    finished,
    new_document,
    open_document,
    readable,
    with_secret,
)
from reconciler.errors import ConfigError
from tests.sealed.sealing import Reader

CORPUS = Path(__file__).parents[3] / "corpus" / "sops"
FILE = "secrets/web.sops.yaml"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.txt"
    path.write_text((CORPUS / "key.txt").read_text("utf-8"), "utf-8")
    path.chmod(0o600)
    return path


def specimen(name: str, key: Path) -> Document:
    return open_document(FILE, (CORPUS / name).read_text("utf-8"), identities(key))


def closed(document: Document) -> Document:
    return finished(document, NOW, os.urandom)


def versions(document: Document) -> dict[str, str]:
    found = read_secrets(FILE, closed(document).text.encode())
    return {name: each.version for name, each in found.sealed.items()}


def new(*readers: Reader, selectors: Selectors | None = None) -> Document:
    recipients = [each.recipient for each in readers or (Reader(),)]
    return new_document(FILE, recipients, selectors or Selectors(), os.urandom)


@pytest.mark.parametrize("name", ["comments.sops.yaml", "marked.sops.yaml", "values.sops.yaml"])
def test_what_sops_made_is_edited_without_a_change(name: str, key: Path) -> None:
    document = specimen(name, key)
    again = encrypted_again(document, readable(document), os.urandom)
    assert versions(again) == versions(document)
    assert sorted(part for part in again.body.split() if "ENC[" in part) != []


def test_what_sops_made_reads_as_it_was_written(key: Path) -> None:
    text = readable(specimen("comments.sops.yaml", key))
    for line in (CORPUS / "comments.yaml").read_text("utf-8").splitlines():
        for part in filter(None, line.split(" # ")):
            assert part.strip().lstrip("# ") in text
    assert "ENC[" not in text


def test_only_the_value_that_is_set_changes(key: Path) -> None:
    before = specimen("values.sops.yaml", key)
    after = with_secret(before, ("numbers", "small"), "another", os.urandom)
    first, second = versions(before), versions(after)
    assert {name for name in first if first[name] != second[name]} == {"numbers.small"}
    assert open_document(FILE, closed(after).text, identities(key)).body == after.body


def test_the_same_value_again_is_no_change(key: Path) -> None:
    once = with_secret(specimen("values.sops.yaml", key), ("a", "b"), "x", os.urandom)
    assert with_secret(once, ("a", "b"), "x", os.urandom) is once


@pytest.mark.parametrize("path", [("n",), ("db", "n"), ("db", "deep", "n", "m"), ("8080n", "yes")])
def test_a_new_value_is_added_below_what_is_there(path: tuple[str, ...], key: Path) -> None:
    before = specimen("values.sops.yaml", key)
    after = with_secret(before, path, "new", os.urandom)
    assert set(versions(after)) - set(versions(before)) == {".".join(path)}
    assert set(versions(before).items()) <= set(versions(after).items())


@pytest.mark.parametrize(
    ("path", "why"),
    [(("list",), "a list"), (("db",), "a list or a mapping"), (("password", "x"), "is a value")],
)
def test_a_value_does_not_replace_a_tree(path: tuple[str, ...], why: str, key: Path) -> None:
    with pytest.raises(ValueError, match=why):
        with_secret(specimen("values.sops.yaml", key), path, "x", os.urandom)


def test_who_is_no_reader_opens_nothing(tmp_path: Path) -> None:
    text = (CORPUS / "values.sops.yaml").read_text("utf-8")
    with pytest.raises(ValueError, match="none of your age keys"):
        open_document(FILE, text, identities(Reader().write(tmp_path / "key")))


def test_a_file_that_was_tampered_with_is_not_opened(key: Path) -> None:
    lines = (CORPUS / "values.sops.yaml").read_text("utf-8").splitlines(keepends=True)
    with pytest.raises(ValueError, match="taken out"):
        open_document(FILE, "".join(lines[1:]), identities(key))


def test_edits_keep_order_comments_and_types(tmp_path: Path) -> None:
    reader = Reader()
    keys = identities(reader.write(tmp_path / "key"))
    text = '# head\nb: "2"\na:\n    # in a\n    i: 2\n    f: 1.50\n    t: true\n    n: null\n'
    made = closed(encrypted_again(new(reader), text, os.urandom))
    assert "head" not in made.text
    assert "in a" not in made.text
    assert readable(open_document(FILE, made.text, keys)) == text.replace("1.50", "1.5")


@pytest.mark.parametrize(
    "text", ["a: &x 1\nb: *x\n", "a: !!str 1\n", "- a\n", "a: [\n", "a: .inf\n"]
)
def test_what_cannot_be_encrypted_is_said_without_values(text: str) -> None:
    with pytest.raises(ConfigError):
        encrypted_again(new(), text, os.urandom)


@pytest.mark.parametrize(
    "selectors",
    [
        Selectors(),
        Selectors({"encrypted_regex": "^data$"}),
        Selectors({"unencrypted_regex": "_unenc"}),
        Selectors({"encrypted_suffix": "_secret"}),
        Selectors({"unencrypted_comment_regex": "x"}),
        Selectors({"unencrypted_regex": "("}),
    ],
)
def test_a_value_that_sops_would_leave_open_is_refused(selectors: Selectors) -> None:
    document = with_secret(new(selectors=selectors), ("a_unencrypted",), "x", os.urandom)
    with pytest.raises(ConfigError, match="a_unencrypted would not be encrypted"):
        closed(document)


def test_the_mark_of_what_is_encrypted_only_is_kept(tmp_path: Path) -> None:
    reader = Reader()
    document = with_secret(new(reader, selectors=Selectors({}, True)), ("a",), "x", os.urandom)
    text = closed(document).text
    assert "mac_only_encrypted: true" in text
    assert open_document(FILE, text, identities(reader.write(tmp_path / "key"))).is_mac_marked


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.from_regex(r"\A[A-Za-z0-9_.-]{1,12}\Z"),
        st.text(st.characters(codec="utf-8")),
        max_size=4,
    )
)
def test_any_text_comes_back_from_the_editor(values: dict[str, str]) -> None:
    document = new()
    for name, value in values.items():
        if value:
            document = with_secret(document, (name,), value, os.urandom)
    again = encrypted_again(document, readable(document), os.urandom)
    assert again.body == document.body


def test_nothing_shows_the_key_of_a_file() -> None:
    document = new()
    assert repr(document) == f"Document('{FILE}')"
