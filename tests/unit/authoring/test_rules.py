"""A rule file becomes a rule, or errors that say where and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rulebook import load_rulebook
from foreword.domain.instants import DAY, HOUR, MINUTE
from foreword.domain.rulebook import (
    AbsenceSignal,
    ChangeSignal,
    Channel,
    CountSignal,
    EachSignal,
    Mode,
    Policy,
    Purpose,
    RatioSignal,
    Rule,
    Schedule,
    Send,
    Signal,
)
from tests.unit.authoring.rulebooks import RULE, write_rulebook

CODES = "codes: [E10, E11]\n"
WINDOW = "    within: 7d\n"


def load(directory: Path, text: str, **files: str) -> Rule:
    return load_rulebook(write_rulebook(directory, stuck=text, **files)).rules[0].rule


def errors(directory: Path, text: str, **files: str) -> list[str]:
    """Each as line:column: words."""
    with pytest.raises(RulebookErrors) as refused:
        load(directory, text, **files)
    prefix = str(directory / "rules" / "stuck.yaml") + ":"
    return [str(error).removeprefix(prefix) for error in refused.value.errors]


def with_signal(signal: str, when: str = "x > 1") -> str:
    head, rest = RULE.split("signals:\n")
    return f"{head}signals:\n  x: {signal}\nwhen: '{when}'\n{rest.split(chr(10), 5)[5]}"


def listed(rule: str) -> str:
    """With its send as the one of SEND."""
    head, rest = rule.split("send:\n")
    return f"{head}{SEND}tests:\n{rest.split('tests:' + chr(10))[1]}"


def test_a_rule_is_read_whole(tmp_path: Path) -> None:
    rule = load(tmp_path, RULE)
    assert (rule.rule, rule.owner, rule.mode) == ("stuck", "care-team", Mode.LIVE)
    assert (rule.when.source, rule.re_eligible_after) == ("contacts >= 3", 14 * DAY)
    signal = rule.signals["contacts"]
    assert isinstance(signal, CountSignal)
    assert (signal.of.types, signal.within, signal.reset) == (("SupportContactOpened",), 7 * DAY, None)
    assert rule.sends[0] == Send(
        message="stuck",
        purpose=Purpose.SERVICE,
        topic="care",
        channels=(Channel.EMAIL, Channel.SMS),
        priority=80,
        expires_after=24 * HOUR,
    )
    assert (rule.exceptions, rule.hold, rule.experiment) == (None, None, None)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    text = RULE
    for line in (
        "mode: live",
        "eligible: 'profile.segment != \"staff\"'",
        "re_eligible_after: 14d",
        "  priority: 80",
    ):
        text = text.replace(f"{line}\n", "")
    rule = load(tmp_path, text.replace("  expires_after: 24h\n", ""))
    assert (rule.mode, rule.re_eligible_after) == (Mode.DRAFT, 30 * DAY)
    assert rule.eligible.tree == ["bool", True]
    assert (rule.sends[0].priority, rule.sends[0].expires_after) == (50, 24 * HOUR)


def test_no_re_eligibility_must_be_written(tmp_path: Path) -> None:
    assert load(tmp_path, RULE.replace("after: 14d", "after: none")).re_eligible_after is None


def test_one_send_may_stand_in_a_list(tmp_path: Path) -> None:
    head, rest = RULE.split("send:\n")
    send, tests = rest.split("tests:\n")
    listed = "  - " + send.strip().replace("\n", "\n  ") + "\n"
    assert (
        load(tmp_path, f"{head}send:\n{listed}tests:\n{tests}").sends == load(tmp_path / "other", RULE).sends
    )


@pytest.mark.parametrize(
    ("text", "signal", "when"),
    [
        ("{count: A}", CountSignal(of={"types": ["A"]}), "x > 1"),
        (
            "{count: [A, B], reset: C, within: 30m}",
            CountSignal(of={"types": ["A", "B"]}, reset={"types": ["C"]}, within=30 * MINUTE),
            "x > 1",
        ),
        ('{count: "*", within: 400d}', CountSignal(of={"types": None}, within=400 * DAY), "x > 1"),
        (
            "{ratio: A, to: B, at_least: 4, within: 2w}",
            RatioSignal(of={"types": ["A"]}, to={"types": ["B"]}, at_least=4, within=14 * DAY),
            "x > 1",
        ),
        ("{each: [A, B]}", EachSignal(of={"types": ["A", "B"]}), "x"),
        (
            "{absence: A, after: B, within: 3d, timer: last}",
            AbsenceSignal(absence={"types": ["A"]}, after={"types": ["B"]}, within=3 * DAY, timer="last"),
            "x",
        ),
        (
            "{absence: A, after: B, within: 3d}",
            AbsenceSignal(absence={"types": ["A"]}, after={"types": ["B"]}, within=3 * DAY, timer="each"),
            "x",
        ),
    ],
)
def test_every_built_signal(tmp_path: Path, text: str, signal: Signal, when: str) -> None:
    assert load(tmp_path, with_signal(text, when)).signals["x"] == signal


def test_a_change_and_an_absence_until_carry_expressions(tmp_path: Path) -> None:
    change = load(tmp_path, with_signal("{change: event.data.value, of: A, over: 30d}")).signals["x"]
    assert isinstance(change, ChangeSignal)
    assert (change.value.source, change.over, change.stale_after) == ("event.data.value", 30 * DAY, 7 * DAY)
    until = "'timestamp(event.data.promised) + duration(\"72h\")'"
    absence = load(tmp_path, with_signal(f"{{absence: A, after: B, until: {until}}}", "x")).signals["x"]
    assert isinstance(absence, AbsenceSignal)
    assert absence.within is None
    assert absence.until is not None


def test_a_condition_beside_an_event_joins_the_one_inside_and_never_the_reset(tmp_path: Path) -> None:
    signal = load(
        tmp_path,
        with_signal(
            "{count: {type: [A, B], where: 'event.data.b'}, where: 'event.data.a', reset: {type: C}}"
        ),
    ).signals["x"]
    assert isinstance(signal, CountSignal)
    assert signal.of.where is not None
    assert signal.of.where.source == "(event.data.a) && (event.data.b)"
    assert signal.of.where.tree[0] == "&&"
    assert signal.reset is not None
    assert signal.reset.where is None


def test_lists_are_known_to_conditions(tmp_path: Path) -> None:
    text = with_signal("{each: {type: A, where: 'event.data.code in lists.codes'}}", "x")
    assert load(tmp_path, text, lists=CODES).signals


CHANNEL = "'event.data.channel != \"survey\"'"
AT = "{at: 2026-03-02T09:00:00Z, "
SENT = "{message: stuck, channel: email}"

SEND = """\
send:
  - message: stuck
    purpose: service
    topic: care
    channels: [email, sms]
    if: 'contacts > 5'
"""

CALL = SEND[6:].replace("stuck", "call").replace("[email, sms]", "[task]").replace(" > 5", " > 9")

REFUSED = [
    # whole documents and keys
    ("rule: stuck\n", "rule: stuck\nowners: x\n", "2:1: unknown key 'owners' of a rule; did you mean 'owner'?"),
    ("rule: stuck", "rule: Stuck", "1:7: 'Stuck' is not kebab-case (small letters, digits, hyphens); did you mean"),
    ("rule: stuck", "rule: lost", "1:7: the rule 'lost' must stand in a file of its name, lost.yaml"),
    ("owner: care-team\n", "", "1:1: a rule needs 'owner'"),
    ("owner: care-team", "owner:", "3:1: 'owner' has no value"),
    ("owner: care-team", "owner: 7", "3:8: a text is needed here, not a number"),
    ("owner: care-team", "owner: x\nowner: y", "4:1: 'owner' stands twice; the first is in line 3"),
    ("mode: live", "mode: alive", "4:7: unknown mode 'alive'; did you mean 'live'?"),
    ("mode: live", "mode: live\nrepeat: always", "5:9: unknown way to repeat 'always'; known are: while_true"),
    ("mode: live", "mode: live\nfor_each: profile.x", "5:11: 'profile' is not known here: a case is named by the"),
    ("mode: live", "mode: live\nfor_each: '\"x\"'", "5:11: 'for_each' names nothing of the event"),
    ("mode: live", "mode: live\nfor_each: event.occurred_at", "5:11: this is a timestamp; a string or a number is"),
    ("mode: live", "mode: live\nevaluate: {every: 1w}", "5:11: 'evaluate' needs 'at'"),
    ("mode: live", "mode: live\nevaluate: {every: 36h, at: '06:00'}", "5:19: 36h is not a number of whole days"),
    ("mode: live", "mode: live\nevaluate: {every: 401d, at: '06:00'}", "5:19: 401d is longer than the policy's"),
    ("mode: live", "mode: live\nevaluate: {every: 1d, at: Mon 06:00}", "5:27: a weekday goes with whole weeks"),
    ("mode: live", "mode: live\nevaluate: {every: 1w, at: monday 06:00}", "5:27: a time like \"06:00\" or \"Mon 0"),
    ("mode: live", "mode: live\nevaluate: {every: 1w, at: 6}", "5:27: a time like \"06:00\" or \"Mon 06:00\" is"),
    (WINDOW, "    within:\n", "9:5: 'within' has no value"),
    (f"    where: {CHANNEL}\n", "    where:\n", "8:5: 'where' has no value; put the condition in quotes"),
    ("  contacts:\n", "  y: {sum: event.data.x, within: }\n  contacts:\n", "6:26: 'within' has no value"),
    ("  contacts:\n", "  y: {each: A, where: x == 'a', b'}\n  contacts:\n", "6:33: 'b'' has no value; put the"),
    # windows
    (WINDOW, "    within: 7\n", "9:13: '7' is not a duration like 90s, 30m, 6h, 7d or 2w; did you mean '7d'?"),
    (WINDOW, "    within: 12 Hours\n", "9:13: '12 Hours' is not a duration like 90s, 30m, 6h, 7d or 2w; did you"),
    (WINDOW, "    within: P7D\n", "9:13: 'P7D' is not a duration like 90s, 30m, 6h, 7d or 2w; did you mean '7d'?"),
    (WINDOW, "    within: soon\n", "9:13: 'soon' is not a duration like 90s, 30m, 6h, 7d or 2w"),
    (WINDOW, "\twithin: 7d\n", "9:1: a tab stands here; YAML is indented with spaces"),
    ("priority: 80", "priority: '80'", "17:13: a whole number from 1 to 100 is needed here, without quotes"),
    (WINDOW, "    within: 0d\n", "9:13: a duration of zero is no duration"),
    (WINDOW, "    within: 401d\n", "9:13: 401d is further back than the policy's retention of 400d keeps events"),
    (WINDOW, WINDOW + "    wher: 'true'\n", "10:5: unknown key 'wher' of a count signal; did you mean 'where'?"),
    # conditions
    ("when: 'contacts >= 3'", "when: contacts >= 3", "10:7: put the condition in quotes"),
    ("when: 'contacts >= 3'", "when: true", "10:7: put the condition in quotes"),
    ("when: 'contacts >= 3'", "when: !contacts", "10:7: '!contacts' is a YAML tag, which is not allowed; put the"),
    ("when: 'contacts >= 3'", "when: 'contcts >= 3'", "10:8: unknown name 'contcts'; did you mean 'contacts'?"),
    ("when: 'contacts >= 3'", "when: 'contacts >= \"3\"'", "10:8: 'contacts >= \"3\"': a number >= a string"),
    ("when: 'contacts >= 3'", "when: 'contacts >= 3 &&'", "10:24: the condition ends where more is needed"),
    ("when: 'contacts >= 3'", "when: |\n  contacts >= 3 &&\n    bad", "12:5: unknown name 'bad'"),
    ("when: 'contacts >= 3'", "when: >\n  contacts >= 3\n  && bad", "10:7: unknown name 'bad'"),
    ("when: 'contacts >= 3'", "when: 'profile.vip'", "10:7: 'when' uses no signal, so it would never be evaluated"),
    ("when: 'contacts >= 3'", "when: 'contacts'", "10:8: this is a number; a boolean is needed here"),
    (CHANNEL, "'contacts > 1'", "8:13: 'contacts' is a signal, and signals are not known"),
    (CHANNEL, "'event.dat.x'", "8:13: unknown name 'event.dat'; did you mean 'event.data'"),
    ("'profile.segment != \"staff\"'", "'profile.email != \"\"'", "11:12: profile.email is an address"),
    ("re_eligible_after: 14d", "re_eligible_after: null", "12:20: where a firing sets no pause, write none"),
    ("re_eligible_after: 14d", "re_eligible_after: 0d", "12:20: where a firing sets no pause, write none"),
    ("when: 'contacts >= 3'", "when: 'willingness < 0'", "10:8: 'willingness' is not known here: policy.yaml sets"),
    ("when: 'contacts >= 3'", "when: 'has(contacts)'", "10:8: 'contacts' is a signal, and has() asks for a field"),
    ("  contacts:\n", "  contacts:\n    per: rule\n", "7:10: unknown scope of a signal 'rule'; known are: custome"),
    (CHANNEL, "'willingness > 1'", "8:13: 'willingness' is a signal, and signals are not known here"),
    # send
    ("  message: stuck\n", "", "14:3: 'send' needs 'message'"),
    ("message: stuck\n", "message: Stuck Again\n", "14:12: 'Stuck Again' is not kebab-case"),
    ("purpose: service", "purpose: servce", "15:12: unknown purpose 'servce'; did you mean 'service'?"),
    ("priority: 80", "priority: 101", "17:13: a whole number from 1 to 100 is needed here"),
    ("priority: 80", "priority: 1e999", "17:13: a whole number from 1 to 100 is needed here"),
    ("expires_after: 24h", "expires_after: 99999w", "19:18: no duration is longer than 10000d"),
    ("priority: 80", "priority: 1.5", "17:13: a whole number from 1 to 100 is needed here"),
    ("[email, sms]", "[e-mail]", "18:14: unknown channel 'e-mail'; did you mean 'email'?"),
    ("[email, sms]", "[sms, sms]", "18:19: the channel 'sms' stands twice"),
    ("[email, sms]", "[]", "18:13: 'channels' must not be empty"),
    ("  topic: care\n", "  topic: care\n  if: contacts > 5\n", "17:7: put the condition in quotes"),
    ("  topic: care\n", "  topic: care\n  if: 'contcts > 5'\n", "17:8: unknown name 'contcts'; did you mean 'cont"),
    (SEND, SEND.replace("  - m", "  - message: stuck\n    priority: 0\n  - m"), "14:5: 'send' needs 'purpose'"),
    (SEND, SEND + SEND[5:], "20:14: the message 'stuck' is sent twice by this rule; once is enough"),
    # tests
    ("- name: one contact", "- name: three contacts", "29:5: a second test is named 'three contacts'"),
    ("customer: {segment: retail}", "policy: 1", "22:13: true or false is needed here, not a number"),
    ("customer: {segment: retail}", "others: []", "22:13: 'others' must not be empty"),
    ("customer: {segment: retail}", "others: [{customer: {}}]", "22:14: one of the others needs 'given'"),
    ("customer: {segment: retail}", "others: [{customer_id: customer, given: []}]", "22:14: a second customer is"),
    ("customer: {segment: retail}", "others: [{customer_id: a, given: []}, {customer_id: a, given: []}]", "22:43:"),
    (AT, "{retracts: given-9, at: 2026-03-02T09:00:00Z, ", "24:9: no given event of the source 'test' has the id"),
    ("customer: {segment: retail}", "until: 2026-03-03T00:00:00Z", "22:12: 'until' is before the last given event"),
    (AT, "{at: 2026-03-02T09:00:00, ", "24:14: '2026-03-02T09:00:00' is not a time like"),
    (AT, "{", "24:9: a given event needs 'at'"),
    (SENT, "{message: stuk, channel: email}", "28:19: the rule does not send 'stuk'; did"),
    (SENT, "{message: stuck, channel: post}", "28:35: unknown channel 'post'"),
    (SENT, "{message: stuck, skipped: NOT_ELIGIBLE}", "28:9: an expectation is either {message, channel} or"),
    (SENT, "{message: stuck, channel: task}", "28:35: the rule does not send it by task, only by email, sms"),
    (SENT, "{skipped: NOT_ELIGABLE}", "28:19: unknown reason in a test 'NOT_ELIGABLE'; did"),
    ("expect: []", "given: none", "33:5: 'given' stands twice"),
    ("customer: {segment: retail}", "customer: retail", "22:15: 'customer' must be a mapping of profile fields"),
    ("data: {channel: phone}", "data: phone", "24:71: 'data' must be a mapping"),
    ("customer: {segment: retail}", "others: [{given: none}]", "22:22: 'given' must be a list of events"),
    ("expect: []", "expect: none", "33:13: 'expect' must be a list; [] where no message is expected"),
]  # fmt: skip


@pytest.mark.parametrize("empty", ["|", "|-", ">", "|\n\n", "''"])
def test_a_condition_left_empty_is_refused_at_its_place(tmp_path: Path, empty: str) -> None:
    found = errors(tmp_path, RULE.replace("'contacts >= 3'", empty))
    assert found
    assert found[0].startswith(("10:7: the condition is empty", "10:8: the condition is empty"))


@pytest.mark.parametrize(("old", "new", "expected"), REFUSED)
def test_refused_with_place_and_words(tmp_path: Path, old: str, new: str, expected: str) -> None:
    rule = listed(RULE) if old == SEND else RULE
    assert old in rule
    found = errors(tmp_path, rule.replace(old, new, 1))
    assert any(error.startswith(expected) for error in found), found
    assert ("put the" in expected) or not any("; put the condition in quotes" in error for error in found)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("{cuont: A}", "6:7: unknown signal kind 'cuont'; did you mean 'count'?"),
        ("{within: 7d}", "6:6: a signal needs a kind; known are: count, sum"),
        ("{count: A, each: B}", "6:6: a signal is of one kind, and this is count and each"),
        ("count", "6:6: a signal is a mapping such as {count: SomethingHappened, within: 7d}"),
        ("{ratio: A, to: B}", "6:6: a ratio signal needs 'at_least'"),
        ("{ratio: A, at_least: 4}", "6:6: a ratio signal needs 'to'"),
        ("{ratio: A, to: B, at_least: 0}", "6:34: a whole number from 1 to"),
        (
            "{ratio: A, to: B, at_least: 4, where: 'true'}",
            "6:37: a ratio signal has no 'where' of its own; write it inside the event",
        ),
        ("{each: A, within: 7d}", "6:16: unknown key 'within' of an each signal"),
        ("{each: []}", "6:13: the list of event types must not be empty"),
        ("{each: [A, A]}", "6:17: 'A' stands twice in the list"),
        ('{each: [A, "*"]}', '6:17: "*" means any event: write it alone'),
        ("{each: *}", "6:13: '*' begins a YAML alias, which is not allowed; write \"*\" in quotes"),
        ("{each: Support Contact}", "6:13: 'Support Contact' is not an event type"),
        ("{each: {where: 'true'}}", "6:13: an event needs 'type'"),
        ("{each: {type: A, were: 'true'}}", "6:23: unknown key 'were' of an event; did you mean 'where'?"),
        ("{absence: A, after: B}", "6:6: an absence signal needs 'within' or 'until', and not both"),
        (
            "{absence: A, after: B, within: 1d, until: event.data.x}",
            "6:6: an absence signal needs 'within' or 'until'",
        ),
        (
            "{absence: A, after: B, until: '1 + 1'}",
            "6:37: this is a number; a timestamp or a string is needed here",
        ),
        ("{absence: A, after: B, within: 3d, timer: lst}", "6:48: unknown timer 'lst'; did you mean 'last'?"),
        ("{change: event.data.x, of: A}", "6:6: a change signal needs 'over'"),
        (
            "{change: event.data.x, of: A, over: 399d}",
            "6:42: 406d is further back than the policy's retention",
        ),
        (
            "{change: event.dat.x, of: A, over: 3d}",
            "6:15: unknown name 'event.dat'; did you mean 'event.data'?",
        ),
        ("{change: event.type, of: A, over: 3d}", "6:15: this is a string; a number is needed here"),
    ],
)
def test_a_signal_is_refused_with_place_and_words(tmp_path: Path, signal: str, expected: str) -> None:
    found = errors(tmp_path, with_signal(signal))
    assert [error for error in found if error.startswith(expected)], found


@pytest.mark.parametrize("name", ["event", "profile", "lists", "case", "in", "willingness"])
def test_a_signal_cannot_take_a_name_that_means_something_else(tmp_path: Path, name: str) -> None:
    found = errors(tmp_path, RULE.replace("  contacts:\n", f"  {name}:\n"))
    assert found[0].startswith(f"6:3: '{name}' cannot name a signal")


def test_the_errors_of_all_files_come_together(tmp_path: Path) -> None:
    other = RULE.replace("rule: stuck", "rule: other").replace("mode: live", "mode: alive")
    bad = RULE.replace("purpose: service", "purpose: servce").replace("within: 7d", "within: 7")
    with pytest.raises(RulebookErrors) as refused:
        load_rulebook(
            write_rulebook(tmp_path, stuck=bad, other=other, policy="settle: soon\n", lists="a: []\n")
        )
    files = [(Path(error.file).name, error.line) for error in refused.value.errors]
    assert files == [
        ("lists.yaml", 1),
        ("policy.yaml", 1),
        ("other.yaml", 4),
        ("stuck.yaml", 9),
        ("stuck.yaml", 15),
    ]


def test_stray_files_are_refused(tmp_path: Path) -> None:
    write_rulebook(tmp_path)
    (tmp_path / "rules" / "old.yml").write_text(RULE)
    with pytest.raises(RulebookErrors) as refused:
        load_rulebook(tmp_path)
    assert [error.message for error in refused.value.errors] == [
        "not a rule: a rule stands in a file NAME.yaml"
    ]


def test_the_folder_of_rules_may_be_named_itself(tmp_path: Path) -> None:
    coded = RULE.replace(CHANNEL, "'event.data.code in lists.codes'").replace("contacts >= 3", "shared > 1")
    shared = "shared: {count: A}\n"
    write_rulebook(tmp_path, stuck=coded, lists=CODES, signals=shared, policy="settle: 1m\n")
    beside = load_rulebook(tmp_path / "rules")
    assert beside == load_rulebook(tmp_path, beside.policy) != load_rulebook(tmp_path, Policy())
    assert beside.policy.settle == MINUTE

    alone = tmp_path / "alone"
    (alone / "messages").mkdir(parents=True)
    for name, text in (("stuck", coded), ("lists", CODES), ("signals", shared)):
        (alone / f"{name}.yaml").write_text(text)
    loaded = load_rulebook(alone)
    assert (loaded.lists, list(loaded.shared.signals)) == ({"codes": ("E10", "E11")}, ["shared"])
    assert [authored.rule.digest for authored in loaded.rules] == [beside.rules[0].rule.digest]

    (tmp_path / "rules" / "lists.yaml").write_text(CODES)
    with pytest.raises(RulebookErrors):  # beside a folder of rules, every file in it is one
        load_rulebook(tmp_path)


def test_only_what_decides_changes_the_digest(tmp_path: Path) -> None:
    def digest(number: int, text: str, **files: str) -> str:
        return load(tmp_path / str(number), text, **files).digest

    first = digest(1, RULE, lists=CODES)
    reworded = RULE.replace("'contacts >= 3'", "'contacts  >=  3'").replace("why: Three", "why: Some")
    reworded = reworded.replace('channel != "survey"', "channel!='survey'".replace("'", "''"))
    resent = reworded.replace("topic: care", "topic: help").replace("mode: live", "mode: shadow")
    assert digest(2, resent, lists="codes: [E12]\n") == first
    assert digest(3, RULE.replace("contacts >= 3", "contacts >= 4")) != first
    assert digest(4, RULE.replace("within: 7d", "within: 8d")) != first
    assert digest(5, RULE.replace("re_eligible_after: 14d", "re_eligible_after: none")) != first
    assert digest(6, RULE.replace('"staff"', '"none"')) != first
    coded = RULE.replace(CHANNEL, "'event.data.code in lists.codes'")
    assert digest(7, coded, lists=CODES) != digest(8, coded, lists="codes: [E12]\n")
    assert digest(9, f"for_each: event.data.x\n{RULE}") != first
    assert digest(10, f"repeat: while_true\n{RULE}") != first
    scheduled = f"evaluate: {{every: 1d, at: '06:00'}}\n{RULE}"
    assert digest(11, scheduled) not in (first, digest(12, scheduled.replace("06", "07")))
    vienna = "default_timezone: Europe/Vienna\n"
    assert digest(13, scheduled, policy=vienna) != digest(14, scheduled)
    assert digest(15, RULE, lists=CODES, policy=vienna) == first
    assert digest(16, listed(RULE)) not in (first, digest(17, listed(RULE).replace("> 5", "> 6")))
    held = RULE.replace("contacts >= 3", "contacts >= 3 && willingness < 0")
    scores = "willingness: {scores: {A: 1}}\n"
    assert digest(18, held, policy=scores) != digest(19, held, policy=scores.replace("1", "2"))
    assert digest(20, RULE.replace("    within", "    per: customer\n    within")) != first
    steps = with_signal("{sequence: [A, {type: B, where: 'event.data.b > 1'}], within: 7d}", "x")
    assert digest(21, steps) != digest(22, steps.replace("b > 1", "b > 2"))
    assert digest(21, steps) == digest(23, steps.replace("b > 1", "b  >  1"))


def test_schedules_are_whole_days_or_whole_weeks_on_a_weekday(tmp_path: Path) -> None:
    def schedule(number: int, every: str, at: str) -> Schedule | None:
        return load(tmp_path / str(number), f"evaluate: {{every: {every}, at: '{at}'}}\n{RULE}").evaluate

    assert schedule(1, "1d", "06:30") == Schedule(every=DAY, at=390)
    assert schedule(2, "48h", "00:00") == Schedule(every=2 * DAY, at=0)
    assert schedule(3, "1w", "Mon 06:00") == Schedule(every=7 * DAY, at=360, weekday=0)
    assert schedule(4, "2w", "Sun 23:59") == Schedule(every=14 * DAY, at=1439, weekday=6)
    assert schedule(5, "7d", "06:00") == Schedule(every=7 * DAY, at=360, weekday=0)


def test_cases_repetition_and_several_sends(tmp_path: Path) -> None:
    text = f"for_each: event.data.order_id\nrepeat: while_true\n{listed(RULE)}".replace(
        "tests:\n",
        SEND[5:].replace("stuck", "call").replace("[email, sms]", "[task]").replace(" > 5", " > 9")
        + "tests:\n",
    ).replace("    within", "    per: customer\n    within")
    rule = load(tmp_path, text)
    assert rule.for_each is not None
    assert (rule.for_each.source, rule.repeat) == ("event.data.order_id", True)
    assert rule.signals["contacts"].per_customer
    assert [
        (send.message, send.channels, send.condition and send.condition.source) for send in rule.sends
    ] == [
        ("stuck", (Channel.EMAIL, Channel.SMS), "contacts > 5"),
        ("call", (Channel.TASK,), "contacts > 9"),
    ]


def test_drafts_are_not_published(tmp_path: Path) -> None:
    draft = RULE.replace("rule: stuck", "rule: draft").replace("mode: live", "mode: draft")
    shadow = RULE.replace("rule: stuck", "rule: shadow").replace("mode: live", "mode: shadow")
    loaded = load_rulebook(write_rulebook(tmp_path, draft=draft, shadow=shadow))
    assert [authored.rule.rule for authored in loaded.rules] == ["draft", "shadow", "stuck"]
    assert [rule.rule for rule in loaded.published().rules] == ["shadow", "stuck"]
