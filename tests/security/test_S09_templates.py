"""S09: nothing in the repository is a template: what looks like one stays so, or is refused."""

from __future__ import annotations

import pytest

from reconciler.config.load import MODELS, load
from reconciler.render.render import render
from tests.documents.corpus import FARM, FileTree, problems_of
from tests.documents.specimens import PLACES, SPECIMENS, Path, as_yaml, at, changed, every_text

PAYLOADS = (
    "{{7*7}}",
    "{{ ''.__class__.__mro__ }}",
    "{% for i in range(999999999) %}x{% endfor %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "%(name)s",
    "{name}",
    "{0.__class__}",
    "{name.__class__.__init__.__globals__}",
    "$(id)",
    "`id`",
    "$name",
    "{{'a'*1000000000}}",
    "!ENV x",
)


@pytest.mark.parametrize(("kind", "path"), every_text(), ids=str)
def test_a_template_stays_as_it_is_or_is_refused(kind: str, path: Path) -> None:
    for payload in PAYLOADS:
        document = changed(kind, path, payload)
        if not problems_of(PLACES[kind], as_yaml(document)):
            model = MODELS[kind].model_validate(document)
            assert at(model.model_dump(mode="json"), path) == payload


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", SPECIMENS)
def test_every_description_says_what_was_written(kind: str, payload: str) -> None:
    document = changed(kind, ("description",), payload)
    assert problems_of(PLACES[kind], as_yaml(document)) == ()
    assert MODELS[kind].model_validate(document).description == payload


def test_a_naming_pattern_is_filled_in_with_a_name_and_nothing_else() -> None:
    zone = (
        b"kind: Zone\nname: farm.internal\nserver: ns\nprimary: ns.x.\nnameservers: [ns.x.]\n"
        b"naming: {machines: 'vm-{name}'}\nrecords:\n"
        b"  - {name: text, type: TXT, values: ['{name} {{name}} ${name} %(name)s']}\n"
    )
    files = {path: content for path, content in FARM.items() if not path.startswith("zones/")}
    resources = render(load(FileTree({**files, "zones/z.yaml": zone}), "production"))
    (forward,) = [each.spec for each in resources if each.address.name == "farm.internal"]
    records = {record.key: record.values for record in forward.records}
    assert records["vm-old/A"] == ("192.168.1.129",)
    assert records["text/TXT"] == ('"{name} {{name}} ${name} %(name)s"',)
