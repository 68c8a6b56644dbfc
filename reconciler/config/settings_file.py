"""Reading `reconciler.yaml`: all problems at once, and the files that it names are checked too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.config.complaints import complaints
from reconciler.config.forge_settings import ForgeSettings
from reconciler.config.merge import Located, locate
from reconciler.config.parse import parse
from reconciler.config.secret_settings import SecretSettings
from reconciler.config.settings import HostSettings, RepositorySettings, Settings
from reconciler.config.signer_settings import SignerSettings
from reconciler.errors import ConfigError, SettingsError
from reconciler.model.position import Problem

_PASSWORD = re.compile(r"://[^/@]*:[^/@]+@")


def load_settings(
    file: Path | None,
    *,
    defaults: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings of a file over `defaults` and below `overrides`, all in the form of the file.

    Without a file the defaults stand. Relative paths start at the directory of the file.

    Raises:
        SettingsError: every problem of the file, with line and column, and of the files it names.
    """
    written = _read(file) if file else Located({}, {})
    values = _over(_over(defaults or {}, written.value), overrides or {})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        found = complaints(Located(values, written.marks), Settings, error)
        raise _settings_error(file, found) from error
    settings = _anchored(settings, file.parent if file else Path())
    if reasons := list(_file_problems(settings, file)):
        raise SettingsError(str(file or "settings"), reasons)
    return settings


def check_private(path: Path) -> str:
    """What is wrong with a file that holds a secret, and what to do; empty if nothing is."""
    return _permission_problem(path, 0o077, "others may read it", "600")


def _read(file: Path) -> Located:
    try:
        documents = parse(str(file), file.read_bytes())
    except OSError as error:
        reason = f"{error.strerror or error}; create it, or name another file with --config"
        raise SettingsError(str(file), [reason]) from error
    except ConfigError as error:
        raise _settings_error(file, error.problems) from error
    if len(documents) > 1:
        raise SettingsError(str(file), ["holds several documents; remove the --- lines"])
    if documents and not isinstance(documents[0].value, dict):
        raise SettingsError(str(file), ["holds no settings; write lines of the form name: value"])
    return locate(documents[0]) if documents else Located({}, {})


def _settings_error(file: Path | None, problems: Iterable[Problem]) -> SettingsError:
    """All problems in the order of the file."""
    reasons = []
    for each in sorted(problems):
        line, column = each.position.line, each.position.column
        where = f"line {line}, column {column}: " if file else ""
        reasons.append(where + each.what + (f"; {each.remedy}" if each.remedy else ""))
    return SettingsError(str(file or "settings"), reasons)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the upper winning; mappings inside are merged the same way."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(under, value)
        else:
            merged[key] = value
    return merged


def _anchored(settings: Settings, directory: Path) -> Settings:
    """The settings with every path starting at the directory of their file."""

    def at(path: Path | None) -> Path | None:
        return directory / path if path else None

    def reached(by: RepositorySettings | HostSettings) -> dict[str, Path | None]:
        return {"ssh_key": at(by.ssh_key), "known_hosts": at(by.known_hosts)}

    repository, farm, hosts = settings.repository, settings.farm, settings.hosts
    return settings.model_copy(
        update={
            "repository": repository.model_copy(update=reached(repository)),
            "hosts": hosts.model_copy(update=reached(hosts)),
            "farm": farm.model_copy(update={"file": at(farm.file)}),
            "secrets": SecretSettings(**{each: at(f) for each, f in settings.secrets.files()}),
            "state_directory": directory / settings.state_directory,
            "forge": _forge_at(settings.forge, directory),
            "hooks": {name: hook.at(directory) for name, hook in settings.hooks.items()},
            "signers": SignerSettings(**{n: at(f) for n, f in settings.signers.files().items()}),
        }
    )


def _forge_at(forge: ForgeSettings | None, directory: Path) -> ForgeSettings | None:
    if forge is None:
        return None
    files = {"token_file": forge.token_file, "ca_file": forge.ca_file}
    named = {name: directory / file for name, file in files.items() if file}
    return forge.model_copy(update=named)


def _file_problems(settings: Settings, file: Path | None) -> Iterator[str]:
    yield from _key_problems(settings)
    for name, identity in settings.secrets.files():
        if problem := check_private(identity):
            yield f"secrets.{name}: {problem}"
    yield from _signer_problems(settings)
    yield from _forge_problems(settings.forge)
    yield from _hook_problems(settings)
    for name, url in (("repository", settings.repository.url), ("journal", settings.journal.url)):
        if file and _PASSWORD.search(url or "") and (problem := check_private(file)):
            yield f"{name}.url: holds a password, so this file is a secret: {problem}"


def _key_problems(settings: Settings) -> Iterator[str]:
    for section, by in (("repository", settings.repository), ("hosts", settings.hosts)):
        if by.ssh_key and (problem := check_private(by.ssh_key)):
            yield f"{section}.ssh_key: {problem}"
        if by.known_hosts and (problem := _pins_problem(by.known_hosts)):
            yield f"{section}.known_hosts: {problem}"


def _forge_problems(forge: ForgeSettings | None) -> Iterator[str]:
    token = forge.token_file if forge else None
    # Without the file nothing is told to the forge; that is no reason to leave the farm alone.
    if token and token.exists() and (problem := check_private(token)):
        yield f"forge.token_file: {problem}"


def _hook_problems(settings: Settings) -> Iterator[str]:
    for name, hook in settings.hooks.items():
        # Without the file there is no such webhook; that is no reason to leave the farm alone.
        if hook.secret_file.exists() and (problem := check_private(hook.secret_file)):
            yield f"hooks.{name}.secret_file: {problem}"


def _signer_problems(settings: Settings) -> Iterator[str]:
    for name, file in settings.signers.files().items():
        if problem := _pins_problem(file):
            yield f"signers.{name}: {problem}"
    for environment, floor in settings.gates.by_environment().items():
        if settings.signers.is_empty and floor.signatures != "none":
            yield (
                f"gates.{environment}.signatures is {floor.signatures}, but nobody's key is "
                "allowed; name a file of keys in signers.ssh or signers.gpg"
            )


def _pins_problem(path: Path) -> str:
    return _permission_problem(path, 0o022, "others may write it", "644")


def _permission_problem(path: Path, forbidden: int, what: str, mode: str) -> str:
    try:
        found = path.stat().st_mode & 0o777
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    if not path.is_file():
        return f"{path} is not a file"
    return f"{what} (mode {found:04o}); chmod {mode} {path}" if found & forbidden else ""
