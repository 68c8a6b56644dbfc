"""Everything that can go wrong, as one tree.

ReconcilerError
├── ConfigError          the config repository says something impossible; all problems at once
├── SettingsError        the operator's reconciler.yaml does; all problems at once
├── PlanError
│   └── DependencyLoop   resources need each other in a circle
├── GuardRefused         a plan would do more than the policy allows
│   ├── GateClosed       a commit may not be applied, or not yet: signature, window, approval, …
│   └── RolledBack       a commit has the tree that was rolled back
├── VerifyError          what was applied is not what is seen afterwards
├── DriverError          the world did not do what it was asked
│   ├── Unreachable      it did not answer in time; whether it acted is unknown
│   ├── Denied           it answered that we may not
│   ├── Conflict         it is in a state that forbids the operation
│   └── NotFound         the thing is not there
├── SourceError          the config repository cannot be used
│   ├── SourceUnavailable   it did not answer; the last good commit stays in force
│   ├── SourceCorrupt       its objects are broken; the mirror is made anew
│   └── HistoryRewritten    the branch does not descend from what was applied
└── Stalled              a person is needed; the loop leaves the environment alone

What follows from an error (retry, wait, stall) is decided in one table in the engine, never
where it is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.address import Address
    from reconciler.model.position import Problem


class ReconcilerError(Exception):
    """Base of all errors that a person is meant to read."""


class ConfigError(ReconcilerError):
    """The config repository does not say something possible. Carries every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems by file and line; there must be at least one."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SettingsError(ReconcilerError):
    """The operator's settings do not hold together. Carries every reason."""

    def __init__(self, file: str, reasons: Sequence[str]) -> None:
        """Name the settings file (or where a setting came from) and each reason."""
        self.file = file
        self.reasons = tuple(reasons)
        super().__init__("\n".join(f"{file}: {reason}" for reason in self.reasons))


class PlanError(ReconcilerError):
    """No plan can be made."""


class DependencyLoop(PlanError):
    """Resources need each other in a circle."""

    def __init__(self, path: Sequence[Address]) -> None:
        """Give the circle as a path whose last address is its first."""
        self.path = tuple(path)
        super().__init__(
            "these resources need each other in a circle: "
            + " -> ".join(str(address) for address in self.path)
            + "; remove one of the references"
        )


class GuardRefused(ReconcilerError):
    """A plan would do more than the policy allows. Nothing was changed."""

    def __init__(self, violations: Sequence[object]) -> None:
        """Give every violation of the plan."""
        self.violations = tuple(violations)
        super().__init__("\n".join(str(violation) for violation in self.violations))


class GateClosed(GuardRefused):
    """A new commit may not be applied, or not yet. The last good commit stays in force."""

    def __init__(self, violations: Sequence[object], opens: datetime | None = None) -> None:
        """Give every closed gate; `opens` is when all may be open without anybody's doing."""
        self.opens = opens
        super().__init__(violations)


class RolledBack(GuardRefused):
    """A commit has a tree that was rolled back. The one that was gone back to stays in force."""


class VerifyError(ReconcilerError):
    """After everything was applied the world still differs."""

    def __init__(self, residue: Sequence[object]) -> None:
        """Give the changes that a second plan still finds."""
        self.residue = tuple(residue)
        super().__init__(
            f"{len(self.residue)} resources still differ after the change: "
            + ", ".join(str(change) for change in self.residue)
        )


class DriverError(ReconcilerError):
    """The world did not do what it was asked: where, what was asked, and what it said."""

    def __init__(self, where: str, operation: str, cause: str) -> None:
        """Name the host or server, the operation in words, and the cause in words."""
        self.where = where
        self.operation = operation
        self.cause = cause
        super().__init__(f"{where}: {operation}: {cause}")


class Unreachable(DriverError):
    """No answer within the deadline. Whether the operation took effect is unknown."""


class Denied(DriverError):
    """The other side knows us and says no."""


class Conflict(DriverError):
    """The state of the thing forbids the operation."""


class NotFound(DriverError):
    """The thing is not there."""


class SourceError(ReconcilerError):
    """The config repository cannot be used."""


class SourceUnavailable(SourceError):
    """The remote did not answer in time, or refused. The last good commit stays in force."""


class SourceCorrupt(SourceError):
    """The repository's objects are broken or missing."""


class HistoryRewritten(SourceError):
    """A branch no longer descends from the commit that was applied from it."""


class Stalled(ReconcilerError):
    """A person is needed. The environment is left alone until somebody acts."""

    def __init__(self, reason: str, remedy: str) -> None:
        """Say what is wrong and what the person has to do."""
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}")
