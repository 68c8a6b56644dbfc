"""S18: what stands on a host is not trusted when it is accepted into a document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.config.load import load
from reconciler.config.places import EditedTree, places_of
from reconciler.gitops.directory import DirectoryTree
from reconciler.kinds.base.file import FILE, FileSpec
from reconciler.model.resource import Desired
from reconciler.render.acceptance.judge import Judged, judge
from reconciler.render.render import render
from tests.scenes.scene import EXAMPLE

HOST = "environments/production/host.yaml"
TEXT = "kind: Host\nname: virt1\nfiles:\n  - {path: /etc/motd, content: Hello}\n"


def judged(said: str, **wanted: object) -> Judged:
    tree = EditedTree(DirectoryTree(EXAMPLE), {HOST: TEXT})
    documents = load(tree, "production")
    want = next(each for each in render(documents) if str(each.address) == "file@virt1/etc-motd")
    spec: FileSpec = replace(want.spec, **wanted)
    seen = replace(want.spec, content=said)
    desired: Desired[FileSpec] = replace(want, spec=spec)
    return judge(documents, places_of(tree), desired, seen, FILE.diff(spec, seen))


def test_a_usual_text_is_accepted() -> None:
    assert [each.amendment.value for each in judged("Bye\n").accepted] == ["Bye\n"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("password=secret://dns/key\n", "which would be filled in from then on"),
        (f"sha256:{'0' * 64}", "it is too large, or secret"),
        ("changed by hand (fingerprint 0123)", "it is too large, or secret"),
        ("not written by us (fingerprint 0123)", "it is too large, or secret"),
    ],
)
def test_what_is_a_reference_or_not_known_is_refused(content: str, why: str) -> None:
    found = judged(content)
    assert found.accepted == ()
    assert why in found.refused["content"]


def test_a_file_that_holds_secrets_is_never_accepted() -> None:
    found = judged("plain\n", content="x secret://dns/key\n", secrets=("dns/key@1",))
    assert {"content"} <= found.refused.keys()
    assert "secret set" in found.refused["content"]
    assert all(each.field.path not in {"content", "secrets"} for each in found.accepted)
