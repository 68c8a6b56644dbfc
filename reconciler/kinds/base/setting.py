"""Kind `setting`: the host name, the time zone, the locale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reconciler.kinds.base.kind import BaseKind
from reconciler.model.address import Address
from reconciler.ports.acts import Act, PutSetting
from reconciler.ports.facts import Facts, Mark, Question, SettingFact

Setting = Literal["hostname", "timezone", "locale"]
SETTINGS: dict[str, Setting] = {
    "hostname": "hostname",
    "timezone": "timezone",
    "locale": "locale",
}


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One of the settings that a machine has exactly one of."""

    host: str
    name: Setting
    value: str
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: SettingSpec) -> Question:
    return Question("setting", spec.name)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> SettingSpec | None:
    del mark
    fact, name = facts.answers[question], SETTINGS.get(question.name)
    if name is None or not (fact is None or isinstance(fact, SettingFact)):
        return None
    return SettingSpec(host, name, fact.value if fact else "")


def _make(
    wanted: SettingSpec, seen: SettingSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    return (PutSetting(wanted.name, wanted.value),)


def _drop(seen: SettingSpec) -> tuple[Act, ...]:
    """It stays: a machine cannot be without."""
    del seen
    return ()


SETTING = BaseKind("setting", SettingSpec, _question, _read, _make, _drop)
