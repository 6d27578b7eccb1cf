"""A new or changed rule knows history at once, and decides nothing from before it was met, nothing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given, note
from hypothesis import strategies as st

from foreword.domain.facts import Fact
from foreword.domain.instants import HOUR, format_instant
from foreword.domain.rulebook import Rule, Rulebook
from tests.property.histories import BASE, LAST_HOUR, described, histories
from tests.property.road import Road
from tests.property.rulebooks import LISTS, rules
from tests.property.told import told
from tests.reference.engines import Decided, comparable, in_order
from tests.reference.firing import decide
from tests.reference.writing import CUSTOMER, book

publications = st.lists(
    st.tuples(
        st.integers(0, LAST_HOUR).map(lambda hour: BASE + hour * HOUR + HOUR // 2),
        st.sets(st.sampled_from(("r0", "changed r0", "r1", "r2")), min_size=1),
    ),
    max_size=3,
    unique_by=lambda publication: publication[0],
).map(sorted)


@st.composite
def versions(draw: st.DrawFn) -> dict[str, Rule]:
    """`changed r0` is another rule by the same name."""
    return {
        "r0": draw(rules("r0", pauses=False)),
        "changed r0": draw(rules("r0", pauses=False)),
        "r1": draw(rules("r1", pauses=False)),
        "r2": draw(rules("r2", pauses=False)),
    }


def published(versions: Mapping[str, Rule], names: set[str]) -> Rulebook:
    chosen = names - {"changed r0"} if "r0" in names else names
    return book(*(versions[name] for name in sorted(chosen)), lists=LISTS)


@given(versions(), publications, histories(most=14), described(), st.sampled_from((0, 3, 30)))
def test_a_rulebook_that_changes_knows_history_and_decides_from_when_it_was_met(
    versions: Mapping[str, Rule],
    publications: Sequence[tuple[int, set[str]]],
    facts: Sequence[Fact],
    profile: Sequence[Fact],
    more: int,
) -> None:
    facts = sorted([*profile, *facts], key=lambda fact: fact.order)
    first = published(versions, {"r0", "r1"})
    note(told(first, facts))
    road = Road(first)
    end = facts[-1].occurred_at + more * HOUR
    expected: list[Decided] = []
    edges = [
        (facts[0].occurred_at - 1, first),
        *((at, published(versions, names)) for at, names in publications if facts[0].occurred_at < at < end),
    ]
    for index, (since, rulebook) in enumerate(edges):
        until = edges[index + 1][0] if index + 1 < len(edges) else end
        if index > 0:
            note(f"published at {format_instant(since)}: {told(rulebook)}")
            road.publish(rulebook)
            road.touch()
        road.in_time(fact for fact in facts if since < fact.occurred_at <= until)
        road.wait(until)
        decided = decide(rulebook, CUSTOMER, None, facts, None, end)
        expected += [comparable(decision) for decision in decided if since < decision.at <= until]
    assert road.decided() == in_order(expected)
