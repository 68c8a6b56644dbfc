"""References in documents: loaded without any key, and each that names nothing is told."""

from __future__ import annotations

import pytest

from reconciler.config.load import ParseCache, load
from reconciler.model.secret import (
    SecretReference,
    filled,
    references_in,
    without_references,
)
from reconciler.render.render import render
from tests.documents.corpus import FARM, FileTree, problems_in
from tests.sealed.sealing import Reader, seal

PRODUCTION = "production"
HOST = """kind: Host
name: virt5
environment: production
address: 10.5.5.5
memory: 8 GiB
files:
  - path: /etc/app.conf
    content: "{}"
"""


def tree(content: str, **secrets: str) -> FileTree:
    key = Reader().recipient
    files = {"hosts/virt5.yaml": HOST.format(content).encode()}
    for name in ("db", "web"):
        files[f"secrets/{name}.sops.yaml"] = seal(secrets or {"password": "x"}, [key]).encode()
    return FileTree({**FARM, **files})


def problems(content: str, **more: bytes) -> list[str]:
    files = {**tree(content).files, **{f"secrets/{name}": text for name, text in more.items()}}
    return [str(problem) for problem in problems_in(files)]


def test_a_reference_becomes_a_sealed_secret_of_the_file() -> None:
    documents = load(tree("a secret://db/password b secret://db/password"), PRODUCTION)
    (file,) = [
        each.spec for each in render(documents) if str(each.address) == "file@virt5/etc-app.conf"
    ]
    sealed = documents.secrets.sealed(SecretReference("db", "password"))
    assert file.sealed == (sealed,)
    assert file.secrets == (sealed.label,)
    assert file.content == "a secret://db/password b secret://db/password"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("secret://nowhere/password", "there is no file secrets/nowhere.sops.yaml"),
        ("secret://db/passwort", "has no value passwort; did you mean password?"),
        ("secret://db/", "secret:// here is no reference to a secret; write secret://file/key"),
        ("secret://DB/password", "secret:// here is no reference to a secret"),
        ("x secret:// y secret://db/password", "secret:// here is no reference to a secret"),
    ],
)
def test_a_reference_to_nothing_is_told_where_it_stands(content: str, said: str) -> None:
    (problem,) = problems(content)
    assert problem.startswith("hosts/virt5.yaml:8:5: ")
    assert said in problem


def test_of_a_file_that_cannot_be_read_only_that_is_told() -> None:
    (problem,) = problems("secret://db/other", **{"db.sops.yaml": b"other: hunter2\n"})
    assert problem.startswith("secrets/db.sops.yaml:1:1: this is not a file that sops encrypted")


def test_a_stray_file_beside_the_secrets_is_told() -> None:
    assert "secrets/plain.yaml:1:1" in problems("x", **{"plain.yaml": b"a: hunter2\n"})[0]


def test_each_encrypted_file_is_read_once_until_it_changes() -> None:
    found, cache = tree("x"), ParseCache()
    load(found, PRODUCTION, cache)
    load(found, PRODUCTION, cache)
    assert len(found.reads) == len(set(found.reads))
    before = len(found.reads)
    found.files["secrets/db.sops.yaml"] = seal({"new": "y"}, [Reader().recipient]).encode()
    assert "new" in load(found, PRODUCTION, cache).secrets.files["db"].sealed
    assert len(found.reads) == before + 1


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("secret://db/password.", ["password"]),
        ("secret://db/tls.crt, secret://db/a-b", ["tls.crt", "a-b"]),
        ("postgres://u:secret://db/pass@host/db", ["pass"]),
        ("secret://db/a\nsecret://db/b", ["a", "b"]),
        ("secret://db/a-", ["a"]),
        ("'secret://db/a'secret://db/a", ["a"]),
        ("secret://db", []),
        ("SECRET://db/a secret://-b/a", []),
    ],
)
def test_references_are_found_in_a_text(text: str, keys: list[str]) -> None:
    assert [reference.key for reference in references_in(text)] == keys


def test_a_value_is_never_searched_for_references_again() -> None:
    short, longer = SecretReference("db", "pass"), SecretReference("db", "password")
    values = {short: "secret://db/password", longer: "1"}
    assert filled(f"{short} {longer}", values) == "secret://db/password 1"
    assert without_references(f"{short} {longer}", "?") == "? ?"
    with pytest.raises(KeyError):
        filled(str(longer), {})
