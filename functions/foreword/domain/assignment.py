"""Who is held out, and who gets which variant: sticky by hash. (The experiments' own branch brings the real one.)"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction


def in_holdout(customer_id: str, share: Decimal) -> bool:
    return _draw("holdout", customer_id) < Fraction(share)


def in_rule_holdout(customer_id: str, rule: str, share: Decimal) -> bool:
    return _draw("rule holdout", customer_id, rule) < Fraction(share)


def variant_of(customer_id: str, rule: str, variants: Mapping[str, Decimal]) -> str | None:
    drawn, through = _draw("variant", customer_id, rule), Fraction(0)
    for name, share in variants.items():
        through += Fraction(share)
        if drawn < through:
            return name
    return None


def _draw(*parts: str) -> Fraction:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return Fraction(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]), 1 << 64)
