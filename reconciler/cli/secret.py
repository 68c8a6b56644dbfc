"""`reconciler secret`: values into encrypted files, and never through an argument or a disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reconciler.cli.command import HELP, Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option
from reconciler.cli.private_edit import edited, private_file
from reconciler.cli.repository import settings_of
from reconciler.cli.secret_files import keys_of, opened, secret_paths
from reconciler.cli.terminal import remark, screen
from reconciler.config.secrets import SecretFile, read_secrets
from reconciler.daemon.clock import SystemClock
from reconciler.drivers.sops.document import (
    Document,
    encrypted_again,
    finished,
    readable,
    with_secret,
)
from reconciler.errors import ConfigError
from reconciler.model.secret import SCHEME, SecretReference
from reconciler.plan.show.escape import visible
from reconciler.plan.show.json import json_text

LONGEST_BYTES = 512 * 1024

into_option = click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The work tree of the config repository. Default: the current directory.",
)
identity_option = click.option(
    "--identity",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Your age key, as age-keygen makes it. Default: those of the settings.",
)


@click.group("secret", context_settings={"help_option_names": HELP})
def secret() -> None:
    """Set, edit and list encrypted values."""


@command("set")
@click.argument("file")
@click.argument("key")
@into_option
@identity_option
@click.pass_obj
def set_(given: Given, file: str, key: str, into: Path, identity: Path | None) -> Exit:
    """Set one value of an encrypted file, or make the file.

    FILE is NAME or secrets/NAME.sops.yaml, KEY the key with a dot for each level. The value comes
    from the standard input or, on a terminal, from a prompt that shows nothing; of a value of one
    line the line's end is left out. Other values stay as they are, with their versions. A new file
    is encrypted by the rules in .sops.yaml; of one that is there, a key that reads it is needed.
    """
    keys = tuple(key.split("."))
    if not all(keys):
        raise Failure(f"{key!r} is no key; write NAME, or NAME.NAME for what is below another")
    kept = opened(into, file, keys_of(settings_of(given), identity))
    keys = _existing(kept.document, key) or keys
    value = _value(f"{kept.file} {key}")
    try:
        document = with_secret(kept.document, keys, value, os.urandom)
    except ValueError as error:
        raise Failure(f"{kept.file}: {error}") from None
    _tell(kept.file, is_written=kept.write(document))
    if _reference(kept.file, key) is None:
        remark(f"no reference can name {key}: a key has at most 64 of a-z, 0-9, ., _ and -")
    return Exit.SAME


@command("edit")
@click.argument("file")
@into_option
@identity_option
@click.pass_obj
def edit(given: Given, file: str, into: Path, identity: Path | None) -> Exit:
    """Change an encrypted file in an editor, or make it.

    The editor is $VISUAL or $EDITOR. The values are in a file in memory meanwhile that only you may
    read, and that is removed however the editor ends. What was not changed keeps its version.
    """
    kept = opened(into, file, keys_of(settings_of(given), identity))
    with private_file(Path(kept.file).name) as path:
        document = _edited(kept.document, path)
    _tell(kept.file, is_written=kept.write(document))
    return Exit.SAME


@command("list")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@into_option
@format_option(Format.TEXT, Format.JSON)
def list_(files: tuple[str, ...], into: Path, form: Format) -> Exit:
    """Show the keys of encrypted files, their versions, and who can read them.

    No key is needed, and no value is shown.
    """
    paths = secret_paths(into)
    wanted = [path for path in paths if not files or {path, _name(path)} & set(files)]
    if unknown := set(files) - {name for path in paths for name in (path, _name(path))}:
        raise Failure(f"there is no file {', '.join(sorted(unknown))} in {into}")
    found = [(path, read_secrets(path, (into / path).read_bytes())) for path in wanted]
    if form is Format.JSON:
        click.echo(json_text([_told(path, each) for path, each in found]))
    else:
        _show(found)
    return Exit.SAME


def _edited(document: Document, path: Path) -> Document:
    """What a person makes of a document, asked again until it can be encrypted."""
    text = readable(document)
    while True:
        new = edited(path, text)
        if new == text and text == readable(document):
            return document
        try:
            made = encrypted_again(document, new, os.urandom)
            finished(made, SystemClock().now(), os.urandom)
        except ConfigError as error:
            remark(f"this cannot be encrypted:\n{error}")
            if not (sys.stdin.isatty() and click.confirm("Edit it again?", default=True)):
                raise Failure(f"nothing was written to {document.file}") from None
            text = new
        else:
            return made


def _value(what: str) -> str:
    """The value from the standard input, or asked for without being shown."""
    if sys.stdin.isatty():
        asked: str = click.prompt(f"Value of {what}", hide_input=True, confirmation_prompt=True)
        return asked
    content = sys.stdin.buffer.read(LONGEST_BYTES + 1)
    if len(content) > LONGEST_BYTES:
        raise Failure(f"the value has more than {LONGEST_BYTES} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Failure("the value is not text in UTF-8; encode it, such as with base64") from None
    is_one_line = text.endswith("\n") and text.count("\n") == 1
    text = text.removesuffix("\n").removesuffix("\r") if is_one_line else text
    if not text:
        raise Failure("there is no value on the standard input, and what is empty is no secret")
    return text


def _existing(document: Document, key: str) -> tuple[str, ...] | None:
    """The keys of the value that has this name already, as with a dot in a key."""
    if not document.body:
        return None
    found = read_secrets(document.file, document.text.encode()).sealed.get(key)
    return found.path if found else None


def _tell(file: str, *, is_written: bool) -> None:
    screen().say(visible(f"{'wrote' if is_written else 'nothing changed in'} {file}"))


def _name(path: str) -> str:
    return Path(path).name.partition(".")[0]


def _reference(file: str, key: str) -> SecretReference | None:
    try:
        return SecretReference.parse(f"{SCHEME}{_name(file)}/{key}")
    except ValueError:
        return None


def _told(path: str, file: SecretFile) -> dict[str, Any]:
    versions = {str(each.reference): each.version for each in file.sealed.values()}
    return {"file": path, "readers": list(file.readers), "secrets": versions}


def _show(found: list[tuple[str, SecretFile]]) -> None:
    say: Callable[[str], None] = screen().say
    for path, file in found:
        say(visible(f"{path} (readers: {', '.join(file.readers)})"))
        width = max((len(str(each.reference)) for each in file.sealed.values()), default=0)
        for each in file.sealed.values():
            say(visible(f"  {each.reference!s:{width}}  {each.version}"))
    if not found:
        say("No encrypted files.")


for _command in (set_, edit, list_):
    secret.add_command(_command)
