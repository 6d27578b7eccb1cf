"""An explanation for people: rule by rule, gate by gate, readable in 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from foreword.domain.instants import Instant, format_duration, format_instant, to_datetime
from foreword.domain.quiet_hours import zone_of
from foreword.domain.reasons import Reason
from foreword.explaining.delivery import cap_words
from foreword.explaining.explanation import (
    AllOf,
    CapExplained,
    CaseExplained,
    Change,
    ChannelGates,
    Comparison,
    Explanation,
    Held,
    MessageExplained,
    NextFiring,
    PeersExplained,
    RiseExplained,
    RuleExplained,
    SendGates,
    SignalExplained,
    Step,
    Truth,
)
from foreword.explaining.written import shown

SHOWN_RISES = 3
SHOWN_CASES = 5

_MARKS = {Truth.TRUE: "✓", Truth.FALSE: "✗", Truth.UNDEFINED: "✗", Truth.ASKS_EVENT: "?"}
_STYLES = {"✓": "green", "✗": "yellow", "?": "cyan"}


class ExplanationText:
    def __init__(self) -> None:
        self._console = Console(highlight=False, emoji=False)

    def show(self, told: Explanation) -> None:
        self._header(told)
        alone = len(told.rules) == 1
        for rule in sorted((rule for rule in told.rules if rule.touched or alone), key=_latest_first):
            self._rule(rule)
        self._untouched([rule for rule in told.rules if not (rule.touched or alone)])
        if told.other_messages:
            self._heading("Messages of rules that the rulebook does not have")
            for message in told.other_messages:
                self._message(message, 2)

    # The customer.

    def _header(self, told: Explanation) -> None:
        local = to_datetime(told.at).astimezone(zone_of(told.zone, told.zone))
        when = f"{local:%A} {local.day} {local:%B %Y}, {local:%H:%M} in {told.zone}"
        self._console.print(Text.assemble((told.customer_id, "bold"), f" at {format_instant(told.at)}"))
        self._line(when, 0, "dim")
        if told.events:
            self._line(f"{_many(told.events, 'event')} known, the latest of {_at(told.last_at)}.", 0)
        else:
            self._line("No event was known of this customer.", 0)
        if told.left_out:
            self._line(f"{_many(told.left_out, 'event')} that happened or came later are left out.", 0)
        if told.erased:
            self._line("The customer was erased: nothing is sent.", 0, "yellow")
        elif not told.has_profile:
            self._line("There is no profile: a message ends as NO_ADDRESS.", 0, "yellow")

    def _untouched(self, rules: Sequence[RuleExplained]) -> None:
        if not rules:
            return
        self._heading("Nothing that these rules ask about is known of the customer")
        for rule in rules:
            each = "" if rule.for_each is None else f", for each `{rule.for_each}`"
            self._line(f"{rule.rule} ({rule.mode}){each}", 0, "bold")
            for needed in rule.cases[0].needed:
                if needed.gate == "when":
                    self._change(needed.change, 2)

    # A rule.

    def _rule(self, rule: RuleExplained) -> None:
        self._heading(f"{rule.rule} ({rule.mode})")
        self._line(rule.why, 0, "italic")
        each = "" if rule.for_each is None else f", for each `{rule.for_each}` by itself"
        self._line(f"Asked {rule.asked}{each}.", 0)
        if rule.peers is not None:
            self._peers(rule.peers)
        for case in rule.cases[:SHOWN_CASES]:
            self._case(rule, case)
        others = len(rule.cases[SHOWN_CASES:]) + rule.other_cases
        if others:
            self._line(f"{_many(others, 'more case')}: --json tells of the latest ones.", 0)

    def _peers(self, peers: PeersExplained) -> None:
        if peers.compared is None:
            self._line("At no close so far has it been true.", 0)
        else:
            one = peers.compared
            beside = f"{shown(one.value)} beside {shown(one.statistic)} of the {one.members} in {one.cohort}"
            became = "true" if one.is_true else "false"
            self._line(f"It became {became} with the value of {_at(one.at)}: {beside}.", 0)
        own = "no value yet" if peers.own_value is None else f"the value {shown(peers.own_value)}"
        self._line(f"In the open period the customer has {own}; it closes at {_at(peers.closes_at)}.", 0)

    def _case(self, rule: RuleExplained, case: CaseExplained) -> None:
        if case.case is not None:
            self._console.print()
            self._line(f"Case {case.case}", 0, "bold")
        self._history(case)
        self._title("Signals now")
        for signal in case.signals:
            self._signal(signal)
        at_close = rule.peers is not None and rule.peers.compared is not None
        self._title("Gates, as of the last close that changed it" if at_close else "Gates now")
        self._condition("when", case.when, 2, f"true since {_at(case.since)}" if case.since else None)
        self._condition("eligible", case.eligible, 2)
        self._marked(case.held is None, f"re-eligibility: {_held(rule, case.held)}", 2)
        self._marked(rule.mode == "live", f"mode: {rule.mode}", 2)
        for asked in case.ifs:
            self._condition(f"if of {asked.message}", asked.condition, 2)
        for send in rule.delivery:
            self._send(send, 2, f"delivery of {send.message}, were it to fire now")
        if case.needed:
            self._title("What would have to change")
            for needed in case.needed:
                ends = needed.gate == "when" and case.when.truth is Truth.TRUE
                self._line(
                    f"{needed.gate}{', to rise again: it has to end first' if ends else ''}", 2, "bold"
                )
                self._change(needed.change, 4)
        self._title("Next firing, if nothing else happens")
        self._next(case.next)

    def _signal(self, signal: SignalExplained) -> None:
        value = "undefined" if signal.value is None else shown(signal.value)
        self._line(f"{signal.name} = {value}: {signal.made_of}", 2)
        if signal.undefined is not None:
            self._line(signal.undefined, 6, "yellow")
        for note in signal.notes:
            self._line(note, 6, "dim")
        earlier = signal.events - len(signal.latest)
        if earlier > 0:
            self._line(f"{earlier} earlier ones, then", 6, "dim")
        for one in signal.latest:
            value = "" if one.value is None else f"  {shown(one.value)}"
            self._line(f"{_at(one.at)}  {one.type}  {one.id}{value}", 6, "dim")
        for deadline in signal.waits_for:
            self._line(f"waits until {deadline}", 6, "dim")

    def _condition(self, gate: str, condition: Comparison, indent: int, also: str | None = None) -> None:
        truth = f"{gate}: {condition.truth}{f', {also}' if also else ''}"
        self._marked(condition.truth, truth, indent)
        if condition.text != condition.truth:
            self._comparison(condition, indent + 4)

    def _comparison(self, condition: Comparison, indent: int) -> None:
        told = condition.text
        if not condition.parts and condition.with_values != condition.text:
            told += f"   ({condition.with_values})"
        if condition.because is not None:
            told += f"   ({condition.because})"
        self._marked(condition.truth, told, indent)
        for part in condition.parts:
            self._comparison(part, indent + 4)

    def _send(self, send: SendGates, indent: int, title: str) -> None:
        verdict = "open" if send.verdict == Reason.SENT else send.verdict
        until = f" until {_at(send.until)}" if send.until is not None else ""
        self._marked(send.verdict == Reason.SENT, f"{title}: {verdict}{until}", indent)
        for channel in send.channels:
            self._marked(channel.closed_by is None, _channel(channel, send.topic), indent + 4)
        for hold in send.holds:
            self._marked(False, f"{hold.reason}: {hold.why}; it ends {hold.ends}", indent + 4)
        for cap in send.caps:
            self._cap(cap, indent + 4)
        self._line(f"quiet hours: {send.quiet_hours}", indent + 6)
        for note in send.notes:
            self._line(note, indent + 6)

    def _cap(self, cap: CapExplained, indent: int) -> None:
        full = cap.free_at is not None
        again = f", room again at {_at(cap.free_at)}" if full else ""
        self._marked(not full, f"{cap_words(cap)}: {len(cap.taken)} taken{again}", indent)
        for one in cap.taken:
            sent = "waits" if one.at is None else f"claimed at {_at(one.at)}"
            self._line(
                f"{one.message} ({sent}, score {one.score}), until {_at(one.free_at)}", indent + 6, "dim"
            )

    def _next(self, coming: NextFiring) -> None:
        for skipped in coming.skipped[:SHOWN_RISES]:
            self._line(f"{_at(skipped.at)}: it would rise, but {skipped.reason}", 2)
        if coming.at is None:
            self._line(coming.why, 2)
            return
        self._line(f"{_at(coming.at)}, by {coming.why}", 2, "bold")
        if coming.decided_at != coming.at:
            self._line(f"decided at {_at(coming.decided_at)}", 2)

    # What happened.

    def _history(self, case: CaseExplained) -> None:
        self._title("What happened")
        if not case.rises and not case.unmatched:
            self._line("the condition has not become true", 2)
        earlier = case.earlier_rises + len(case.rises[:-SHOWN_RISES])
        if earlier > 0:
            self._line(f"{_many(earlier, 'earlier rise')} (--json tells of more), then", 2, "dim")
        for rise in case.rises[-SHOWN_RISES:]:
            self._rise(rise)
        for message in case.unmatched:
            self._line("recorded, though the condition did not rise there by this rulebook and journal:", 2)
            self._message(message, 4)

    def _rise(self, rise: RiseExplained) -> None:
        self._line(f"{_at(rise.at)} it rose, by {rise.caused_by}", 2, "bold")
        self._condition("when", rise.when, 4)
        self._condition("eligible", rise.eligible, 4)
        if rise.eligible.truth is Truth.TRUE:
            self._marked(rise.held is None, f"re-eligibility: {_held_then(rise.held)}", 4)
        if rise.eligible.truth is Truth.TRUE and rise.held is None:
            self._marked(rise.mode == "live", f"mode: {rise.mode}", 4)
            for asked in rise.ifs:
                self._condition(f"if of {asked.message}", asked.condition, 4)
        fired = rise.outcome == "fired"
        decided = f" (decided at {_at(rise.decided_at)})" if rise.decided_at is not None else ""
        told = rise.outcome if rise.recorded else f"it would have been {rise.outcome}"
        self._marked(fired, f"outcome: {told}{decided}", 4)
        if rise.note is not None:
            self._line(rise.note, 6, "yellow")
        for message in rise.messages:
            if fired:
                self._message(message, 4)

    def _message(self, message: MessageExplained, indent: int) -> None:
        outcome = message.reason or message.status
        by = f" by {message.channel}" if message.channel and message.status == "SENT" else ""
        at = f" at {_at(message.at)}" if message.at is not None else ""
        until = f" until {_at(message.until)}" if message.until is not None else ""
        later = ", which was later than is asked about" if message.later else ""
        sent = message.status == "SENT"
        self._marked(sent, f"message {message.message}: {outcome}{by}{until or at}{later}", indent)
        for line in message.because:
            self._line(line, indent + 2)
        if message.another_rulebook:
            self._line("decided by an earlier rulebook", indent + 2, "dim")
        if message.gates is not None:
            for channel in message.gates.channels:
                self._marked(channel.closed_by is None, _channel(channel, message.gates.topic), indent + 4)
            for cap in message.gates.caps if message.reason == Reason.CAPPED else ():
                self._cap(cap, indent + 4)

    # Words on the screen.

    def _change(self, change: Change, indent: int) -> None:
        if isinstance(change, Step):
            self._marked(None, change.text, indent)
            return
        self._line("all of these:" if isinstance(change, AllOf) else "one of these:", indent)
        for part in change.all_of if isinstance(change, AllOf) else change.any_of:
            self._change(part, indent + 2)

    def _heading(self, words: str) -> None:
        self._console.print()
        self._console.rule(Text(words, style="bold"), align="left", style="dim")

    def _title(self, words: str) -> None:
        self._console.print()
        self._line(words, 0, "bold underline")

    def _marked(self, is_open: bool | Truth | None, words: str, indent: int) -> None:
        """With a mark for open or closed, and its own lines hanging below it."""
        if is_open is None:
            mark = "·"
        else:
            mark = _MARKS[is_open] if isinstance(is_open, Truth) else "✓" if is_open else "✗"
        table = Table.grid(padding=(0, 1))
        table.add_row(Text(mark, style=_STYLES.get(mark, "")), Text(words))
        self._console.print(Padding(table, (0, 0, 0, indent), expand=False))

    def _line(self, words: str, indent: int, style: str = "") -> None:
        self._console.print(Padding(Text(words, style=style), (0, 0, 0, indent), expand=False))


def _latest_first(rule: RuleExplained) -> tuple[Instant, str]:
    return -max((rise.at for case in rule.cases for rise in case.rises), default=0), rule.rule


def _held(rule: RuleExplained, held: Held | None) -> str:
    if rule.re_eligible_after is None:
        return "no pause after a firing"
    pause = format_duration(rule.re_eligible_after)
    if held is None:
        return f"no firing of the last {pause} holds it"
    return f"the firing at {_at(held.at)} holds it until {_at(held.allowed_from)} ({pause})"


def _held_then(held: Held | None) -> str:
    if held is None:
        return "no earlier firing held it"
    return f"the firing at {_at(held.at)} held it until {_at(held.allowed_from)}"


def _channel(channel: ChannelGates, topic: str) -> str:
    if channel.closed_by == Reason.NO_CONSENT:
        return f"{channel.channel}: NO_CONSENT for {topic}: {channel.consent}"
    address = {True: "", False: "; no address", None: "; whether there was an address is not known"}[
        channel.address
    ]
    closed = "" if channel.closed_by is None else f"{channel.closed_by}: "
    return f"{channel.channel}: {closed}consent for {topic}: {channel.consent}{address}"


def _at(instant: Instant | None) -> str:
    return "" if instant is None else format_instant(instant)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
