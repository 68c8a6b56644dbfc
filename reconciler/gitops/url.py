"""Where the config repository is: an address that git may be given, and how it is shown.

Git takes more for an address than a place: `ext::` runs a command, a leading dash is an option of
git or of ssh. Addresses come from the operator's settings only, and even so each one is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reconciler.errors import SettingsError

_LONGEST = 2048
_HELPER = re.compile(r"\A[A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"\A(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])\Z")
_USER = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}\Z")
_SCP = re.compile(r"\A(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]/]+\]|[^:/\[\]]+):(?P<path>.*)\Z")
_LOGIN = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s]*@")


@dataclass(frozen=True, slots=True)
class Remote:
    """A checked address.

    `url` is what git is given, without a password; `password` belongs to `user` of an https
    address. `directory` is set if the repository is on this machine.
    """

    url: str
    protocol: str
    directory: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return mask(self.url)


def mask(text: str) -> str:
    """The text with the login taken out of every URL in it."""
    return _LOGIN.sub(r"\g<scheme>***@", text)


def check_url(text: str, *, allow_file: bool = True) -> Remote:
    """The remote that the operator's setting names.

    `ssh://`, `https://`, `user@host:path` and, with `allow_file`, `file://` and paths of this
    machine are allowed.

    Raises:
        SettingsError: it is no address of these forms, or holds something git may take for an
            option or a command.
    """
    reason = _suspicious(text)
    if reason:
        raise _refused(text, reason)
    scheme = _SCHEME.match(text)
    if scheme is not None:
        remote = _from_url(text, scheme["scheme"].lower())
    elif (scp := _SCP.match(text)) is not None and not text.startswith(("/", ".", "~")):
        remote = _from_scp(text, scp)
    else:
        remote = _local(text, Path(text).expanduser().absolute())
    if remote.directory is not None and not allow_file:
        raise _refused(text, "directories of this machine are not allowed here")
    return remote


def _suspicious(text: str) -> str:
    if not text or len(text) > _LONGEST:
        return f"it is empty or longer than {_LONGEST} characters"
    if not text.isprintable() or " " in text:
        return "it holds a space or a character that is not printable"
    if text.startswith("-"):
        return "it begins with a dash"
    if _HELPER.match(text):
        return "it names a transport helper, which may run a command"
    return ""


def _from_url(text: str, scheme: str) -> Remote:
    parts = urlsplit(text)
    if scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            raise _refused(text, "a file address has no host; write file:///path")
        return _local(text, Path(unquote(parts.path)))
    if scheme not in {"ssh", "https"}:
        raise _refused(text, f"{scheme} is not allowed; use ssh or https")
    _check_place(text, unquote(parts.username or "") or None, _host(text), unquote(parts.path))
    if scheme == "ssh":
        if parts.password is not None:
            raise _refused(text, "ssh takes no password here; use a key")
        return Remote(text, "ssh", user=parts.username)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if password is None and user is not None:
        return Remote(text, "https", user=user)
    return Remote(bare.geturl(), "https", user=user, password=password)


def _from_scp(text: str, match: re.Match[str]) -> Remote:
    _check_place(text, match["user"], match["host"], match["path"])
    return Remote(text, "ssh", user=match["user"])


def _local(text: str, path: Path) -> Remote:
    if not path.is_absolute():
        raise _refused(text, "a file address must name a full path; write file:///path")
    return Remote(path.as_uri(), "file", directory=path)


def _host(text: str) -> str:
    """The host with its brackets, which `urlsplit` takes away.

    Raises:
        SettingsError: the port is no number.
    """
    parts = urlsplit(text)
    try:
        parts.port  # noqa: B018 - reading it is the check
    except ValueError as error:
        raise _refused(text, "its port is not a number up to 65535") from error
    host = unquote(parts.hostname or "")
    return f"[{host}]" if ":" in host else host


def _check_place(text: str, user: str | None, host: str, path: str) -> None:
    if user is not None and _USER.match(user) is None:
        raise _refused(text, "its user name begins with a dash or holds odd characters")
    if _HOST.match(host) is None:
        raise _refused(text, "its host name is missing, begins with a dash or holds odd characters")
    if path.lstrip("/").startswith("-") or not path.isprintable() or not path.strip("/"):
        raise _refused(text, "its path is missing, begins with a dash or is not printable")


def _refused(text: str, reason: str) -> SettingsError:
    shown = mask(text[:200])
    return SettingsError("repository", (f"{shown!r} cannot be used: {reason}",))
