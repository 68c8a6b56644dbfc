"""Judge what a checkup saw of a name server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.plan.checkup.finding import Finding, Level
from reconciler.plan.checkup.observation import Answer


def judge_server(server: str, answers: Iterable[Answer]) -> Iterator[Finding]:
    """Every finding about one name server, in the order in which it has to be mended.

    What a server does not let us see holds up its zones only, but a sync fails for them.
    """
    subject = f"name server {server}"
    for answer in answers:
        if answer.problem:
            yield Finding(subject, answer.name, Level.BAD, answer.problem, answer.remedy)
        else:
            yield Finding(subject, answer.name, Level.OK, answer.text)
