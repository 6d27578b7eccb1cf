"""What holds messages back, told by the stored state of a customer, against a model that looks at every instant.

Facts come in any order; after each batch the state must tell what a plain reading of all facts so far tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.holding import holds_in
from foreword.domain.instants import HOUR, Instant
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import EachSignal, Hold, OpenCases, Purpose, Willingness
from foreword.domain.signals.log import NEVER_REACHED, Log, first_reaching
from tests.fakes.customers import FakeClock, FakeJournal, FakeStates, evaluate_triggers
from tests.reference.writing import CUSTOMER, T, book, cel, event, rule

SCORES = {"Refunded": -2, "Praised": 3}
THEN_FOR, AT_MOST, LASTS, WITHIN = 3 * HOUR, 9 * HOUR, 5 * HOUR, 6 * HOUR
CASES = OpenCases(
    opened=event("Opened"),
    closed=event("Closed"),
    by=cel("event.data.id"),
    hold=(Purpose.MARKETING,),
    then_for=THEN_FOR,
    at_most=AT_MOST,
)
HOLDS = Hold(purposes=(Purpose.SERVICE,), lasts=LASTS, until=event("CalledBack"))
SAVES = rule("leaving", {"leaving": EachSignal(of=event("Leaving"))}, name="saves", hold=HOLDS)
CORE = Core(
    book(
        SAVES,
        open_cases=(CASES,),
        willingness=Willingness(within=WITHIN, scores=SCORES, hold_marketing_below=0),
    )
)
KINDS = [*[("Opened", id) for id in "ab"], *[("Closed", id) for id in "ab"]]
KINDS += [(kind, "-") for kind in ("Leaving", "CalledBack", *SCORES)]

histories = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(KINDS), st.integers(0, 20)),
    max_size=12,
    unique_by=lambda it: it[0],
)
"""(hours after T, what, how many hours later it came)."""

History = Sequence[tuple[int, tuple[str, str], int]]


def open_cases(facts: Sequence[Fact], t: Instant) -> bool:
    """Walk a case from its opening: to its closing, or to the end of its time, and on from there."""
    for case in "ab":
        closed_at: Instant | None = None
        for one in facts:
            if one.type != "Opened" or one.data["id"] != case:
                continue
            if closed_at is not None and one.occurred_at < closed_at:
                continue  # it is open
            closings = [it.occurred_at for it in facts if it.type == "Closed" and it.data["id"] == case]
            later = [at for at in closings if at > one.occurred_at]
            closed_at = min([one.occurred_at + AT_MOST, *later])
            if one.occurred_at <= t < closed_at + THEN_FOR:
                return True
    return False


def leaving(facts: Sequence[Fact], t: Instant) -> bool:
    for one in facts:
        if one.type == "Leaving" and one.occurred_at <= t < one.occurred_at + LASTS:
            called = [it for it in facts if it.type == "CalledBack" and one.occurred_at < it.occurred_at]
            if not called:
                return True
    return False


def unwilling(facts: Sequence[Fact], t: Instant) -> bool:
    return sum(SCORES.get(it.type, 0) for it in facts if t - WITHIN < it.occurred_at <= t) < 0


def end(held: object, facts: Sequence[Fact], t: Instant) -> Instant:
    """Where it ends if nothing more comes: everything here begins and ends at whole hours."""
    assert callable(held)
    while held(facts, t):
        t += HOUR
    return t


@given(histories)
@example([(0, ("Opened", "a"), 0), (12, ("Opened", "a"), 0)])  # again, after it counted as closed
@example([(0, ("Opened", "a"), 0), (1, ("Closed", "a"), 0), (3, ("Closed", "a"), 0)])
@example([(0, ("Closed", "a"), 0), (8, ("Opened", "a"), 0)])
@example([(0, ("Leaving", "-"), 0), (4, ("CalledBack", "-"), 0), (5, ("Refunded", "-"), 0)])
@example([(0, ("Refunded", "-"), 0), (3, ("Refunded", "-"), 0), (4, ("Praised", "-"), 0)])
def test_the_state_tells_what_holds_messages_back_and_until_when(history: History) -> None:
    facts = [
        Fact("test", str(at), kind, CUSTOMER, T + at * HOUR, T + (at + late) * HOUR, {"id": id})
        for at, (kind, id), late in history
    ]
    clock, states, journal = FakeClock(T), FakeStates(), FakeJournal()
    evaluate = evaluate_triggers(CORE, clock, states, journal)
    for received_at in sorted({one.received_at for one in facts}):
        batch = [one for one in facts if one.received_at == received_at]
        for one in batch:
            journal.add(one)
        clock.instant = received_at
        evaluate(CUSTOMER, batch)
        known = sorted(
            (one for one in facts if one.received_at <= received_at), key=lambda it: it.occurred_at
        )
        state = states.state_of(CUSTOMER)
        for later in (0, 1, 4, 8):
            t = received_at + later * HOUR
            holds = holds_in(CORE.holds, CORE.trackers, state, t)
            marketing = holds.held_of(Purpose.MARKETING, "another", t)
            on_hold = open_cases(known, t)
            if on_hold or unwilling(known, t):
                cases_end = end(open_cases, known, t)
                until = max(cases_end, end(unwilling, known, t))
                assert marketing == (Reason.ON_HOLD if on_hold else Reason.UNWILLING, until)
            else:
                assert marketing is None
            service = holds.held_of(Purpose.SERVICE, "another", t)
            assert (service is not None) is leaving(known, t)
            if service is not None:
                assert service == (Reason.ON_HOLD, end(leaving, known, t))
            assert holds.held_of(Purpose.SERVICE, "saves", t) is None
            assert holds.held_of(Purpose.CRITICAL, "another", t) is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(-3, 3)), max_size=10).map(sorted),
    st.integers(0, 25),
    st.integers(1, 8),
    st.integers(-4, 4),
)
def test_the_line_is_reached_at_the_first_instant_at_which_the_window_sums_to_it(
    values: list[tuple[int, int]], t: int, within: int, least: int
) -> None:
    values = [(at, value) for at, value in values if at <= t]
    log = Log([at for at, _ in values], [Decimal(value) for _, value in values])

    def index(now: int) -> int:
        return sum(value for at, value in values if now - within < at <= now)

    reached = next((now for now in range(t, t + within + 1) if index(now) >= least), None)
    found = first_reaching(log, t, within, least)
    assert found == (NEVER_REACHED if reached is None else reached)
