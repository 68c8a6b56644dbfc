"""What every machine promises about our table of the packet filter."""

from __future__ import annotations

import pytest

from reconciler.errors import Conflict
from reconciler.ports.facts import Question
from reconciler.ports.network_acts import PutRuleset, RemoveRuleset
from reconciler.ports.network_facts import RulesetFact
from tests.contract.machine_bench import MachineBench

TABLE = "contract"
OPENING = f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n"
CHAIN = "\tchain input {{\n\t\ttype filter hook input priority 10; policy accept;\n{}\t}}\n}}\n"
SOURCE = OPENING + CHAIN.format('\t\ttcp dport { 81, 80 } accept comment "rule web"\n')
OTHER = OPENING + CHAIN.format("")
PUT, REMOVE = PutRuleset(TABLE, SOURCE), RemoveRuleset(TABLE)
RIGHT = RulesetFact(SOURCE, is_loaded=True)


def table_seen(bench: MachineBench) -> RulesetFact | None:
    fact = bench.ask("ruleset", TABLE)
    assert fact is None or isinstance(fact, RulesetFact)
    return fact


def test_a_table_that_nobody_made_is_not_there(machine_bench: MachineBench) -> None:
    assert table_seen(machine_bench) is None


def test_a_table_comes_changes_and_goes(machine_bench: MachineBench) -> None:
    machine_bench.do(PUT, PUT)
    assert table_seen(machine_bench) == RIGHT
    machine_bench.do(PutRuleset(TABLE, OTHER))
    assert table_seen(machine_bench) == RulesetFact(OTHER, is_loaded=True)
    machine_bench.do(REMOVE, REMOVE)
    assert table_seen(machine_bench) is None


def test_what_is_loaded_elsewise_is_table_seen(machine_bench: MachineBench) -> None:
    machine_bench.do(PUT)
    machine_bench.load_rules(TABLE, OTHER)
    assert table_seen(machine_bench) == RulesetFact(SOURCE, is_loaded=False)
    machine_bench.do(PUT)
    assert table_seen(machine_bench) == RIGHT


@pytest.mark.parametrize(
    "source",
    [
        SOURCE.replace(f"inet {TABLE}", "inet other"),
        f"flush ruleset\n{SOURCE}",
        f"{SOURCE}table ip other {{\n}}\n",
        SOURCE.replace("\tchain", '\tinclude "/etc/hostname"\n\tchain'),
        SOURCE.replace(
            "policy accept;\n", "policy accept;\n\t}\n}\ntable ip other {\n\tchain x {\n"
        ),
        "",
    ],
)
def test_what_speaks_of_another_table_is_refused(machine_bench: MachineBench, source: str) -> None:
    machine_bench.do(PUT)
    with pytest.raises(Conflict, match=f"of another table than {TABLE}"):
        machine_bench.do(PutRuleset(TABLE, source))
    assert table_seen(machine_bench) == RIGHT


def test_one_table_does_not_answer_for_another(machine_bench: MachineBench) -> None:
    machine_bench.do(PUT)
    assert machine_bench.ask("ruleset", "another") is None
    questions = [Question("ruleset", name) for name in (TABLE, "another")]
    answers = machine_bench.machine.look(questions).answers
    assert [answers[each] for each in questions] == [RIGHT, None]
