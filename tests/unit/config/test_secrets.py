"""Encrypted files as they stand: what references name, and what is no such file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.config.secrets import Secrets, is_secret_file, read_secrets, strays
from reconciler.errors import ConfigError
from reconciler.model.secret import SecretReference
from tests.sealed.sealing import Reader, seal

SPECIMEN = Path(__file__).parents[2] / "corpus" / "sops" / "values.sops.yaml"
FILE = "secrets/db.sops.yaml"
VALUE = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"
BLOCK = "sops: {mac: x, age: [{recipient: age1x, enc: y}]}\n"


def problems(text: str, path: str = FILE) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_secrets(path, text.encode())
    return [str(problem) for problem in caught.value.problems]


def test_what_sops_made_is_read_by_key_with_nested_keys_joined_by_dots() -> None:
    found = read_secrets("secrets/values.sops.yaml", SPECIMEN.read_bytes())
    assert found.name == "values"
    assert found.sealed["password"].path == ("password",)
    assert found.sealed["db.tls.crt"].path == ("db", "tls.crt")
    assert found.sealed["numbers.big"].reference == SecretReference("values", "numbers.big")
    assert len(found.sealed["db.password"].data_keys) == 2
    assert found.sealed["db.password"].ciphertext.startswith("ENC[AES256_GCM,data:")


def test_what_no_reference_can_name_is_left_out() -> None:
    found = read_secrets("secrets/values.sops.yaml", SPECIMEN.read_bytes())
    assert not {"empty", "nothing", "list", "keys.über", "keys.with space"} & found.sealed.keys()
    assert "keys.MixedCase" in found.sealed


def test_the_version_is_another_when_the_value_was_encrypted_again() -> None:
    key = Reader().recipient
    one, two = (read_secrets(FILE, seal({"a": "x"}, [key]).encode()).sealed["a"] for _ in "12")
    assert one.version != two.version
    assert one.label == f"db/a@{one.version}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("password: hunter2\n", f"{FILE}:1:1: this is not a file that sops encrypted"),
        (f"sops: 1\na: {VALUE}\n", "this is not a file that sops encrypted"),
        ("- hunter2\n", "a file of secrets is one mapping"),
        ("hunter2\n", "a file of secrets is one mapping"),
        ("", "a file of secrets is one mapping"),
        (f"a: {VALUE}\n{BLOCK}---\na: {VALUE}\n{BLOCK}", "a file of secrets is one mapping"),
        (f"a: {VALUE}\nb: hunter2\n{BLOCK}", f"{FILE}:2:1: the value of b is not encrypted"),
        (f"b:\n  c:\n  - {VALUE}\n  - hunter2\n{BLOCK}", f"{FILE}:4:5: the value of b.c is not"),
        (f"a: 42\n{BLOCK}", "the value of a is not encrypted"),
        (f"a: ENC[hunter2]\n{BLOCK}", "the value of a is not encrypted"),
        (f"a: {VALUE} hunter2\n{BLOCK}", "the value of a is not encrypted"),
        (f"a: {VALUE}\nsops: {{mac: x, pgp: []}}\n", "no age key can decrypt this file"),
        (f"a: {VALUE}\nsops: {{mac: x, age: []}}\n", "no age key can decrypt this file"),
        (f"a: {VALUE}\nsops: {{mac: x, age: [1]}}\n", "no age key can decrypt this file"),
        (f"a: {VALUE}\nsops: {{mac: x, age: [{{enc: 1}}]}}\n", "no age key can decrypt"),
        (f"a.b: {VALUE}\na:\n  b: {VALUE}\n{BLOCK}", f"{FILE}:3:3: two values are called a.b"),
        (f"a: {VALUE}\na: {VALUE}\n{BLOCK}", "the key 'a' is there twice"),
    ],
)
def test_a_file_that_is_not_wholly_encrypted_is_an_error_that_tells_no_value(
    text: str, said: str
) -> None:
    found = problems(text)
    assert any(said in problem for problem in found), found
    assert not any("hunter2" in problem for problem in found)


def test_a_name_that_no_reference_can_have_is_an_error() -> None:
    assert (
        "no name that a reference can have"
        in problems(f"a: {VALUE}\n{BLOCK}", "secrets/A_b.sops.yaml")[0]
    )


def test_very_many_readers_are_refused() -> None:
    many = ", ".join(["{enc: x}"] * 65)
    block = f"{{mac: {VALUE!r}, lastmodified: x, age: [{many}]}}"
    assert "at most 64 readers" in problems(f"a: {VALUE}\nsops: {block}\n")[0]


@pytest.mark.parametrize(
    ("path", "is_one", "is_stray"),
    [
        ("secrets/db.sops.yaml", True, False),
        ("secrets/.sops.yaml", False, False),
        ("secrets/README.md", False, False),
        ("secrets/db.yaml", False, True),
        ("secrets/db.sops.yml", False, True),
        ("secrets/deep/db.sops.yaml", True, True),
        ("hosts/virt1.yaml", False, False),
    ],
)
def test_only_encrypted_files_stand_where_secrets_are(
    path: str, is_one: bool, is_stray: bool
) -> None:
    assert is_secret_file(path) is is_one
    assert bool(list(strays([path]))) is is_stray


@pytest.mark.parametrize(
    ("reference", "what", "remedy"),
    [
        (SecretReference("db", "password"), None, None),
        (SecretReference("dbx", "password"), "there is no file secrets/dbx.sops.yaml", "mean db?"),
        (SecretReference("web", "x"), "there is no file", "write secrets/web.sops.yaml"),
        (SecretReference("db", "passwort"), "has no value passwort", "did you mean password?"),
        (SecretReference("db", "zzz"), "has no value zzz", "sops edit secrets/db.sops.yaml"),
        (SecretReference("broken", "a"), None, None),
    ],
)
def test_a_reference_to_nothing_says_what_there_is(
    reference: SecretReference, what: str | None, remedy: Any
) -> None:
    key = Reader().recipient
    file = read_secrets(FILE, seal({"password": "x"}, [key]).encode())
    lack = Secrets({"db": file}, frozenset({"broken"})).lack(reference)
    assert (lack is None) is (what is None)
    if lack is not None:
        assert str(what) in lack[0]
        assert remedy in lack[1]
