"""The operator's settings: defaults, every problem at once, and files that must be private."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from reconciler.config.settings import ENVIRONMENTS, HostSettings, Settings
from reconciler.config.settings_file import load_settings
from reconciler.errors import SettingsError

QUOTES = "put it in quotes if it looks like a number"
DISRUPTIONS = "'live', 'restart', 'replace' or 'data-loss'"
EVERYTHING = """\
repository:
  url: ssh://git@git.farm.internal/farm.git
  deadline: 20s
  ssh_key: keys/deploy
  known_hosts: keys/known_hosts
branches:
  development: [develop]
  staging: ["release/v*"]
  production: [master]
environments: [staging]
farm: {kind: simulated, file: world.yaml}
hosts: {user: admin, ssh_key: keys/deploy, known_hosts: keys/known_hosts, port: 2222, deadline: 9s}
state_directory: state
interval: 30s
full_look: 10m
journal: {url: /srv/journal.git, name: bot, email: bot@farm.internal}
policy:
  production: {prune: false, max_disruption: live, max_deletions: {machines_percent: 5}}
log_level: debug
"""


def write(directory: Path, text: str) -> Path:
    file = directory / "reconciler.yaml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return file


def keys(directory: Path) -> None:
    (directory / "keys").mkdir()
    for name in ("deploy", "known_hosts"):
        (directory / "keys" / name).touch(0o600)


def reasons(directory: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(write(directory, text))
    return caught.value.reasons


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    inner = [field.annotation for field in model.model_fields.values()]
    found = [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]
    return [model, *(deeper for each in found for deeper in models(each))]


def test_without_a_file_everything_has_a_default() -> None:
    settings = load_settings(None)
    assert settings == Settings()
    assert settings.interval == timedelta(minutes=1)
    assert settings.full_look == timedelta(minutes=5)
    assert settings.environments == ENVIRONMENTS


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n"])
def test_an_empty_file_is_the_defaults(tmp_path: Path, text: str) -> None:
    settings = load_settings(write(tmp_path, text))
    assert settings == Settings()


def test_every_setting_has_a_default_and_a_description_and_is_closed() -> None:
    for model in models(Settings):
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["frozen"]
        for name, field in model.model_fields.items():
            assert not field.is_required(), f"{model.__name__}.{name} has no default"
            assert field.description, f"{model.__name__}.{name} has no description"


def test_all_settings_are_read_and_paths_start_at_the_file(tmp_path: Path) -> None:
    keys(tmp_path)
    settings = load_settings(write(tmp_path, EVERYTHING))
    assert settings.repository.url == "ssh://git@git.farm.internal/farm.git"
    assert settings.repository.deadline == timedelta(seconds=20)
    assert settings.repository.ssh_key == tmp_path / "keys" / "deploy"
    assert settings.repository.known_hosts == tmp_path / "keys" / "known_hosts"
    assert settings.hosts.ssh_key == tmp_path / "keys" / "deploy"
    assert settings.hosts.known_hosts == tmp_path / "keys" / "known_hosts"
    assert (settings.hosts.user, settings.hosts.port) == ("admin", 2222)
    assert settings.hosts.deadline == timedelta(seconds=9)
    assert settings.branches.by_environment() == {
        "development": ("develop",),
        "staging": ("release/v*",),
        "production": ("master",),
    }
    assert settings.environments == ("staging",)
    assert settings.world_file == tmp_path / "world.yaml"
    assert settings.state_directory == tmp_path / "state"
    assert settings.journal.email == "bot@farm.internal"
    assert settings.policy.floor("production").max_disruption == "live"
    assert settings.policy.floor("production").max_deletions.machines_percent == 5
    assert settings.policy.floor("staging").prune
    assert settings.log_level == "debug"


def test_the_branches_of_both_naming_sets_feed_their_environments_by_default() -> None:
    assert Settings().branches.by_environment() == {
        "development": ("development", "develop"),
        "staging": ("staging", "release/v*", "hotfix/v*"),
        "production": ("production", "main", "master"),
    }


def test_a_simulated_farm_lives_in_the_state_directory_unless_said_otherwise() -> None:
    settings = load_settings(None, overrides={"state_directory": "/state"})
    assert settings.world_file == Path("/state/world.yaml")


def test_the_file_wins_over_defaults_and_the_command_line_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "interval: 30s\nrepository: {deadline: 7s}\n")
    settings = load_settings(
        file,
        defaults={"interval": "9s", "full_look": "9m", "state_directory": Path("/home/a/state")},
        overrides={"repository": {"url": "/srv/farm.git"}},
    )
    assert settings.interval == timedelta(seconds=30)
    assert settings.full_look == timedelta(minutes=9)
    assert settings.state_directory == Path("/home/a/state")
    assert settings.repository.url == "/srv/farm.git"
    assert settings.repository.deadline == timedelta(seconds=7)


def test_all_problems_are_told_at_once_with_line_and_column(tmp_path: Path) -> None:
    text = """\
intervall: 5m
interval: 0s
repository: {url: 5, deadlin: 3s}
branches: {development: []}
environments: [production, production]
policy: {production: {max_disruption: none, max_deletions: {machines_percent: 101}}}
state_directory: 5
"""
    assert reasons(tmp_path, text) == (
        "line 1, column 1: the document has no key 'intervall'; did you mean interval?",
        "line 2, column 1: interval must be at least 1s",
        f"line 3, column 14: repository.url must be text; {QUOTES}",
        "line 3, column 22: repository has no key 'deadlin'; did you mean deadline?",
        "line 4, column 12: branches.development must name at least one",
        "line 5, column 1: environments must not name anything twice",
        f"line 6, column 23: policy.production.max_disruption must be {DISRUPTIONS}",
        "line 6, column 61: policy.production.max_deletions.machines_percent must be at most 100",
        "line 7, column 1: state_directory must be the path of a file or directory",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interval: 60", "must be a duration with a unit"),
        ("full_look: -5m", "is not a duration"),
        ("log_level: loud", "must be 'debug', 'info', 'warning' or 'error'"),
        ("environments: [prod]", "must be 'development', 'staging' or 'production'"),
        ("environments: []", "must name at least one"),
        ("farm: {kind: real, file: x}", "only a simulated farm has a file"),
        ("branches: {staging: [main]}", "main feeds both staging and production"),
        ("branches: {staging: [-x]}", "must be the name of a branch"),
        ("branches: {staging: [a..b]}", "must be the name of a branch"),
        ('branches: {staging: ["a\\n"]}', "must be the name of a branch"),
        ("journal: {email: nobody}", "must be a mail address"),
        ('journal: {name: "a\\nb"}', "must be one line of text"),
        ('journal: {name: ""}', "journal.name"),
        ('state_directory: ""', "must be the path"),
        ('state_directory: "a\\0b"', "must be the path"),
        ("policy: {testing: {}}", "policy has no key 'testing'"),
        ("- interval", "holds no settings"),
        ("interval: 5m\n---\ninterval: 6m", "holds several documents"),
        ("interval: 5m\ninterval: 6m", "is there twice"),
        ("interval: [", "not valid YAML"),
        ("interval: !!python/name:os.system x", "has no place here"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (reason,) = reasons(tmp_path, text)
    assert expected in reason


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "absent.yaml"
    with pytest.raises(SettingsError, match=r"absent\.yaml: No such file.*--config"):
        load_settings(file)


def test_what_the_command_line_says_wrong_is_told_without_a_line() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, overrides={"interval": "soon"})
    assert str(caught.value) == (
        "settings: interval is wrong: 'soon' is not a duration; write a number and s, m, h, d or w"
    )


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().interval = timedelta(0)  # type: ignore[misc]


def test_addresses_that_may_hold_a_password_are_not_shown(tmp_path: Path) -> None:
    url = "https://bot:canary@git.farm.internal/farm.git"
    settings = load_settings(write(tmp_path, f"repository: {{url: '{url}'}}\n"))
    assert settings.repository.url == url
    assert "canary" not in repr(settings)


@pytest.mark.parametrize("value", [["https://bot:canary@host/"], {"canary": 1}, "a\ncanary"])
def test_a_wrong_value_is_not_repeated_as_it_may_be_a_secret(value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, overrides={"repository": {"url": value}})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("user", ["-oProxyCommand=id", "a b", "Root", "", "a@b", "root\\n"])
def test_an_account_on_the_hosts_is_a_name(tmp_path: Path, user: str) -> None:
    (reason,) = reasons(tmp_path, f'hosts: {{user: "{user}"}}\n')
    assert "hosts.user must be the name of an account" in reason


def test_the_way_to_the_hosts_is_as_private_as_that_to_the_repository(tmp_path: Path) -> None:
    keys(tmp_path)
    (tmp_path / "keys" / "deploy").chmod(0o640)
    (tmp_path / "keys" / "known_hosts").chmod(0o666)
    found = reasons(tmp_path, "hosts: {ssh_key: keys/deploy, known_hosts: keys/known_hosts}\n")
    assert [each.split(":")[0] for each in found] == ["hosts.ssh_key", "hosts.known_hosts"]


def test_what_a_real_farm_misses_is_said_with_how_to_make_it() -> None:
    missing = Settings().hosts.missing()
    assert len(missing) == 2
    assert "ssh-keygen" in missing[0]
    assert "ssh-keyscan" in missing[1]
    whole = HostSettings(ssh_key=Path("key"), known_hosts=Path("known_hosts"))
    assert whole.missing() == ()
