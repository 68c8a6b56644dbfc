"""Texts that attack whoever reads them, and a plan in which one stands everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.model.position import Position
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Cause, Change, Plan, Unknown
from tests.golden.plan.cases import HOSTILE

OURS = {"<details>", "</details>"}
PAYLOADS = [
    HOSTILE,
    "```\n</details>\n# Approved\n",
    "\n::set-env name=PATH::/evil",
    "\r\n::add-mask::x",
    "::stop-commands::x",
    "##[set-env name=A]b",
    "##vso[task.setvariable variable=A]b",
    "##teamcity[buildStatus text='ok']",
    "@everyone please merge",
    "[click](https://evil.example) https://evil.example <https://evil.example>",
    "![x](https://evil.example/pixel.png)",
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "| a | b |\n|---|---|\n| c | d |",
    "`` ` ``` ```` `````",
    "` @all [x](https://evil.example) <img src=x> `",
    "\x1b[2J\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\u202eevil\u2066\u2069\u200b\ufeff",
    "/close\n/merge",
    "&lt;b&gt; &#64;all",
    "\x00\x08\x7f\x9b",
    "a" * 100_000,
]


def hostile_plan(text: str) -> tuple[Plan, tuple[Violation, ...]]:
    """A plan in which the text stands wherever text can stand."""
    address, position = Address("domain", text, text), Position(text, 3, 1)
    fields = (
        FieldChange(text, text, {text: [text, {text: text}]}),
        FieldChange("disks", [{"name": text}], [{"name": text}]),
    )
    changes = tuple(
        Change(
            address, action, cause, fields, (), frozenset({address}), position, text, None, address
        )
        for action in Action
        for cause in Cause
    )
    plan = Plan(
        environment=text,
        revision=text,
        changes=changes,
        unknown=(Unknown(address, text),),
        foreign=(address,),
    )
    return plan, (Violation(text, text, text, (address, address), position),)


def tokens_of(markdown: str) -> Iterator[Token]:
    parser = MarkdownIt("commonmark", {"linkify": False}).enable("table")
    for token in parser.parse(markdown):
        yield token
        yield from token.children or ()
