"""How much is run: enough for a table to show, or just enough to see that everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """`rounds`: how often each engine's process is run, in turns, so that a busy minute of the machine meets all;
    `passes` over the events in each; `budget`: seconds of CPU after which a pass stops where it is; `warming`:
    seconds of CPU a JVM is given to get warm; `timeout`: seconds after which a process counts as hanging.
    """

    events: int
    customers: int
    rounds: int
    passes: int
    budget: float
    warming: float
    timeout: float
    days: int
    history: int
    calls: int


FULL = Settings(
    events=100_000,
    customers=10_000,
    rounds=3,
    passes=3,
    budget=3,
    warming=5,
    timeout=120,
    days=120,
    history=500_000,
    calls=400,
)
QUICK = Settings(
    events=10_000,
    customers=1_000,
    rounds=1,
    passes=2,
    budget=0.5,
    warming=1,
    timeout=30,
    days=40,
    history=50_000,
    calls=100,
)
