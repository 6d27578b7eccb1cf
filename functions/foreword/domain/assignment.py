"""Who is held out and who gets which variant: by a hash, the same whoever asks and how often, kept nowhere.

A customer has one place in [0, 1) for the global holdout and two for each rule (one for its holdout, one for its
variants), all independent of one another. A share holds those whose place is below it, so that a growing share
keeps whoever is in it. Places are whole numbers of 256 bits and shares are decimals: nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256

_BITS = 256

_GLOBAL_HOLDOUT = "foreword/holdout"
_RULE_HOLDOUT = "foreword/rule-holdout"
_VARIANT = "foreword/variant"


def in_holdout(customer_id: str, share: Decimal) -> bool:
    """Whether the customer is of the global control group."""
    return _below(share, _place(_GLOBAL_HOLDOUT, customer_id))


def in_rule_holdout(customer_id: str, rule: str, share: Decimal) -> bool:
    """Whether the customer gets nothing by this rule, for the sake of its experiment."""
    return _below(share, _place(_RULE_HOLDOUT, customer_id, rule))


def variant_of(customer_id: str, rule: str, variants: Mapping[str, Decimal]) -> str | None:
    """The variant of a customer who is not held out; None where the rule has none.

    They take their shares of [0, 1) in the order of their names: writing them in another order moves nobody.
    What would be left over for want of exact shares is the last one's.
    """
    if not variants:
        return None
    place = _place(_VARIANT, customer_id, rule)
    names = sorted(variants)
    upper = Decimal(0)
    for name in names:
        upper += variants[name]
        if _below(upper, place):
            return name
    return names[-1]


def _below(share: Decimal, place: int) -> bool:
    """Whether place / 2^256 < share, in whole numbers."""
    numerator, denominator = share.as_integer_ratio()
    return place * denominator < numerator << _BITS


def _place(*parts: str) -> int:
    """Of the parts, each with its length before it: no two lists of parts are the same text."""
    encoded = (part.encode("utf-8", "surrogatepass") for part in parts)
    return int.from_bytes(sha256(b"".join(b"%d:%b" % (len(part), part) for part in encoded)).digest())
