from __future__ import annotations

import pytest

from foreword.domain.sms_length import GSM_7, GSM_7_ESCAPED, sms_length


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ä" * 70, "GSM-7", 70, 1),
        ("ç" * 70, "UCS-2", 70, 1),
        ("ç" * 71, "UCS-2", 71, 2),
        ("ç" * 134, "UCS-2", 134, 2),
        ("🎉" * 35, "UCS-2", 70, 1),
        ("ç" * 66 + "🎉" + "ç" * 66, "UCS-2", 134, 3),
    ],
)
def test_a_text_is_counted_as_networks_do(text: str, encoding: str, units: int, segments: int) -> None:
    length = sms_length(text)
    assert (length.encoding, length.units, length.segments) == (encoding, units, segments)


def test_the_alphabet_is_that_of_gsm_03_38() -> None:
    assert len(GSM_7) == len(set(GSM_7)) == 127  # 128 codes, less the escape
    assert [GSM_7[code] for code in (0x00, 0x0A, 0x10, 0x1A)] == ["@", "\n", "Δ", "Ξ"]
    assert [GSM_7[code - 1] for code in (0x1C, 0x20, 0x40, 0x5F, 0x60, 0x61, 0x7F)] == list("Æ ¡§¿aà")
    assert set(GSM_7_ESCAPED) == set("\f^{}\\[~]|€")


def test_what_is_outside_the_alphabet_is_named() -> None:
    assert sms_length("Ça coûte").outside == "û"
    assert str(sms_length("Ça coûte")) == "8 characters of UCS-2, 1 segment, because of û"
    assert str(sms_length("x" * 200)) == "200 septets of GSM-7, 2 segments"
