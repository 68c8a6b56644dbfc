"""The story of one environment, from a head of git to a converged farm.

    git head ─► load ─► render ─► observe ─► place ─► plan ─► check ─► apply ─► verify ─► record

`reconcile` tells it for one commit; `turn` chooses the commit and says what a refusal means.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.config.repository import Documents
from reconciler.engine.apply import MachineLocks, Outcome, Reporter, apply
from reconciler.engine.observe import (
    Questions,
    cautious,
    described,
    observe,
    questions_of,
    scopes_of,
)
from reconciler.engine.serials import serials_of
from reconciler.engine.sightings import Noticed, detections
from reconciler.engine.verify import Look, settle
from reconciler.errors import (
    ConfigError,
    GateClosed,
    GuardRefused,
    HistoryRewritten,
    PlanError,
    SourceError,
    Stalled,
)
from reconciler.gitops.chronicle import Chronicle
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.flow.lost_work import check_lost_work
from reconciler.gitops.flow.rollback import (
    BY_ITSELF,
    acknowledged,
    check_quarantine,
    is_going_back,
    needs_rollback,
)
from reconciler.gitops.report import Refusal, Report
from reconciler.gitops.source import ConfigSource
from reconciler.model.address import Scope
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired, World
from reconciler.placement.spread import Placement, Room, place
from reconciler.plan.asked import asked_for
from reconciler.plan.gates import Candidate, opens_at
from reconciler.plan.going_back import going_back, keeping_data, keeping_snapshots
from reconciler.plan.guards import Violation, check
from reconciler.plan.handover import hand_over
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy, hold_back, with_restarts
from reconciler.plan.show.status import Status
from reconciler.plan.sparing import holds_at, spared
from reconciler.plan.window import Window
from reconciler.ports.facts import Question
from reconciler.ports.world import Ports
from reconciler.render.farm import foreign_bases
from reconciler.render.ignored import ignore_notes, ignored_at
from reconciler.render.render import render, rooms

_log = logging.getLogger(__name__)
REFUSALS = (ConfigError, PlanError, GuardRefused, HistoryRewritten, SourceError, Stalled)


@dataclass(frozen=True)
class Site:
    """What the runs of all environments stand on.

    `floors` gives the operator's rules for an environment, which the repository may tighten only.
    Clocks and sleep are given, never taken; `stopping` is asked before each change. `restart` is
    whether to restart at once what else waits for a person or a window. `observe` is how scopes
    are looked at: a plan without access to the hosts takes what the journal remembers. `latest`
    holds each environment's last look with what it depended on: planning is pure, so an
    unchanged world is not planned for twice. `noticed` takes what was seen to move in an
    environment since the last time it was asked. `gates` tells why a commit that is not in force
    yet may not be applied. `rollbacks` pushes what takes bad commits back; without it nothing is
    rolled back by itself.
    """

    source: ConfigSource
    chronicle: Chronicle
    ports: Ports
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    floors: Callable[[str], Policy]
    locks: MachineLocks = field(default_factory=MachineLocks)
    reporter: Reporter | None = None
    stopping: Callable[[], bool] = lambda: False
    restart: bool = False
    observe: Callable[[Iterable[Scope], Ports, Questions], World] = observe
    latest: dict[str, tuple[object, Look]] = field(default_factory=dict)
    noticed: Callable[[str], Noticed] = lambda _environment: Noticed()
    gates: Callable[[Candidate, Documents], tuple[Violation, ...]] = lambda _candidate, _by: ()
    rollbacks: BackMerges | None = None


def turn(environment: str, site: Site, *, accept_history: bool = False) -> Report:
    """One run for the head of the environment's branch.

    A head that is refused changes nothing: the reason is recorded, and the commit that was applied
    last stays in force and is kept so. `accept_history` takes a head that does not descend from it.
    A commit that has failed for too long is taken back, and what was good is made so again at once.
    """
    past = site.chronicle.recall(environment)
    _catch_up(environment, site, past)
    report = _follow(environment, site, past, accept_history=accept_history)
    now = site.chronicle.recall(environment)
    if site.rollbacks is not None and _takes_back(report, site, now, site.rollbacks):
        past = site.chronicle.recall(environment)
        _catch_up(environment, site, past)
        report = _follow(environment, site, past)
    site.chronicle.flush(environment)
    return report


def _follow(environment: str, site: Site, past: Status, *, accept_history: bool = False) -> Report:
    head = ""
    try:
        followed = site.source.follow(
            environment, past.revision, past.branch, accept_history=accept_history
        )
        head = followed.revision
        known = check_quarantine(site.source.mirror, environment, head, past)
        return reconcile(environment, head, site, replace(known, branch=followed.branch))
    except REFUSALS as error:
        return _keep(environment, site, past, Refusal(head, error))


def _takes_back(report: Report, site: Site, past: Status, rollbacks: BackMerges) -> bool:
    """Decide whether the commit of a turn is rolled back, and write that down if so."""
    environment, bad = report.environment, report.revision
    if past.failing is None or not report.is_failing:
        return False
    now = site.now()
    try:
        policy = policy_of(_documents(environment, bad, site, past), bad, site, past)
        if (reason := needs_rollback(report, past, now, policy.rollback_after)) is None:
            return False
        decided = rollbacks.rollbacks.decide(
            environment, bad, past.ready_revision, reason, now, allows=BY_ITSELF
        )
        site.chronicle.rolls_back(environment, decided)
    except REFUSALS as error:
        _log.warning("%s: %s is not rolled back: %s", environment, bad[:7], error)
        return False
    return True


def _catch_up(environment: str, site: Site, past: Status) -> None:
    """Push rollbacks that were decided and are not where they have to go; that it fails is said."""
    if site.rollbacks is not None:
        for line in site.rollbacks.catch_up(environment, past):
            _log.warning("%s", line)


def reconcile(
    environment: str,
    revision: str,
    site: Site,
    past: Status,
    refusal: Refusal | None = None,
) -> Report:
    """Make the world what the commit says, and record what happened.

    `refusal` is why a newer commit is not applied instead of this one.

    Raises:
        ConfigError: the commit does not load, or clashes with another environment.
        PlanError: its resources need each other in a circle.
        GuardRefused: its plan would do more than the policy allows, or a gate is closed. Nothing
            was changed.
    """
    documents = _documents(environment, revision, site, past)
    policy = policy_of(documents, revision, site, past)
    look = looker(documents, revision, policy, site, past)
    noticed, before = site.noticed(environment), look()
    is_new = refusal is None and revision != past.revision
    _judge(before.plan, documents, policy, site, past, is_new=is_new)
    how = detections(before.plan.drifted, noticed, site.monotonic())
    noted = site.chronicle.begins(before, past, refusal, how)
    outcomes = _apply(before.plan, site)
    done = before.plan.active if outcomes else ()
    after, residue = (
        settle(look, done, monotonic=site.monotonic, sleep=site.sleep)
        if done or before.plan.remarks
        else (before, ())
    )
    report = Report(environment, revision, before, after, outcomes, residue, refusal)
    site.chronicle.ends(report, noted)
    return report


def _apply(asked: Plan, site: Site) -> tuple[Outcome, ...]:
    return apply(
        asked, site.ports, locks=site.locks, reporter=site.reporter, stopping=site.stopping
    )


def _judge(
    asked: Plan, documents: Documents, policy: Policy, site: Site, past: Status, *, is_new: bool
) -> None:
    """Ask the guards, and for a commit that is not in force yet the gates."""
    if violations := check(asked, policy):
        raise GuardRefused(violations)
    if not is_new:
        return
    candidate = Candidate(asked.environment, asked.revision, past.revision, asked)
    lost = check_lost_work(site.source.mirror, asked.revision, past, policy)
    if closed := (*site.gates(candidate, documents), *lost):
        raise GateClosed(closed, opens_at(closed))


def plan(
    environment: str, revision: str, site: Site, *, past: Status | None = None
) -> tuple[Look, tuple[Violation, ...]]:
    """What `reconcile` would do for a commit, and what the policy has against it.

    `past` is what is remembered by then, else what the journal remembers now.

    Of a commit that is no head of the environment's branch nothing runs on a host, and no content
    of a file is read that the branch does not name: anybody may have written it.

    Raises:
        ConfigError: the commit does not load, or clashes with another environment.
        PlanError: its resources need each other in a circle.
    """
    past = past or site.chronicle.recall(environment)
    documents = _documents(environment, revision, site, past)
    policy = policy_of(documents, revision, site, past)
    head = site.source.heads().get(environment, "")
    is_accepted = revision in {head, past.revision}
    trusted = None if is_accepted else _accepted(environment, {head, past.revision}, site, past)
    look = looker(documents, revision, policy, site, past, trusted=trusted)()
    return look, check(look.plan, policy)


def _accepted(environment: str, revisions: Iterable[str], site: Site, past: Status) -> Questions:
    """What the commits that were accepted ask of the hosts; one that does not load asks nothing."""
    asked: dict[Scope, frozenset[Question]] = {}
    for revision in sorted({*revisions} - {""}):
        with suppress(*REFUSALS):
            documents = _documents(environment, revision, site, past)
            for scope, questions in questions_of(render(documents)).items():
                asked[scope] = asked.get(scope, frozenset()) | questions
    return asked


def _documents(environment: str, revision: str, site: Site, past: Status) -> Documents:
    standing = {environment: past.revision}
    for other in site.source.heads().keys() - standing.keys():
        with suppress(*REFUSALS):  # a journal that cannot be read claims nothing
            standing[other] = site.chronicle.recall(other).revision
    return site.source.documents(environment, revision, standing)


def policy_of(documents: Documents, revision: str, site: Site, past: Status) -> Policy:
    """What the Environment document, the commits since the last Ready and the operator allow."""
    policy = site.source.policy(documents, revision, past.ready_revision)
    policy = policy.tightened(site.floors(documents.environment))
    policy = replace(
        policy,
        allowed=policy.allowed | acknowledged(past),
        holds=holds_at(past.holds, site.now()),
        ignored=ignored_at(documents, site.now()),
    )
    window = documents.policy.restart_window
    if site.restart:
        return replace(policy, restart="now")
    if window and not Window(window.opens, window.duration, window.timezone).is_open(site.now()):
        return replace(policy, restart="later")
    return policy


def looker(
    documents: Documents,
    revision: str,
    policy: Policy,
    site: Site,
    past: Status,
    *,
    trusted: Questions | None = None,
) -> Callable[[], Look]:
    """How to look at the world and plan for these documents, as often as wanted.

    `trusted` is what may be asked without caution, if the documents are not to be trusted.
    """
    desired, others = render(documents), site.source.hosts_of_others(documents.environment)
    offered = rooms(documents, others)
    notes = (*foreign_bases(documents, others), *ignore_notes(documents, desired, site.now()))
    scopes = _scopes(desired, offered, past, site.ports)
    questions = _careful(questions_of(desired), trusted)
    rules = digest_of(documents.policy)
    is_back = is_going_back(site.source.mirror, revision, past)

    def look() -> Look:
        world = site.observe(scopes, site.ports, questions)
        seen = (world, serials_of(world))
        inputs = (documents, revision, is_back, policy, past.applied, offered, notes, seen)
        known, latest = site.latest.get(documents.environment, (None, None))
        if latest and known == inputs:
            return latest
        placed = place(documents.environment, desired, offered, world, past.applied)
        full = _full_plan(revision, placed, world, policy, past, is_back=is_back)
        kept = hold_back(hand_over(full, _elsewhere(documents)), policy)
        kept = keeping_snapshots(kept) if revision != past.ready_revision or is_back else kept
        asked = asked_for(documents.environment, placed.desired, past.applied, rules)
        made = Look(scopes, world, replace(kept, notes=notes, asked=asked), questions)
        site.latest[documents.environment] = (inputs, made)
        return made

    return look


def _full_plan(
    revision: str, placed: Placement, world: World, policy: Policy, past: Status, *, is_back: bool
) -> Plan:
    """The plan before anything is held; `is_back`: it is the way back from another commit."""
    name = past.environment
    wanted = going_back(placed.desired, world, name) if is_back else placed.desired
    full = make_plan(
        name,
        spared(name, with_restarts(wanted, policy), world, policy.ignored),
        world,
        revision=revision,
        applied=past.applied,
        unplaced=placed.unplaced,
    )
    return keeping_data(full) if is_back else full


def _scopes(
    desired: Sequence[Desired[Any]], offered: Iterable[Room], past: Status, ports: Ports
) -> frozenset[Scope]:
    hosts = (room.host for room in offered)
    return scopes_of(desired, hosts, described(past.scopes, ports))


def _careful(asked: Questions, trusted: Questions | None) -> Questions:
    return asked if trusted is None else cautious(asked, trusted)


def _elsewhere(documents: Documents) -> frozenset[str]:
    """The hosts that other environments have."""
    mine = documents.environment
    return frozenset(host.name for host in documents.hosts.values() if host.environment != mine)


def _keep(environment: str, site: Site, past: Status, refusal: Refusal) -> Report:
    """Keep the last good commit in force while its successor is refused."""
    if past.revision and past.revision != refusal.revision:
        with suppress(*REFUSALS):  # then nothing can be done, and the first reason is the one
            return reconcile(environment, past.revision, site, past, refusal)
    report = Report(environment, past.revision, refusal=refusal)
    if past.revision or refusal.revision:  # else there is no environment yet to speak of
        site.chronicle.refused(report, past)
    return report
