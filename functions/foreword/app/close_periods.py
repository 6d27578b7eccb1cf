"""The tick's look at periods that are over: it begins their closes, and hands out again what got lost.

The closes of one rule go one after the other, in the order of their periods, because a rise is one against the
period before. Twice, late or never, the tick does no harm: a close begins by a conditional write, and a part
that is handed out twice is worked on twice, to the same effect.

| dies                                | leaves                           | mended by                         |
|-------------------------------------|----------------------------------|-----------------------------------|
| before a stage is written           | the close due                    | the next tick                     |
| after it, before its work is sent   | a stage nobody works on          | a tick LOOK_AGAIN_AFTER later     |
| in the middle of sending            | some of the parts worked on      | a tick LOOK_AGAIN_AFTER later     |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from foreword.app.ports import Clock, PeerCloses, WorkQueue
from foreword.domain.instants import Instant
from foreword.domain.peers import Comparison
from foreword.domain.peers_closing import LOOK_AGAIN_AFTER, Progress


@dataclass(slots=True)
class Closing:
    """Counts; `failed` holds the kinds of errors met, one a rule (or the index), which the next tick asks again."""

    begun: int = 0
    handed_out_again: int = 0
    withdrawn: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stages:
    """Taking a close from one stage to the next."""

    closes: PeerCloses
    queue: WorkQueue
    clock: Clock

    def go_on(self, progress: Progress) -> Progress | None:
        """Begin the next stage and send its work; None where another was first. Of several that try, one does."""
        following = progress.following(self.clock.now())
        if not self.closes.move(progress, following):
            return None
        self.queue.send(following.work())
        return following


@dataclass(frozen=True, slots=True)
class ClosePeriods:
    """`comparisons` are those of the published rulebook: a close by another definition is left to expire."""

    comparisons: Mapping[str, Comparison]
    closes: PeerCloses
    queue: WorkQueue
    clock: Clock

    def __call__(self) -> Closing:
        now = self.clock.now()
        done = Closing()
        try:
            due = sorted(set(self.closes.due(now)) & self.comparisons.keys())
        except Exception as error:  # noqa: BLE001  the tick has other things to do
            done.failed.append(type(error).__name__)
            return done
        for rule in due:
            try:
                self._look(rule, now, done)
            except Exception as error:  # noqa: BLE001  one rule's trouble must not hold up all others
                done.failed.append(type(error).__name__)
        return done

    def _look(self, rule: str, now: Instant, done: Closing) -> None:
        known = self.closes.of_rule(rule)
        ours = [one for one in known if one.close.digest == self.comparisons[rule].digest]
        # Whatever is not closed holds up all later periods.
        first = next((one for one in ours if not one.is_closed), None)
        if first is None or first.due_at is None or first.due_at > now:
            return
        stages = Stages(self.closes, self.queue, self.clock)
        if first.left:
            self.closes.look_again(first, now + LOOK_AGAIN_AFTER)
            self.queue.send(first.work())
            done.handed_out_again += 1
        elif first.stage is not None:  # its last worker died before it could begin the next stage
            stages.go_on(first)
            done.handed_out_again += 1
        elif _is_no_period_any_more(first, known):
            done.withdrawn += self.closes.move(first, first.closed())
        else:
            done.begun += stages.go_on(first) is not None


def _is_no_period_any_more(progress: Progress, known: Sequence[Progress]) -> bool:
    """A later one was compared already, and time does not run backwards; or the rule was changed in its midst.

    Then each definition has the values of some customers only, and a comparison among these would be a wrong one.
    """
    close = progress.close
    return any(
        one.close.period == close.period or (one.close.period > close.period and one.has_begun)
        for one in known
        if one is not progress
    )
