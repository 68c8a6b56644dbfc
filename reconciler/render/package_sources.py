"""The deb822 file of a package source, as apt reads it (sources.list(5))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.config.base import PackageSourceField

HEAD = "# Written by reconciler; change it in git.\n"


def source_file(source: PackageSourceField) -> str:
    """What the file says. Its fields hold no line breaks but those of the key."""
    return HEAD + "".join(f"{name}:{value}\n" for name, value in _fields(source))


def _fields(source: PackageSourceField) -> Iterator[tuple[str, str]]:
    yield "Types", _words(source.types)
    yield "URIs", _words([source.url])
    yield "Suites", _words(source.suites)
    if source.components:
        yield "Components", _words(source.components)
    if source.architectures:
        yield "Architectures", _words(source.architectures)
    if source.key:
        yield "Signed-By", "".join(f"\n {line or '.'}" for line in source.key.splitlines())


def _words(words: Iterable[str]) -> str:
    return "".join(f" {word}" for word in words)
