"""Several actors over one store, one store call at a time, in every order there is.

Each actor runs in a thread of its own and stops before each call of the store until it is its turn. `every_order`
tells a story again and again, each time with another order of turns, until none is left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

Actor = Callable[[Any], None]
"""Given the store to work on."""

PATIENCE = 20.0


class _Turns:
    """Whose turn it is. `choices` says at each step which of those that still run goes on; beyond it, the first."""

    def __init__(self, choices: Sequence[int]) -> None:
        self.choices = choices
        self.taken: list[tuple[int, int]] = []
        """At each step: which was chosen, of how many."""

        self.errors: list[BaseException] = []
        self._waits: dict[int, threading.Semaphore] = {}
        self._arrived = threading.Semaphore(0)
        self._running: list[int] = []

    def wait(self, actor: int) -> None:
        self._arrived.release()
        if not self._waits[actor].acquire(timeout=PATIENCE):
            raise TimeoutError("nobody gave it a turn")

    def run(self, store: Any, actors: Sequence[Actor]) -> None:
        self._running = list(range(len(actors)))
        self._waits = {actor: threading.Semaphore(0) for actor in self._running}
        threads = [
            threading.Thread(target=self._act, args=(number, actor, store), daemon=True)
            for number, actor in enumerate(actors)
        ]
        for thread in threads:
            thread.start()
            self._next()
        while self._running:
            at = len(self.taken)
            chosen = self.choices[at] % len(self._running) if at < len(self.choices) else 0
            self.taken.append((chosen, len(self._running)))
            self._waits[self._running[chosen]].release()
            self._next()
        for thread in threads:
            thread.join(PATIENCE)
        if self.errors:
            raise self.errors[0]

    def _next(self) -> None:
        if not self._arrived.acquire(timeout=PATIENCE):
            raise TimeoutError("an actor neither called the store nor ended")

    def _act(self, number: int, actor: Actor, store: Any) -> None:
        try:
            self.wait(number)
            actor(_Store(store, lambda: self.wait(number)))
        except BaseException as error:  # noqa: BLE001  told by the thread of the test
            self.errors.append(error)
        finally:
            self._running.remove(number)
            self._arrived.release()


class _Store:
    """The store as an actor sees it: each call waits for its turn, and happens whole."""

    def __init__(self, store: Any, turn: Callable[[], None]) -> None:
        self._store, self._turn = store, turn

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> Any:
            self._turn()
            return found(*args, **named)

        return call


def every_order(story: Callable[[], tuple[Any, Sequence[Actor]]], most: int = 20_000) -> Iterator[Any]:
    """The store after each order of its actors' calls; `story` sets the stage anew."""
    choices: list[int] = []
    for _ in range(most):
        store, actors = story()
        turns = _Turns(choices)
        turns.run(store, actors)
        yield store
        choices = [chosen for chosen, _ in turns.taken]
        # The next order: the last step that still has another choice takes it.
        while choices and choices[-1] + 1 == turns.taken[len(choices) - 1][1]:
            choices.pop()
        if not choices:
            return
        choices[-1] += 1
    raise AssertionError(f"there are more than {most} orders")


def some_orders(story: Callable[[], tuple[Any, Sequence[Actor]]], many: int, random: Random) -> Iterator[Any]:
    """The same for as many orders as asked for, where there are too many."""
    for _ in range(many):
        store, actors = story()
        _Turns([random.randrange(12) for _ in range(60)]).run(store, actors)
        yield store
