"""Ten points below the median of its peers over thirty days: on real funds, the core and pandas say the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from foreword.domain.core import Core
from foreword.domain.instants import DAY
from foreword.domain.peers import peers_decisions
from foreword.domain.replay import replay
from foreword.domain.rulebook import ChangeSignal, PeersSignal
from tests.oracle.samples import NAMES, facts_of, path_of
from tests.reference.writing import book, cel, event, rule

AT_LEAST = 3

BEHIND = rule(
    "behind <= -0.1",
    {
        "change": ChangeSignal(
            value=cel("event.data.amount"), of=event("valuation"), over=30 * DAY, stale_after=7 * DAY
        ),
        "behind": PeersSignal(
            signal="change",
            cohort=cel("event.data.peer"),
            statistic="median",
            at_least=AT_LEAST,
            period=DAY,
        ),
    },
)


@pytest.mark.parametrize("sample", [name for name in NAMES if name == "fund_nav"])
def test_ten_points_below_the_median_over_30_days_is_what_pandas_says(sample: str) -> None:
    core = Core(book(BEHIND)).as_live()
    histories = facts_of(sample)
    values = [
        value
        for customer_id, facts in histories.items()
        for value in replay(core, customer_id, {}, facts).peer_values
    ]
    end = max(fact.occurred_at for facts in histories.values() for fact in facts)
    found = {
        (decision.customer_id, decision.at): float(decision.signals["behind"])
        for decision in peers_decisions(core, BEHIND.rule, values, end)
    }
    expected = rises(compared(sample))
    assert len(expected) > 0
    assert found.keys() == expected.keys()
    assert [key for key in found if abs(found[key] - expected[key]) > 1e-9] == []


def compared(sample: str) -> Any:
    """Fund, time and distance from the median of its peers of the day, where enough of them have a change."""
    frame: Any = pd.read_csv(path_of(sample), dtype={"customer_id": str})
    frame["at"] = pd.to_datetime(frame["occurred_at"], utc=True)
    frame["peer"] = frame["data"].str.extract(r'"peer":\s*"([^"]*)"')
    frame = frame.sort_values("at", kind="stable")
    earlier = frame[["customer_id", "at", "amount"]].rename(columns={"amount": "before"})
    earlier["at"] = earlier["at"] + pd.Timedelta(days=30)
    changed: Any = pd.merge_asof(frame, earlier, on="at", by="customer_id", tolerance=timedelta(days=7))
    changed["change"] = changed["amount"] / changed["before"] - 1
    changed = changed.dropna(subset=["change"])
    changed["day"] = changed["at"].dt.floor("D")
    latest = changed.groupby(["customer_id", "day"], as_index=False).last()
    peers = latest.groupby(["day", "peer"])["change"]
    latest["behind"] = latest["change"] - peers.transform("median")
    return latest[peers.transform("size") >= AT_LEAST]


def rises(frame: Any) -> dict[tuple[str, int], float]:
    """Where a fund is ten points behind, and was not when it was last compared."""
    frame = frame.sort_values("day", kind="stable")
    behind = frame["behind"] <= -0.1
    was = behind.groupby(frame["customer_id"]).shift(fill_value=False)
    risen = frame[behind & ~was]
    instants = risen["at"].dt.as_unit("us").astype("int64")
    return dict(zip(zip(risen["customer_id"], instants, strict=True), risen["behind"], strict=True))
