"""S18: of an encrypted file that anybody without its key has changed, no value is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from reconciler.config.secrets import read_secrets
from reconciler.drivers.secrets import Keyring
from reconciler.errors import ConfigError, Denied
from reconciler.model.secret import SealedSecret
from tests.sealed.sealing import Reader, seal

CORPUS = Path(__file__).parents[1] / "corpus" / "sops"
VALUES = (CORPUS / "values.sops.yaml").read_text("utf-8")
WHOLE = "the file is not whole"


def line(start: str) -> str:
    found = re.search(rf"(?m)^ *{re.escape(start)}.*\n", VALUES)
    assert found is not None, start
    return found[0]


def exchanged(one: str, other: str) -> str:
    first, second = line(one), line(other)
    return VALUES.replace(first, "\0").replace(second, first).replace("\0", second)


def changed(old: str, new: str) -> str:
    assert old in VALUES
    return VALUES.replace(old, new, 1)


def cipher(start: str) -> str:
    return line(start).split(": ", 1)[1]


def secrets(text: str) -> dict[str, SealedSecret]:
    return dict(read_secrets("secrets/values.sops.yaml", text.encode()).sealed)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    key = Path(copy(CORPUS / "key.txt", tmp_path))
    key.chmod(0o600)
    return Keyring({"staging": key})


def list_items() -> tuple[str, str]:
    found = re.findall(r"(?m)^    - ENC.*\n", VALUES)
    return found[0], found[1]


TAMPERED: dict[str, Callable[[], str]] = {
    "a value taken out": lambda: changed(line("real: "), ""),
    "a nested value taken out": lambda: changed(line("er: "), "        er: null\n"),
    "a value made empty": lambda: changed(cipher("small: "), '""\n'),
    "all values of a mapping taken out": lambda: re.sub(r"(?m)^    v\d+: .*\n", "", VALUES),
    "a value put twice": lambda: changed(line("small: "), line("small: ") * 2).replace(
        "small: ", "another: ", 1
    ),
    "two values exchanged": lambda: changed(cipher("small: "), cipher("negative: ")),
    "two keys exchanged": lambda: exchanged("small: ", "negative: "),
    "items of a list exchanged": lambda: (
        VALUES.replace(list_items()[0], "\0")
        .replace(list_items()[1], list_items()[0])
        .replace("\0", list_items()[1])
    ),
    "an item of a list taken out": lambda: changed(list_items()[0], ""),
    "an item of a list repeated": lambda: changed(list_items()[0], list_items()[0] * 2),
    "a list made one value": lambda: changed(
        "list:\n" + "".join(list_items()), "list:\n" + list_items()[0]
    ),
    "a mapping renamed": lambda: changed("numbers:\n", "figures:\n"),
    "a bit of another value": lambda: changed("data:5w==", "data:5g=="),
    "another time": lambda: changed("2026-11-21T17:21:25Z", "2026-11-21T17:21:26Z"),
    "a checksum that is a value": lambda: changed(cipher("mac: "), cipher("password: ")),
    "a checksum of the other sort": lambda: VALUES + "    mac_only_encrypted: true\n",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_every_value_of_a_changed_file_is_refused(how: str, keyring: Keyring) -> None:
    text = TAMPERED[how]()
    assert text != VALUES
    found = secrets(text)
    assert len(found) > 10
    for secret in found.values():
        with pytest.raises(Denied, match=WHOLE) as caught:
            keyring.reveal("staging", secret)
        assert caught.value.__cause__ is None


REFUSED_EARLIER: dict[str, Callable[[], str]] = {
    "no checksum": lambda: changed(line("mac: "), ""),
    "an empty checksum": lambda: changed(cipher("mac: "), '""\n'),
    "a checksum in the open": lambda: changed(cipher("mac: "), "A1B2C3\n"),
    "no time": lambda: changed(line("lastmodified: "), ""),
    "a value in the open": lambda: "open: text\n" + VALUES,
    "a number in the open": lambda: "open: 1\n" + VALUES,
    "a value in the open below": lambda: changed("numbers:\n", "numbers:\n    open: true\n"),
    "an item in the open": lambda: changed("list:\n", "list:\n    - open\n"),
}


@pytest.mark.parametrize("how", REFUSED_EARLIER)
def test_what_needs_no_key_to_be_seen_is_refused_by_everybody(how: str) -> None:
    with pytest.raises(ConfigError, match=r"secrets/values\.sops\.yaml"):
        secrets(REFUSED_EARLIER[how]())


def test_a_file_under_the_checksum_of_its_older_self_is_refused(tmp_path: Path) -> None:
    reader = Reader()
    keyring = Keyring({"production": reader.write(tmp_path / "key")})

    def of(text: str) -> SealedSecret:
        return read_secrets("secrets/web.sops.yaml", text.encode()).sealed["a"]

    old, new = (of(seal({"a": value}, [reader.recipient])) for value in ("old", "new"))
    assert keyring.reveal("production", new) == "new"
    assert old.file is not None
    assert new.file is not None
    for mixed in (
        replace(new, file=replace(new.file, mac=old.file.mac)),
        replace(new, file=replace(new.file, values=old.file.values)),
        replace(new, file=old.file),
        replace(new, file=None),
    ):
        with pytest.raises(Denied, match=WHOLE):
            keyring.reveal("production", mixed)


def test_comments_are_not_in_the_checksum_as_sops_has_it(keyring: Keyring) -> None:
    found = secrets("# anybody may write this\n" + VALUES)
    assert keyring.reveal("staging", found["8080"]) == "port"


def test_the_same_bytes_are_proven_once_and_other_bytes_again(keyring: Keyring) -> None:
    good, bad = secrets(VALUES), secrets(TAMPERED["a value taken out"]())
    assert keyring.reveal("staging", good["8080"]) == "port"
    assert keyring.reveal("staging", good["db.deep.er"]) == "1"
    assert len(keyring._proven) == 1
    for _ in range(2):
        with pytest.raises(Denied, match=WHOLE):
            keyring.reveal("staging", bad["8080"])
    assert len(keyring._proven) == 1
    assert keyring.reveal("staging", secrets(VALUES)["8080"]) == "port"


def test_nothing_that_was_opened_is_remembered(keyring: Keyring) -> None:
    keyring.reveal("staging", secrets(VALUES)["8080"])
    assert all(len(each) == 32 for each in keyring._proven)
    assert "port" not in repr(keyring)
