"""Routes of a simulated host, and what a question asks by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from reconciler.drivers.simulated.base.state import Base
from reconciler.ports.facts import Question
from reconciler.ports.network_facts import Route


def asked_of(base: Base, question: Question) -> frozenset[str]:
    """What a question asks by name, and its mark: what was wanted once is still seen."""
    kept = base.marks.get(f"{question.about} {question.name}")
    return frozenset((*question.details, *(kept.question.details if kept else ())))


def blackholes_of(base: Base, asked: Iterable[str]) -> tuple[Route, ...]:
    """The blackholes among what is asked for; no interface has them."""
    lost = sorted(set(base.blackholes).intersection(asked))
    return tuple(Route(to, type="blackhole") for to in lost)


def unicast(
    there: Iterable[Route], wanted: Collection[Route], former: Iterable[Route]
) -> tuple[Route, ...]:
    """The routes of an interface after some were made and former ones taken away."""
    reached = {route.to for route in (*wanted, *former)}
    kept = (route for route in there if route.to not in reached)
    return tuple(sorted((*kept, *(each for each in wanted if each.type == "unicast"))))


def with_blackholes(base: Base, wanted: Iterable[Route], former: Iterable[Route]) -> Base:
    """The base where these destinations are lost, and the former ones are not."""
    gone = {route.to for route in former if route.type == "blackhole"}
    lost = {route.to for route in wanted if route.type == "blackhole"}
    after = tuple(sorted((set(base.blackholes) - gone) | lost))
    return base if after == base.blackholes else replace(base, blackholes=after)
