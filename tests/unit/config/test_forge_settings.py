"""The settings of a forge: what is refused, and the addresses that follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.config.forge_settings import ForgeSettings
from reconciler.config.settings_file import load_settings
from reconciler.errors import SettingsError

COMMIT = "1" * 40


def made(**values: Any) -> ForgeSettings:
    return ForgeSettings.model_validate({"kind": "github", "project": "acme/farm", **values})


@pytest.mark.parametrize(
    ("values", "page"),
    [
        ({}, "https://github.com/acme/farm"),
        ({"url": "https://ghe.example/api/v3/"}, "https://ghe.example/acme/farm"),
        ({"kind": "gitlab"}, "https://gitlab.com/acme/farm"),
        (
            {"kind": "gitlab", "url": "https://lab.example/git/api/v4", "project": "a/b/c"},
            "https://lab.example/git/a/b/c",
        ),
        ({"kind": "gitlab", "project": "42"}, None),
        ({"kind": "gitea", "url": "https://git.example/api/v1"}, "https://git.example/acme/farm"),
        ({"kind": "forgejo", "url": "https://git.example/api/v1"}, "https://git.example/acme/farm"),
    ],
)
def test_the_page_of_a_project_follows_from_its_api(
    values: dict[str, str], page: str | None
) -> None:
    assert made(**values).page == page


def test_the_page_of_a_commit_is_where_the_forge_has_it() -> None:
    assert made().commit_page("abc") == "https://github.com/acme/farm/commit/abc"
    lab = made(kind="gitlab")
    assert lab.commit_page("abc") == "https://gitlab.com/acme/farm/-/commit/abc"
    assert made(kind="gitlab", project="7").commit_page("abc") is None


def test_a_status_leads_to_the_record_or_where_the_link_says() -> None:
    record = "2" * 40
    assert made().status_link("staging", COMMIT, record) == made().commit_page(record)
    assert made().status_link("staging", COMMIT, None) is None
    linked = made(link="https://x.example/{environment}/{commit}/{record}")
    told = linked.status_link("staging", COMMIT, None)
    assert told == f"https://x.example/staging/{COMMIT}/"


@pytest.mark.parametrize(
    "values",
    [
        {"url": "http://git.example/api"},
        {"url": "http://127.0.0.1.evil.example/"},
        {"url": "https://user:pass@git.example/"},
        {"url": "ftp://git.example/"},
        {"kind": "gitea"},
        {"kind": "bitbucket"},
        {"project": "farm"},
        {"project": "42"},
        {"project": "../farm"},
        {"project": "acme/.."},
        {"project": "acme/farm/more"},
        {"project": "acme/farm?x=1"},
        {"link": "https://x.example/{token}"},
        {"link": "https://x.example/{"},
        {"link": "javascript:alert(1)"},
        {"deadline": "0s"},
        {"tokens": "x"},
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        made(**values)


def test_on_this_machine_it_may_be_plain() -> None:
    assert made(url="http://127.0.0.1:3000/api/v1").api == "http://127.0.0.1:3000/api/v1"
    assert made(url="http://localhost:3000/").api == "http://localhost:3000"


def test_its_files_start_at_the_settings_and_the_token_is_private(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(
        "forge: {kind: github, project: acme/farm, token_file: token, ca_file: ca.pem}\n", "utf-8"
    )
    forge = load_settings(file).forge
    assert forge is not None
    assert (forge.token_file, forge.ca_file) == (tmp_path / "token", tmp_path / "ca.pem")
    token = tmp_path / "token"
    token.write_text("tok", "ascii")
    token.chmod(0o640)
    with pytest.raises(SettingsError, match=r"forge\.token_file: others may read it"):
        load_settings(file)
    token.chmod(0o600)
    assert load_settings(file).forge == forge
