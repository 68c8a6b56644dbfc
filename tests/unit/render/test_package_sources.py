"""The file of a package source says what its document says, and nothing else."""

from __future__ import annotations

from reconciler.config.base import PackageSourceField
from reconciler.render.package_sources import HEAD, source_file
from tests.documents.specimens import HOST

SOURCE = PackageSourceField.model_validate(HOST["package_sources"][0])


def paragraph(text: str) -> dict[str, list[str]]:
    """A deb822 paragraph as apt reads it: fields go on in lines that begin with a blank."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        assert line.strip(), "an empty line would begin another paragraph"
        if line.startswith(" "):
            fields[name].append("" if line == " ." else line[1:])
        else:
            name, _, value = line.partition(":")
            assert name not in fields
            fields[name] = [value.strip()]
    return fields


def test_a_source_has_its_fields_and_its_key_in_one_paragraph() -> None:
    fields = paragraph(source_file(SOURCE))
    assert source_file(SOURCE).startswith(HEAD)
    key = fields.pop("Signed-By")
    assert "\n".join(key[1:]) == SOURCE.key
    assert fields == {
        "Types": ["deb deb-src"],
        "URIs": ["https://packages.example/debian"],
        "Suites": ["bookworm-backports"],
        "Components": ["main non-free/firmware"],
        "Architectures": ["amd64"],
    }


def test_what_is_not_said_is_not_there() -> None:
    least = SOURCE.model_copy(update={"components": (), "architectures": (), "key": None})
    assert paragraph(source_file(least)).keys() == {"Types", "URIs", "Suites"}
