"""Secrets are decrypted as sops does it, and nothing that fails tells a value."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.secrets import read_secrets
from reconciler.drivers.secrets import Keyring
from reconciler.errors import Denied, DriverError, NotFound
from reconciler.model.secret import SealedFile, SealedSecret, SecretReference
from tests.sealed.sealing import Reader, seal, sealed_value, wrapped

CORPUS = Path(__file__).parents[2] / "corpus" / "sops"
VALUE = "canary-of-a-value"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture
def keyring(tmp_path: Path, reader: Reader) -> Keyring:
    return Keyring({"production": reader.write(tmp_path / "key.txt")})


@pytest.fixture
def secret(reader: Reader) -> SealedSecret:
    return sealed(VALUE, reader)


def sealed(value: Any, *readers: Reader) -> SealedSecret:
    text = seal({"db": {"password": value}}, [reader.recipient for reader in readers])
    return read_secrets("secrets/web.sops.yaml", text.encode()).sealed["db.password"]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif value not in {None, ""}:
        yield ".".join(path), value


def test_all_that_real_sops_encrypted_is_revealed(tmp_path: Path) -> None:
    key = Path(copy(CORPUS / "key.txt", tmp_path))
    key.chmod(0o600)
    keyring = Keyring({"staging": key})
    found = read_secrets("secrets/values.sops.yaml", (CORPUS / "values.sops.yaml").read_bytes())
    plain = dict(leaves({**json.loads((CORPUS / "values.json").read_text("utf-8")), "list": None}))
    revealed = {name: keyring.reveal("staging", each) for name, each in found.sealed.items()}
    assert len(revealed) >= 75
    for name, text in revealed.items():
        value = plain[name]
        if isinstance(value, bool):
            assert text == str(value).lower()
        elif isinstance(value, float):
            assert float(text) == value
        else:
            assert text == str(value)


@given(value=st.text(min_size=1), key=st.from_regex(r"\A[A-Za-z0-9_.-]{1,30}\Z"))
def test_any_text_at_any_key_is_revealed(
    value: str, key: str, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    value = value.encode(errors="replace").decode()
    text = seal({"a": {key: value}}, [reader.recipient])
    found = read_secrets("secrets/web.sops.yaml", text.encode()).sealed[f"a.{key}"]
    file = tmp_path_factory.getbasetemp() / "identity.txt"
    if not file.exists():
        reader.write(file)
    assert Keyring({"production": file}).reveal("production", found) == value


def test_each_reader_can_reveal_and_nobody_else(tmp_path: Path) -> None:
    readers = [Reader(), Reader()]
    found = sealed(VALUE, *readers)
    for number, reader in enumerate(readers):
        keyring = Keyring({"production": reader.write(tmp_path / f"{number}.txt")})
        assert keyring.reveal("production", found) == VALUE
    stranger = Keyring({"production": Reader().write(tmp_path / "stranger.txt")})
    with pytest.raises(
        Denied, match=r"web\.sops\.yaml: decrypt db\.password: no key in .*stranger"
    ):
        stranger.reveal("production", found)


def test_an_environment_without_a_key_of_its_own_gets_nothing(
    keyring: Keyring, secret: SealedSecret
) -> None:
    with pytest.raises(NotFound, match="no age key for development; set secrets"):
        keyring.reveal("development", secret)


def test_several_keys_in_one_file_are_all_tried(
    tmp_path: Path, secret: SealedSecret, reader: Reader
) -> None:
    file = Reader().write(tmp_path / "both.txt")
    more = reader.write(tmp_path / "mine.txt").read_text("utf-8")
    file.write_text(file.read_text("utf-8") + more, "utf-8")
    assert Keyring({"production": file}).reveal("production", secret) == VALUE


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("", 0o600, "holds no age key; make one with age-keygen"),
        ("AGE-SECRET-KEY-1CANARY\n", 0o600, "a damaged age key"),
        ("canary\n", 0o600, "holds no age key"),
        ("\udcff", 0o600, "it is no text"),
        (None, 0o644, "others may read it"),
    ],
)
def test_a_file_that_holds_no_usable_key_is_refused(
    tmp_path: Path, reader: Reader, secret: SealedSecret, content: str | None, mode: int, said: str
) -> None:
    file = reader.write(tmp_path / "key.txt")
    if content is not None:
        file.write_bytes(content.encode(errors="surrogateescape"))
    file.chmod(mode)
    with pytest.raises(Denied, match=said) as caught:
        Keyring({"production": file}).reveal("production", secret)
    assert "canary" not in str(caught.value).lower()


def test_a_file_of_keys_that_is_gone_is_not_found(tmp_path: Path, secret: SealedSecret) -> None:
    with pytest.raises(NotFound, match="is not there"):
        Keyring({"production": tmp_path / "gone"}).reveal("production", secret)


def swapped(secret: SealedSecret, part: str, content: bytes) -> SealedSecret:
    before, _, rest = secret.ciphertext.partition(f"{part}:")
    ends = min(rest.index(end) for end in ",]" if end in rest)
    text = f"{before}{part}:{b64encode(content).decode()}{rest[ends:]}"
    return replace(secret, ciphertext=text)


@pytest.mark.parametrize("part", ["data", "iv", "tag"])
@pytest.mark.parametrize("content", [b"", b"short", bytes(16), bytes(32), bytes(500)])
def test_what_was_tampered_with_is_refused(
    keyring: Keyring, secret: SealedSecret, part: str, content: bytes
) -> None:
    with pytest.raises(Denied, match=r"web\.sops\.yaml: decrypt db\.password") as caught:
        keyring.reveal("production", swapped(secret, part, content))
    assert VALUE not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("path", [("password",), ("db", "other"), ("db", "password", "x"), ()])
def test_what_was_moved_from_another_place_is_refused(
    keyring: Keyring, secret: SealedSecret, path: tuple[str, ...]
) -> None:
    with pytest.raises(Denied, match="moved from another place"):
        keyring.reveal("production", replace(secret, path=path))


def test_a_data_key_of_another_size_is_refused(keyring: Keyring, reader: Reader) -> None:
    reference, key = SecretReference("web", "a"), b"0" * 16
    value = sealed_value(VALUE, key, ("a",))
    file = SealedFile(((("a",), value),), value, "2026-01-01T00:00:00Z")
    found = SealedSecret(reference, ("a",), value, (wrapped(key, reader.recipient),), file)
    with pytest.raises(Denied, match="not encrypted in a way that is known"):
        keyring.reveal("production", found)


@pytest.mark.parametrize("wrong", ["", "x", "-----BEGIN AGE ENCRYPTED FILE-----\n", "\x00" * 9])
def test_a_broken_data_key_is_somebody_elses(
    keyring: Keyring, secret: SealedSecret, wrong: str
) -> None:
    with pytest.raises(DriverError, match="is one of its readers"):
        keyring.reveal("production", replace(secret, data_keys=(wrong,)))
    both = replace(secret, data_keys=(wrong, *secret.data_keys))
    assert keyring.reveal("production", both) == VALUE
