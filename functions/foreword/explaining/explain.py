"""Why a customer did or did not get a message: the journal retraced by the core that decides, and told.

All truth comes from the core's own walk and verdicts. Only what a condition's parts come to is asked here, with the
same compiled conditions, so that the values compared can be shown.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy

from foreword.domain.core import CompiledRule, Core
from foreword.domain.facts import FOREWORD, Fact
from foreword.domain.fold import retrace
from foreword.domain.instants import Instant
from foreword.domain.quiet_hours import zone_of
from foreword.domain.rulebook import Mode, Rule, Rulebook
from foreword.domain.walk import Walk
from foreword.explaining.ahead import Ahead, look_ahead
from foreword.explaining.cases import CaseTeller
from foreword.explaining.customer import Customer
from foreword.explaining.delivery import send_gates
from foreword.explaining.explanation import CaseExplained, Explanation, RuleExplained
from foreword.explaining.holds import holds_at, told_holds
from foreword.explaining.journal import Journal, cases_of
from foreword.explaining.peers import peers_explained
from foreword.explaining.records import Records
from foreword.explaining.rises import Teller
from foreword.explaining.words import asked_words
from foreword.explaining.written import written

MOST_CASES = 20
"""Of a rule with cases so many are explained, those of the latest events and decisions."""


def explain(
    rulebook: Rulebook, customer: Customer, at: Instant, rules: Collection[str] | None = None
) -> Explanation:
    """As of `at`, for the rules of these names, or all. `rulebook` may hold drafts."""
    explainer = _Explainer(rulebook, customer.as_of(at), at, rules)
    return explainer.explanation(all_events=len(_events(customer)))


class _Explainer:
    """`customer` is as it was known at `at`."""

    def __init__(
        self, rulebook: Rulebook, customer: Customer, at: Instant, rules: Collection[str] | None
    ) -> None:
        self.customer = customer
        self._rulebook = rulebook
        self._at = at
        self._rules = [rule for rule in rulebook.rules if rules is None or rule.rule in rules]
        self._core = Core(rulebook.model_copy(update={"rules": tuple(map(_walked, self._rules))}))
        self._walk = retrace(self._core, customer.profile, customer.facts, at)
        self._journal = Journal(self._walk, customer.facts)
        self._records = Records(customer.messages)
        self._holds_core, self._holds_walk = self._with_all_rules()
        state = self._records.state(at)
        self._holds = holds_at(self._holds_core, self._holds_walk, state, at)
        self._told_holds = told_holds(self._holds_core, self._holds_walk, self._holds, at)
        self._teller = Teller(rulebook, self._core, self._walk, self._journal, customer, self._records, at)

    def _with_all_rules(self) -> tuple[Core, Walk]:
        """Where only some rules are asked about, the others' firings hold messages back all the same."""
        if len(self._rules) == len(self._rulebook.rules):
            return self._core, self._walk
        core = Core(self._rulebook)
        return core, retrace(core, self.customer.profile, self.customer.facts, self._at)

    def explanation(self, *, all_events: int) -> Explanation:
        cases = {rule.rule: self._cases(self._core.rules[rule.rule]) for rule in self._rules}
        ahead = look_ahead(
            self._core,
            self.customer.profile,
            self.customer.facts,
            self._at,
            self._walk.rises,
            self._records.state(self._at),
            sum(map(len, cases.values())),
        )
        times = [fact.occurred_at for fact in _events(self.customer)]
        profile = self.customer.profile
        others = self._records.of_other_rules(rule.rule for rule in self._rulebook.rules)
        return Explanation(
            customer_id=self.customer.customer_id,
            at=self._at,
            zone=zone_of(profile.value("timezone"), self._rulebook.policy.default_timezone).key,
            events=len(times),
            first_at=min(times, default=None),
            last_at=max(times, default=None),
            left_out=all_events - len(times),
            has_profile=bool(profile.attributes),
            erased=profile.erased,
            rules=tuple(self._rule(rule, cases[rule.rule], ahead) for rule in self._rules),
            other_messages=tuple(
                self._teller.message(message) for record in others for message in record.messages
            ),
        )

    def _rule(self, rule: Rule, cases: list[str | None], ahead: Ahead) -> RuleExplained:
        compiled = self._core.rules[rule.rule]
        told = CaseTeller(compiled, rule, self._teller, ahead)
        policy = self._rulebook.policy
        delivery = tuple(
            send_gates(rule, send, self.customer, policy, self._at, self._holds, self._told_holds)
            for send in rule.sends
        )
        shown: list[CaseExplained] = [told.case(case, delivery) for case in cases[:MOST_CASES]]
        return RuleExplained(
            rule=rule.rule,
            why=rule.why,
            owner=rule.owner,
            mode=rule.mode,
            asked=asked_words(rule, compiled.used),
            for_each=None if rule.for_each is None else written(rule.for_each.tree),
            re_eligible_after=rule.re_eligible_after,
            touched=any(map(_is_touched, shown)),
            delivery=delivery,
            peers=peers_explained(compiled, self._teller),
            cases=tuple(shown),
            other_cases=max(len(cases) - MOST_CASES, 0),
        )

    def _cases(self, rule: CompiledRule) -> list[str | None]:
        """Those of which something is remembered or was decided, the latest first; None alone without any."""
        if rule.rule.for_each is None:
            return [None]
        named = cases_of(self._journal, rule)
        decided = self._records.cases(rule.name)
        risen = {rise.case for rise in self._walk.rises if rise.rule is rule}
        kept = {case: at for case, at in named.items() if case in risen or self._is_remembered(rule, case)}
        latest = {case: max(kept.get(case, at), at) for case, at in (kept | decided).items()}
        return [*sorted(latest, key=latest.__getitem__, reverse=True)] or [None]

    def _is_remembered(self, rule: CompiledRule, case: str) -> bool:
        """Whether anything of the case can still matter, by the signals that are its own."""
        own = (name for name in rule.trackers if not rule.rule.signals[name].per_customer)
        for name in own:
            memory = deepcopy(
                self._walk.memories[rule.key(name, case)]
            )  # packing lets go of what is too much
            if rule.trackers[name].pack(memory, self._at) is not None:
                return True
        return False


def _events(customer: Customer) -> list[Fact]:
    """What others told of the customer: not what Foreword itself keeps in the journal."""
    return [fact for fact in customer.facts if fact.source != FOREWORD]


def _walked(rule: Rule) -> Rule:
    """A draft is walked like a rule in shadow: it is to be seen what it would do."""
    return rule.model_copy(update={"mode": Mode.SHADOW}) if rule.mode is Mode.DRAFT else rule


def _is_touched(case: CaseExplained) -> bool:
    events = any(signal.events or signal.waits_for for signal in case.signals)
    return events or bool(case.rises or case.unmatched) or case.next.at is not None
