"""What is said at the site: every command, in every format, and what shows each trouble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from reconciler.cli.main import COMMANDS, main
from tests.sealed.planted import Planted

Words = tuple[str, ...]
HERE = ("-e", "production")
_LOOKS = {"validate", "plan", "review", "sync", "promote", "status", "drift", "doctor"}

# The words after each command. {…} are places of the site; a format is added for each there is.
TABLE: Mapping[str, Sequence[Words]] = {
    "init": (("{root}/new",), ("{tree}",)),
    "validate": (("--branch", "production"), ("--branch", "nowhere")),
    "plan": (
        HERE,
        (*HERE, "--world", "journal"),
        (*HERE, "--branch", "feature/contact", "--world", "empty"),
        ("-e", "development"),
    ),
    "review": (
        ("--branch", "feature/contact", "--into", "production", "--out", "{root}/out",
         "--pull-request", "1"),
        ("--branch", "feature/contact", "--into", "production", "--world", "empty",
         "--forge", "gitea", "--forge-url", "{forge}", "--forge-project", "acme/farm",
         "--forge-token-file", "{op}/ci-token", "--pull-request", "1"),
    ),
    "sync": ((*HERE, "--dry-run"), ("--all",)),
    "rollback": (("production", "--reason", "looking"), ("staging", "--to", "production~1")),
    "run": (),  # runs until it is stopped: see the test of it
    "approve": (HERE, (*HERE, "--branch", "feature/contact")),
    "promote": (("development", "staging"), ("staging", "production", "--dry-run")),
    "hotfix start": (("v9.9.9",), ()),
    "hotfix finish": (("v9.9.9",), ()),
    "status": ((), HERE, ("--matrix",)),
    "drift": (HERE,),
    "hold": (("staging", "--reason", "looking", "--until", "1h", "--by", "Ada"),),
    "release": (("staging", "--by", "Ada"), ("development", "--by", "Ada")),
    "history": ((*HERE, "--changes"),),
    "allocate": ((*HERE, "--into", "{tree}", "--check"),),
    "network show": ((), ("lan",)),
    "adopt machines": (("--host", "virt2", "--into", "{tree}", *HERE),),
    "adopt zone": (
        ("farm.internal", "--from-server", "127.0.0.1", "--port", "1", "--key", "{op}/tsig",
         "--server", "ns", "--into", "{tree}", *HERE),
    ),
    "accept": (
        ("zone/farm.internal", "--into", "{tree}", *HERE),
        ("file@virt2/etc-app.conf", "--into", "{tree}", *HERE),
    ),
    "trash list": ((),),
    "trash restore": (("nothing",),),
    "trash purge": (("--all", "--yes"),),
    "doctor": ((), HERE),
    "host bootstrap": (
        ("virt2", "--dry-run", "--rescue"),
        ("virt2", "--rescue", "--password-file", "{op}/password", "--yes-i-typed", "virt2",
         "--host-key", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("virt2", "--key", "{op}/bootstrap",
         "--host-key", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ),
    "secret set": (
        ("production", "s0", "--into", "{tree}"),  # of nothing, so that it is refused
        ("production", "s0", "--into", "{tree}", "--identity", "{op}/token"),
    ),
    "secret edit": (
        ("production", "--into", "{tree}", "--identity", "{op}/password"),
        ("production", "--into", "{tree}", "--identity", "{op}/age-production"),
    ),
    "secret list": (("--into", "{tree}"),),
    "schema": ((), ("Host",)),
    "demo": (("--directory", "{tree}"),),  # refused: it is not empty; the demo has no secrets
}  # fmt: skip


def commands() -> Iterator[str]:
    """The names of all commands, those of groups with their group's."""
    with click.Context(main) as context:
        for name in COMMANDS:
            command = main.get_command(context, name)
            if isinstance(command, click.Group):
                yield from (f"{name} {each}" for each in command.commands)
            else:
                yield name


def lines(site: Planted, settings: str = "reconciler.yaml") -> list[list[str]]:
    """The command lines of the table, in its order and in every format."""
    places = {"root": site.root, "tree": site.tree, "op": site.op, "forge": site.forge.url}
    head = ["--config", str(site.op / settings), "-v"]
    return [
        [*head, *name.split(), *(word.format(**places) for word in words), *form]
        for name, cases in TABLE.items()
        for words in cases
        for form in _formats(name)
    ]


def looks(site: Planted, settings: str = "reconciler.yaml") -> list[list[str]]:
    """The command lines that a trouble shows in: some, each once and in its first format."""
    found: dict[str, list[str]] = {}
    for words in lines(site, settings):
        if words[3] in _LOOKS and "--dry-run" not in words:
            found.setdefault(words[3], words)
    return list(found.values())


def _formats(name: str) -> list[list[str]]:
    with click.Context(main) as context:
        command: click.Command | None = main
        for word in name.split():
            assert isinstance(command, click.Group)
            command = command.get_command(context, word)
    assert command is not None
    for parameter in command.params:
        if parameter.name == "form" or "--format" in parameter.opts:
            assert isinstance(parameter.type, click.Choice)
            return [
                ["--format", str(getattr(each, "value", each))] for each in parameter.type.choices
            ]
    return [[]]
