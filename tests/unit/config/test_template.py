"""A new config repository validates as it is: for every environment, and by the schemas."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.load import MODELS, environments_of, load
from reconciler.config.parse import parse
from reconciler.config.schema import document_schema
from reconciler.config.template import ENVIRONMENTS, new_repository
from reconciler.render.farm import claims_of, farm_problems
from tests.documents.corpus import FileTree

FILES = {path: text.encode() for path, text in new_repository("my-farm", "farm.test").items()}


def test_it_has_the_three_environments() -> None:
    assert environments_of(FileTree(FILES)) == tuple(sorted(ENVIRONMENTS))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_loads(environment: str) -> None:
    documents = load(FileTree(FILES), environment)
    assert documents.farm.name == "my-farm"
    assert str(documents.policy.domain).endswith("farm.test")


def test_the_environments_do_not_clash() -> None:
    loaded = {each: load(FileTree(FILES), each) for each in ENVIRONMENTS}
    claims = {each: claims_of(documents) for each, documents in loaded.items()}
    for each, documents in loaded.items():
        others = {name: other for name, other in loaded.items() if name != each}
        assert farm_problems(documents, others, claims) == ()


def test_production_is_the_most_careful() -> None:
    limits = {each: load(FileTree(FILES), each).policy.max_disruption for each in ENVIRONMENTS}
    assert limits == {
        "development": "data-loss",
        "staging": "replace",
        "production": "restart",
    }


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith(".yaml")])
def test_it_obeys_the_schemas(path: str) -> None:
    for document in parse(path, FILES[path]):
        schema = document_schema(MODELS[document.value["kind"]])
        assert list(Draft202012Validator(schema).iter_errors(document.value)) == []


def test_it_tells_a_person_what_is_what() -> None:
    assert "farm.yaml" in FILES["README.md"].decode()
