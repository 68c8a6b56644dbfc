"""The secrets of webhooks, read from their files: one a line, for their owner only."""

from __future__ import annotations

from pathlib import Path

from reconciler.config.hook_settings import HookSettings
from reconciler.config.settings_file import check_private
from reconciler.errors import SettingsError
from reconciler.web.forms import FORMS

SHORTEST = 16
MOST = 8
MOST_BYTES = 16 * 1024
_MAKE_ONE = "make one with openssl rand -hex 32"


def read_keys(hook: HookSettings) -> tuple[bytes, ...]:
    """The keys that sign the deliveries of a webhook; at least one.

    Raises:
        SettingsError: the file cannot be read, is not private, or holds no good secret. What is
            said never shows anything of it.
    """
    file = hook.secret_file
    if problem := check_private(file):
        raise SettingsError(str(file), [problem])
    lines = _lines(file)
    if not lines:
        raise SettingsError(str(file), [f"holds no secret; {_MAKE_ONE}"])
    if len(lines) > MOST:
        raise SettingsError(str(file), [f"holds more than {MOST} secrets; remove the old ones"])
    if reasons := [why for number, each in lines if (why := _weakness(number, each))]:
        raise SettingsError(str(file), reasons)
    return tuple(_key(hook, number, each) for number, each in lines)


def _lines(file: Path) -> list[tuple[int, str]]:
    try:
        with file.open("rb") as stream:
            text = stream.read(MOST_BYTES + 1)
        lines = text.decode().splitlines()
    except OSError as error:
        raise SettingsError(str(file), [error.strerror or str(error)]) from error
    except UnicodeDecodeError:
        raise SettingsError(str(file), ["is not text"]) from None
    if len(text) > MOST_BYTES:
        raise SettingsError(str(file), [f"holds more than {MOST_BYTES} bytes"])
    stripped = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return [(number, line) for number, line in stripped if line]


def _weakness(number: int, secret: str) -> str:
    if len(secret) < SHORTEST:
        return f"line {number}: the secret is shorter than {SHORTEST} letters; {_MAKE_ONE}"
    return ""


def _key(hook: HookSettings, number: int, secret: str) -> bytes:
    try:
        return FORMS[hook.kind].key(secret)
    except ValueError as error:
        raise SettingsError(str(hook.secret_file), [f"line {number}: {error}"]) from None
