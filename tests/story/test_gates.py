"""Gates, through whole turns: what waits, why, and what opens it. The last good commit stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.engine.consequence import Consequence
from reconciler.errors import GateClosed, Unreachable
from reconciler.gitops.forges.port import Approval, PullRequest
from reconciler.model.condition import Status as Is
from tests.remotes.origin import NOON
from tests.remotes.signing import Desk
from tests.scenes.gated import Gated, shut, web
from tests.scenes.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Gated:
    return Gated(tmp_path)


def grow(scene: Gated, who: Desk, memory_gib: int, *parents: str, message: str = "Grow") -> str:
    """Somebody gives web-1 more memory."""
    return who.commit("production", scene.tree(memory_gib), *parents, message=message)


def asked_for(scene: Gated) -> str:
    """The digest of what production's head asks for."""
    [waits] = [each for name, each in shut(scene.sync()).items() if name == "approval"]
    return waits.remedy.partition("approve/production/")[2][:16]


class Reviewed:
    """A forge on which one pull request was reviewed."""

    def __init__(self, pull: PullRequest, *approvals: Approval, is_away: bool = False) -> None:
        self.pull, self.given, self.is_away = pull, approvals, is_away

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        if self.is_away:
            raise Unreachable("forge", "ask", "no answer")
        return (self.pull,) if commit in {self.pull.head, self.pull.url} else ()

    def approvals(self, number: int) -> tuple[Approval, ...]:
        return self.given if number == self.pull.number else ()


def test_a_commit_waits_for_its_window_and_is_applied_when_it_opens(scene: Gated) -> None:
    scene.ask(windows=[{"opens": "0 20 * * *", "duration": "2h", "timezone": "Europe/Berlin"}])
    good = scene.status().revision
    grow(scene, scene.alice, 3)
    report = scene.sync()
    assert list(shut(report)) == ["window"]
    assert report.consequence is Consequence.WAIT
    assert (scene.gib(), scene.status().revision) == (2, good)
    error = report.refusal and report.refusal.error
    assert isinstance(error, GateClosed)
    assert error.opens is not None
    head = scene.origin.head("reconciler/production")
    scene.clock.seconds += 600
    scene.sync()
    assert scene.origin.head("reconciler/production") == head, "waiting is no news"
    scene.clock.seconds += (error.opens - scene.clock.now()).total_seconds()
    assert scene.sync().refusal is None
    assert scene.gib() == 3


def test_a_freeze_stops_what_is_new_and_drift_is_still_healed(scene: Gated) -> None:
    scene.ask(freezes=[{"from": "2025-06-01", "until": "2025-06-10", "reason": "Audit"}])
    grow(scene, scene.alice, 3, message="Grow\n\nReconciler-Allow: freeze")
    by_hand.stop_domain(scene.farm, scene.domain("production-web-1")[0], "production-web-1")
    closed = shut(scene.sync())
    assert "Audit" in closed["freeze"].message
    assert "opens no gate" in closed["freeze"].message
    assert scene.domain("production-web-1")[1].running
    assert scene.gib() == 2


def test_the_operator_lets_one_commit_through_and_no_other(scene: Gated) -> None:
    freeze = {"from": "2025-06-01", "until": "2025-06-10", "reason": "Audit"}
    urgent = grow(scene, scene.alice, 3)
    scene.ask(freezes=[freeze], let_through=[urgent])
    assert scene.sync().refusal is None
    assert scene.gib() == 3
    grow(scene, scene.alice, 4)
    assert list(shut(scene.sync())) == ["freeze"]


def test_a_tree_must_have_been_ready_below_for_its_time(scene: Gated) -> None:
    scene.ask(soak="1d")
    commit = grow(scene, scene.alice, 3)
    assert "nothing was ever Ready there" in shut(scene.sync())["soak"].message
    assert scene.sync("staging").refusal is None
    assert "another tree" in shut(scene.sync())["soak"].message
    scene.origin.git("update-ref", "refs/heads/staging", commit)
    assert scene.sync("staging").refusal is None
    waits = shut(scene.sync())["soak"]
    assert waits.opens == scene.clock.now() + timedelta(days=1)
    scene.clock.seconds += 24 * 3600 - 1
    assert list(shut(scene.sync())) == ["soak"]
    scene.clock.seconds += 1
    assert scene.sync().refusal is None
    assert scene.gib() == 3


def test_a_signed_tag_approves_of_just_one_plan(scene: Gated) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.alice, scene.bob)
    commit = grow(scene, scene.alice, 3)
    digest = asked_for(scene)
    scene.alice.tag(f"approve/production/{digest}", commit)
    assert "0 of 1" in shut(scene.sync())["approval"].message, "nobody approves of his own"
    scene.bob.tag(f"approve/production/{digest}", commit)
    more = grow(scene, scene.alice, 4)
    closed = shut(scene.sync())["approval"]
    assert f"{digest} was approved, which is another plan" in closed.message
    assert digest not in closed.remedy
    scene.bob.tag(f"approve/production/{asked_for(scene)}", more)
    assert scene.sync().refusal is None
    assert scene.gib() == 4


@pytest.mark.parametrize("how", ["lightweight", "annotated", "renamed", "elsewhere", "stranger"])
def test_a_tag_that_proves_nothing_approves_of_nothing(scene: Gated, how: str) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.alice, scene.bob)
    good = scene.status().revision
    commit = grow(scene, scene.alice, 3)
    name = f"approve/production/{asked_for(scene)}"
    if how == "lightweight":
        scene.origin.git("tag", name, commit)
    elif how == "annotated":
        scene.bob.tag(name, commit, signed=False)
    elif how == "renamed":
        other = scene.bob.tag("v1", commit)
        scene.origin.git("update-ref", f"refs/tags/{name}", other)
    elif how == "elsewhere":
        scene.bob.tag(name, good)
    else:
        scene.carol.tag(name, commit)
    reasons = {
        "lightweight": "lightweight",
        "annotated": "is not signed",
        "renamed": "calls itself v1",
        "elsewhere": "is not applied here",
        "stranger": "not allowed",
    }
    assert reasons[how] in shut(scene.sync())["approval"].message
    assert scene.gib() == 2


def test_a_tag_without_any_signers_is_refused_with_the_reason(scene: Gated) -> None:
    scene.ask(approvals=1)
    commit = grow(scene, scene.alice, 3)
    scene.bob.tag(f"approve/production/{asked_for(scene)}", commit)
    assert "the operator allows no ssh key" in shut(scene.sync())["approval"].message


def test_an_empty_signed_commit_approves(scene: Gated) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.alice, scene.bob)
    commit = grow(scene, scene.alice, 3)
    trailer = f"Approve\n\nReconciler-Approve: {asked_for(scene)}"
    scene.bob.commit("production", scene.alice.tree(commit), message=trailer)
    assert scene.sync().refusal is None
    assert scene.gib() == 3


def test_who_merges_approves_in_the_message_but_not_if_he_changes_something(scene: Gated) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.alice, scene.bob)
    base = str(scene.origin.head("production"))
    tree = scene.tree(3)
    work = scene.alice.commit("feature", tree, base, message="Grow")
    scene.bob.commit("production", tree, base, work, message="Merge")
    trailer = f"Merge\n\nReconciler-Approve: {asked_for(scene)}"
    evil = scene.tree(3, rules=scene.rules("snapshot_before: restart"))
    scene.bob.commit("production", evil, base, work, message=trailer)
    assert "approval" in shut(scene.sync())
    scene.bob.commit("production", tree, base, work, message=trailer)
    assert scene.sync(accept_history=True).refusal is None
    assert scene.gib() == 3


def test_an_unsigned_trailer_approves_of_nothing(scene: Gated) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.alice, scene.bob)
    commit = grow(scene, scene.alice, 3)
    trailer = f"Approve\n\nReconciler-Approve: {asked_for(scene)}"
    scene.origin.commit("production", {}, message=trailer, parents=(commit,))
    assert "is not signed" in shut(scene.sync())["approval"].message


def test_a_review_at_the_forge_approves_of_the_digest_it_names(scene: Gated) -> None:
    scene.ask(approvals=1, approved_by=["bob", "alice"])
    commit = grow(scene, scene.alice, 3)
    digest = asked_for(scene)
    pull = PullRequest(7, "Grow", "feature", "production", commit, "", author="alice")

    def review(by: str, text: str, of: str = commit) -> Approval:
        return Approval(by, of, text, NOON)

    for given, said in (
        (review("bob", "fine"), "names no digest"),
        (review("bob", digest[:11]), "names no digest"),
        (review("bob", digest, "1" * 40), "its head is"),
        (review("alice", digest), "0 of 1"),
        (review("eve", digest), "only alice, bob count"),
    ):
        scene.forge = Reviewed(pull, given)  # type: ignore[assignment] # only what is asked
        assert said in shut(scene.sync())["approval"].message
    scene.forge = Reviewed(pull, is_away=True)  # type: ignore[assignment] # only what is asked
    assert "could not be asked" in shut(scene.sync())["approval"].message
    scene.forge = Reviewed(pull, review("bob", f"ok {digest[:12]}!"))  # type: ignore[assignment] # as above
    assert scene.sync().refusal is None
    assert scene.gib() == 3


def test_what_is_approved_is_the_same_although_the_world_moves(scene: Gated) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.bob)
    commit = grow(scene, scene.alice, 3)
    digest = asked_for(scene)
    host, _ = scene.domain("production-web-1")
    by_hand.set_memory(scene.farm, host, "production-web-1", 1 << 30)
    assert asked_for(scene) == digest
    scene.bob.tag(f"approve/production/{digest}", commit)
    assert scene.sync().refusal is None
    assert scene.gib() == 3


def test_a_commit_cannot_take_away_the_gates_that_stand_in_its_way(scene: Gated) -> None:
    plain = scene.rules()
    strict = scene.rules("gates:", "  sign_offs: 1")
    scene.alice.commit(
        "production",
        scene.tree(2, rules=strict),
        message="Be strict\n\nSigned-off-by: Bob <bob@farm.internal>",
    )
    assert scene.sync().refusal is None
    scene.alice.commit("production", scene.tree(3, rules=plain), message="Be lax")
    assert list(shut(scene.sync())) == ["sign-off"]
    assert scene.gib() == 2


def test_a_commit_that_brings_a_gate_has_to_pass_it(scene: Gated) -> None:
    strict = scene.rules("gates:", "  sign_offs: 1")
    scene.alice.commit("production", scene.tree(3, rules=strict), message="Be strict")
    assert list(shut(scene.sync())) == ["sign-off"]


def test_what_gives_back_the_tree_in_force_passes(scene: Gated) -> None:
    before = scene.alice.tree("production")
    scene.ask(signatures="every", approvals=2)
    scene.allow(scene.bob)
    scene.origin.commit("production", web(3), message="Grow, unsigned")
    assert set(shut(scene.sync())) == {"signature", "approval"}
    keyless = Desk(scene.origin, "Reconciler", "reconciler@farm.internal")
    back = keyless.commit("production", before, message="Take it back")
    assert scene.sync().refusal is None
    assert scene.status().revision == back
    keyless.commit("production", before, message="x\n\nReconciler-Allow: mass-deletion")
    assert "signature" in shut(scene.sync()), "who permits something must be known"


def test_conditions_tell_whether_the_source_is_verified(scene: Gated) -> None:
    assert scene.verified() is None
    scene.ask(signatures="head")
    scene.allow(scene.alice)
    grow(scene, scene.alice, 3)
    scene.sync()
    told = scene.verified()
    assert told is not None
    assert told.status is Is.TRUE
    assert "alice@farm.internal" in told.message
    scene.origin.commit("production", web(4), message="Unsigned")
    scene.sync()
    told = scene.verified()
    assert told is not None
    assert (told.status, told.reason) == (Is.FALSE, "SignatureMissing")
    assert scene.gib() == 3
    Scene.restart(scene)
    scene.keep()
    assert scene.verified() == told


def test_times_in_messages_are_those_of_the_window(scene: Gated) -> None:
    scene.ask(windows=[{"opens": "0 19 * * *", "duration": "2h", "timezone": "Asia/Tokyo"}])
    grow(scene, scene.alice, 3)
    assert "2025-06-03 19:00 JST" in shut(scene.sync())["window"].remedy
    assert scene.clock.now() == datetime.fromisoformat("2025-06-02T12:00:00+00:00")


def test_a_commit_that_changes_something_approves_of_nothing_below_the_head(scene: Gated) -> None:
    scene.ask(approvals=1)
    scene.allow(scene.alice, scene.bob)
    grow(scene, scene.alice, 4)
    tree = scene.tree(4)
    trailer = f"Mend\n\nReconciler-Approve: {asked_for(scene)}"
    grow(scene, scene.bob, 3, message=trailer)
    scene.alice.commit("production", tree, message="Grow again")
    assert "approve in an empty one" in shut(scene.sync())["approval"].message
    assert scene.gib() == 2
