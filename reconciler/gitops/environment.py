"""What git finds when it looks around: nothing of the user's or the system's configuration.

Settings are given in the environment, never as arguments, and count for this one child only. What
another git on this machine has to know (the one that serves a local remote) is in a file of ours.
"""

from __future__ import annotations

import base64
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.gitops.url import Remote

# Enough to find ssh and a proxy and to log in; nothing that git itself listens to.
_PASSED_ON = (
    "HOME",
    "HTTPS_PROXY",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "USER",
    "https_proxy",
    "no_proxy",
)
_FIXED = {
    "GIT_ASKPASS": "true",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "SSH_ASKPASS_REQUIRE": "never",
}
_SETTINGS = (
    ("core.attributesFile", "/dev/null"),
    ("core.filesRefLockTimeout", "2000"),
    ("core.fsmonitor", "false"),
    ("core.fsyncMethod", "fsync"),
    ("core.hooksPath", "/dev/null"),
    ("fetch.fsckObjects", "true"),
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("http.followRedirects", "false"),  # a login goes to the server it is meant for
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("transfer.fsckObjects", "true"),
)
_SSH_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=20",
    "ServerAliveCountMax=3",
    "ServerAliveInterval=10",
    "StrictHostKeyChecking=yes",
)


@dataclass(frozen=True, slots=True)
class Access:
    """The operator's files for ssh: a private key, the host keys to trust. None means ssh's own."""

    key: Path | None = None
    known_hosts: Path | None = None


def git_environment(
    remote: Remote | None = None,
    access: Access | None = None,
    shared_settings: Path | None = None,
    *,
    durable: bool = True,
) -> dict[str, str]:
    """The whole environment of a git process that may speak to `remote` and to nobody else.

    `shared_settings` is a file that the git which serves a local remote reads too. What a git that
    is not `durable` writes may be lost in a power failure; it can be had again.
    """
    inherited = os.environ  # noqa: TID251 - PATH, HOME and proxies are for git and ssh, not for us
    environment = {name: inherited[name] for name in _PASSED_ON if name in inherited}
    environment |= _FIXED
    if "SSL_CERT_FILE" in environment:  # a git that is built with GnuTLS does not look at it
        environment["GIT_SSL_CAINFO"] = environment["SSL_CERT_FILE"]
    environment["GIT_CONFIG_GLOBAL"] = str(shared_settings or "/dev/null")
    environment["GIT_ALLOW_PROTOCOL"] = remote.protocol if remote else "none"
    environment["GIT_SSH_COMMAND"] = _ssh(access or Access())
    environment["GIT_SSH_VARIANT"] = "ssh"
    synced = "all" if durable else "committed"
    settings = (*_SETTINGS, ("core.fsync", synced), *_remote_settings(remote))
    return with_settings(environment, settings)


def shared_settings(remote: Remote) -> str:
    """The settings file for a local remote, which may belong to another user of this machine."""
    if remote.directory is None:
        return ""
    places = (remote.directory, remote.directory / ".git")
    lines = "".join(f"\tdirectory = {_quoted(str(place))}\n" for place in places)
    return f"[safe]\n{lines}"


def _remote_settings(remote: Remote | None) -> Iterable[tuple[str, str]]:
    if remote is not None:
        yield "remote.origin.url", remote.url
        if remote.password is not None:
            login = f"{remote.user or ''}:{remote.password}".encode()
            header = "Authorization: Basic " + base64.b64encode(login).decode()
            yield "http.extraHeader", header


def with_settings(
    environment: Mapping[str, str], settings: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """The environment of a git process with more settings, which count over all others."""
    count = int(environment.get("GIT_CONFIG_COUNT", "0"))
    variables = dict(environment)
    for key, value in settings:
        variables[f"GIT_CONFIG_KEY_{count}"] = key
        variables[f"GIT_CONFIG_VALUE_{count}"] = value
        count += 1
    return variables | {"GIT_CONFIG_COUNT": str(count)}


def _ssh(access: Access) -> str:
    command = ["ssh"]
    for option in _SSH_OPTIONS:
        command += ["-o", option]
    if access.key is not None:
        command += ["-o", "IdentitiesOnly=yes", "-i", _for_ssh(access.key)]
    if access.known_hosts is not None:
        command += ["-o", f'UserKnownHostsFile="{_for_ssh(access.known_hosts)}"']
    return shlex.join(command)


def _for_ssh(path: Path) -> str:
    """A path in which ssh, which knows `%h` and the like, replaces nothing."""
    return str(path).replace("%", "%%")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
