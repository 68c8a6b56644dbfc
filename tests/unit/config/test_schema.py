"""JSON Schemas say what the models say, as far as JSON Schema can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.document import Document
from reconciler.config.documents import DOCUMENTS
from reconciler.config.load import MODELS
from reconciler.config.parse import parse
from reconciler.config.schema import document_schema, file_name, patch_schema, schema_files
from tests.documents.corpus import corpus, name_of, place_of, problems_of

ROOT = Path(__file__).resolve().parents[3]
GOOD, BAD = corpus("good"), corpus("bad", "both")
FOR_MODELS_ONLY = corpus("bad", "models")
EXAMPLES = sorted(
    path
    for path in (ROOT / "example-repo").rglob("*.yaml")
    if not path.name.endswith(".sops.yaml")  # which are no documents
)
SHARED = {
    (document.value["kind"], document.value["name"])
    for path in EXAMPLES
    if "environments" not in path.parts
    for document in parse(str(path), path.read_bytes())
}


def validator(model: type[Document], *, patch: bool) -> Draft202012Validator:
    return Draft202012Validator(patch_schema(model) if patch else document_schema(model))


def objections(path: Path, *, patch: bool) -> list[str]:
    """What the schemas have against the documents of a file."""
    return [
        problem
        for document in parse(path.name, path.read_bytes())
        for problem in judged(document.value, patch=patch)
    ]


def judged(value: Any, *, patch: bool) -> Iterator[str]:
    model = MODELS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if model is None:
        yield "no kind"
    else:
        yield from (error.message for error in validator(model, patch=patch).iter_errors(value))


def is_patch(path: Path) -> bool:
    return path.parent.name == "patches"


@pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.__name__)
def test_schemas_are_schemas(model: type[Document]) -> None:
    Draft202012Validator.check_schema(document_schema(model))
    Draft202012Validator.check_schema(patch_schema(model))


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_what_is_good_is_good_to_models_and_schemas(path: Path) -> None:
    assert problems_of(place_of(path), path.read_bytes()) == ()
    assert objections(path, patch=is_patch(path)) == []


@pytest.mark.parametrize("path", BAD, ids=name_of)
def test_what_is_bad_to_both_is_refused_by_models_and_schemas(path: Path) -> None:
    assert problems_of(place_of(path), path.read_bytes())
    assert objections(path, patch=is_patch(path))


@pytest.mark.parametrize("path", FOR_MODELS_ONLY, ids=name_of)
def test_what_only_models_can_tell_is_refused_by_them_alone(path: Path) -> None:
    assert problems_of(place_of(path), path.read_bytes())
    assert objections(path, patch=is_patch(path)) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_example_farm_obeys_the_schemas(path: Path) -> None:
    for document in parse(str(path), path.read_bytes()):
        key = document.value["kind"], document.value["name"]
        patch = "environments" in path.parts and key in SHARED
        assert list(judged(document.value, patch=patch)) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_editors_find_the_schema_that_an_example_names(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    if first.startswith("# yaml-language-server:"):
        schema = (path.parent / first.rpartition("=")[2]).resolve()
        kinds = [document.value["kind"] for document in parse(str(path), path.read_bytes())]
        assert schema.is_file()
        assert {schema.name} == {file_name(MODELS[kind]) for kind in kinds}


def test_the_schemas_in_the_repository_are_fresh() -> None:
    for name, text in schema_files().items():
        file = ROOT / "schemas" / name
        assert file.read_text(encoding="utf-8") == text, f"{name} is stale; run make schemas"


def fields_of(schema: Any) -> Iterator[tuple[str, Any]]:
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {}).items()


@pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.__name__)
def test_every_field_says_what_it_is_for(model: type[Document]) -> None:
    for name, field in (*fields_of(document_schema(model)), *fields_of(patch_schema(model))):
        assert name == "kind" or field.get("description"), f"{name} has no description"


@pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.__name__)
def test_every_mapping_is_closed(model: type[Document]) -> None:
    schema = document_schema(model)
    for part in (schema, *schema.get("$defs", {}).values()):
        assert part["additionalProperties"] is False


def test_file_names_are_those_of_the_kinds() -> None:
    assert {
        json.loads(text)["properties"]["kind"]["const"] for text in schema_files().values()
    } == {*MODELS}
    assert {"virtual-machine.json", "patch/virtual-machine.json"} <= schema_files().keys()
    assert len(schema_files()) == 2 * len(DOCUMENTS)
