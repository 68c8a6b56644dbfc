"""S16: nothing that a document says becomes anything but a value in cloud-init's data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from ruamel.yaml import YAML

from reconciler.config import fields
from reconciler.config.first_boot import FirstBoot
from reconciler.errors import ConfigError
from reconciler.model.plain import to_plain
from reconciler.ports.hypervisor import Seed
from reconciler.render.first_boot import HEADER
from reconciler.render.render import render
from scripts.corpus import CLOUD_INIT, CorpusError, corpus
from tests.farms.repository import FARM, documents

KEYS = frozenset(
    {
        "hostname",
        "fqdn",
        "prefer_fqdn_over_hostname",
        "preserve_hostname",
        "manage_etc_hosts",
        "disable_root",
        "ssh_pwauth",
        "growpart",
        "resize_rootfs",
        "package_update",
        "package_upgrade",
        "updates",
        "users",
        "packages",
        "write_files",
        "timezone",
        "locale",
    }
)
PAYLOADS = (
    "#include\nhttps://elsewhere.example/x\n",
    "#cloud-config\nruncmd: [id]\n",
    "## template: jinja\n#cloud-config\nhostname: {{ 7*7 }}\n",
    "#!/bin/sh\nid\n",
    "Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\n\n--x\n\n#!/bin/sh\nid\n--x--\n",
    "mime-version: 1.0\n",
    "---\nruncmd: [id]\n...\n",
    '"}\nruncmd: [id]\n{"x": "',
    "x\nruncmd: [id]",
    "{{ 7*7 }} {% x %} ${HOME} $(id) `id` %(x)s {name}",
    "'\"\\ \\n \\u0041 \\x41 &a *a !x <<: |",
    "off",
    "12:30:45",
    "0o17",
    "~",
    "=",
    "\t",
    "é – 漢 😀",
    "",
)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBoXWgmiesmAWqNiCx+pd0QjhJLQ4miJTaes14AF9UrY"
WEB = FARM["vms/web-1.yaml"]
BREAKS = re.compile("[\x7f-\xa0\u2028]")  # YAML would take some of them for the ends of lines
Objections = Callable[[str], list[str]]


def seed_of(first_boot: Any, name: str = "web-1") -> Seed:
    """The seed of a machine whose document says so: JSON is YAML."""
    said = BREAKS.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(first_boot, ensure_ascii=False)
    )
    text = WEB.replace("name: web-1", f'name: "{name}"') + f"first_boot: {said}\n"
    found = {str(each.address): each for each in render(documents({"vms/web-1.yaml": text}))}
    seed = found[f"volume/{name}-seed"].spec.seed
    assert isinstance(seed, Seed)
    return seed


def read(text: str, version: tuple[int, int]) -> Any:
    """As a reader of this version of YAML takes it; cloud-init's is one of 1.1."""
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


def values(seed: Seed) -> Any:
    """The user data, which any reader takes the same way."""
    assert seed.user_data.startswith(HEADER)
    assert seed.user_data.isascii()
    found = [read(seed.user_data, version) for version in ((1, 1), (1, 2))]
    assert found[0] == found[1]
    return found[0]


@pytest.fixture(scope="module")
def objections() -> Objections:
    """What cloud-init's own schema has against user data, and keys that it does not know."""
    try:
        folder = corpus(source=CLOUD_INIT) / "cloudinit" / "config" / "schemas"
    except CorpusError as error:  # no skip: without the schema nobody knows
        pytest.fail(str(error), pytrace=False)
    schema = json.loads((folder / "schema-cloud-config-v1.json").read_text(encoding="utf-8"))
    modules = [schema["$defs"][each["$ref"].rsplit("/", 1)[-1]] for each in schema["allOf"]]
    known = {key for module in modules for key in module.get("properties", ())}
    validator = Draft4Validator(schema)

    def check(user_data: str) -> list[str]:
        data = YAML(typ="safe").load(user_data)
        told = [error.message for error in validator.iter_errors(data)]
        return told + [f"unknown key {key}" for key in sorted(data.keys() - known)]

    return check


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_text_of_a_file_stays_text(payload: str, objections: Objections) -> None:
    seed = seed_of({"files": [{"path": "/etc/motd", "content": payload}]})
    data = values(seed)
    assert data.keys() <= KEYS
    assert [file["content"] for file in data["write_files"]] == [payload]
    assert objections(seed.user_data) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_remark_behind_a_key_stays_a_remark(payload: str) -> None:
    comment = payload.replace("\n", " ").replace("\t", " ").strip() or "x"
    data = values(seed_of({"accounts": [{"name": "ops", "ssh_keys": [f"{KEY} {comment}"]}]}))
    assert data.keys() <= KEYS
    assert data["users"][0]["ssh_authorized_keys"] == [f"{KEY} {comment}"]


def test_no_data_looks_like_a_mail() -> None:
    """Cloud-init takes what has these words in its first 4 KiB for one."""
    seed = seed_of({"files": [{"path": "/a", "content": "MIME-Version: 1.0"}]})
    assert "mime-version:" not in seed.user_data.lower()


@pytest.mark.parametrize("character", ["\x00", "\x07", "\r", "\x1b", "\x7f", "\x85", "\u2028"])
@pytest.mark.parametrize("field", ["content", "path", "mode", "owner"])
def test_no_field_of_a_file_has_control_characters(field: str, character: str) -> None:
    file = {"path": "/etc/motd", "content": "x", "mode": "0644", "owner": "root"}
    seed_of({"files": [file]})
    with pytest.raises(ConfigError):
        seed_of({"files": [{**file, field: file[field] + character}]})


@pytest.mark.parametrize("payload", [each for each in PAYLOADS if each not in {"off", "0o17"}])
@pytest.mark.parametrize("field", ["timezone", "locale", "packages", "accounts", "user_data"])
def test_no_other_field_takes_a_payload(field: str, payload: str) -> None:
    value: Any = {
        "packages": [payload],
        "accounts": [{"name": payload, "groups": [payload], "shell": payload}],
    }.get(field, payload)
    with pytest.raises(ConfigError):
        seed_of({field: value})


@pytest.mark.parametrize("name", ["web-1\\nruncmd: [id]", "web_1", "#include", "{{ x }}", "Web"])
def test_a_hostname_is_one_label(name: str) -> None:
    with pytest.raises(ConfigError):
        seed_of({}, name)


@pytest.mark.parametrize("word", ["off", "yes", "null", "0x1f", "12-30", "1e3", "00000000"])
def test_a_name_that_is_a_word_of_yaml_stays_a_name(word: str) -> None:
    seed = seed_of({"packages": [word]}, word)
    assert (values(seed)["hostname"], values(seed)["packages"]) == (word, [word])
    assert read(seed.meta_data, (1, 1))["local-hostname"] == word


@pytest.mark.parametrize("key", ["password", "passwd", "hashed_passwd", "plain_text_passwd"])
def test_there_is_no_place_for_passwords(key: str) -> None:
    with pytest.raises(ConfigError, match=f"no key '{key}'"):
        seed_of({"accounts": [{"name": "ops", key: "x"}]})


@pytest.mark.parametrize("key", ["runcmd", "bootcmd", "user_data", "write_files", "phone_home"])
def test_there_is_no_place_for_commands(key: str) -> None:
    with pytest.raises(ConfigError, match=f"no key '{key}'"):
        seed_of({key: ["id"]})


def test_nobody_logs_in_by_password_or_as_root() -> None:
    data = values(seed_of({"accounts": [{"name": "ops"}]}))
    assert (data["ssh_pwauth"], data["disable_root"]) == (False, True)
    assert data["users"] == [{"name": "ops", "shell": "/bin/bash", "lock_passwd": True}]


def unique(strategy: st.SearchStrategy[Any], key: str | None = None) -> st.SearchStrategy[Any]:
    by = (lambda item: item[key]) if key else None
    return st.lists(strategy, max_size=3, unique_by=by)


def written(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(rf"\A{pattern[1:-1]}\Z")


ACCOUNTS = st.fixed_dictionaries(
    {"name": written(fields.ACCOUNT).filter(lambda name: name != "root")},
    optional={
        "description": st.sampled_from(["", "x: y"]),
        "ssh_keys": st.lists(st.sampled_from([KEY, f"{KEY} a: 'b' #c"]), max_size=2),
        "groups": st.lists(written(fields.ACCOUNT), max_size=2),
        "sudo": st.booleans(),
        "shell": st.sampled_from(["/bin/sh", "/usr/sbin/nologin"]),
    },
)
FILES = st.fixed_dictionaries(
    {"path": written(fields.FILE_PATH), "content": written(fields.FILE_CONTENT)},
    optional={"mode": written(fields.FILE_MODE), "owner": written(fields.FILE_OWNER)},
)
FIRST_BOOTS = st.fixed_dictionaries(
    {},
    optional={
        "accounts": unique(ACCOUNTS, "name"),
        "packages": st.lists(written(fields.PACKAGE), max_size=3),
        "upgrade": st.booleans(),
        "files": unique(FILES, "path"),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin", "Etc/GMT+1"]),
        "locale": written(fields.LOCALE),
        "grow": st.booleans(),
        "on_change": st.sampled_from(["replace", "rerun", "keep"]),
    },
)


@given(written=FIRST_BOOTS)
def test_whatever_our_models_take_cloud_init_takes(written: Any, objections: Objections) -> None:
    seed = seed_of(written)
    data, meant = YAML(typ="safe").load(seed.user_data), FirstBoot.model_validate(written)
    assert objections(seed.user_data) == []
    assert data.keys() <= KEYS
    assert {file["path"]: file["content"] for file in data.get("write_files", ())} == {
        file.path: file.content for file in meant.files
    }
    assert {user["name"] for user in data.get("users", ())} == {a.name for a in meant.accounts}
    assert set(data.get("packages", ())) == set(meant.packages)
    assert (data.get("timezone"), data.get("locale")) == (meant.timezone, meant.locale)


def test_the_schema_has_something_against_what_is_wrong(
    objections: Objections, tmp_path: Path
) -> None:
    good = seed_of({"packages": ["nginx"]}).user_data
    assert objections(good) == []
    assert objections(good.replace('"nginx"', "{}"))
    assert objections(good.replace('"packages"', '"package"')) == ["unknown key package"]
    assert to_plain(seed_of({}))["user_data"].startswith("#cloud-config\n")
