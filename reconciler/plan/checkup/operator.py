"""Judge what a checkup saw of the operator's own machine and of the repository."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.plan.checkup.finding import HERE, Finding, Level
from reconciler.plan.checkup.observation import OperatorObservation

OTHERS_MAY_WRITE = 0o022


def judge_operator(seen: OperatorObservation) -> Iterator[Finding]:
    """Every finding about settings, state and repository."""
    yield from _settings(seen)
    for each in seen.answers:
        level = Level.OK if not each.problem else Level.WARN if each.is_minor else Level.BAD
        yield Finding(HERE, each.name, level, each.problem or each.text, each.remedy)


def _settings(seen: OperatorObservation) -> Iterator[Finding]:
    name = "settings"
    for problem in seen.settings_problems:
        yield Finding(HERE, name, Level.BAD, problem)
    if seen.settings_mode is not None and seen.settings_mode & OTHERS_MAY_WRITE:
        mode = f"{seen.settings_mode:04o}"
        yield Finding(
            HERE,
            name,
            Level.BAD,
            f"others may write {seen.settings_file} (mode {mode}), and so decide what we do",
            f"chmod go-w {seen.settings_file}",
        )
    elif not seen.settings_problems:
        where = seen.settings_file or "there is no file, so the defaults stand"
        yield Finding(HERE, name, Level.OK, where)
