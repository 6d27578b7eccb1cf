"""How long a text message is as networks count it: in GSM 03.38's seven bits, else in UCS-2, and in segments.

Every segment is paid for. A single one holds 160 septets or 70 UTF-16 units; in several each gives 7 septets or 3
units away to its header, and no character is divided between two.
"""

from __future__ import annotations

from dataclasses import dataclass

GSM, UCS_2 = "GSM-7", "UCS-2"

# The default alphabet in the order of its codes, without the escape (0x1b), and what stands behind the escape.
GSM_7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_ESCAPED = "\f^{}\\[~]|€"

_SEPTETS = {**dict.fromkeys(GSM_7, 1), **dict.fromkeys(GSM_7_ESCAPED, 2)}


@dataclass(frozen=True, slots=True)
class SmsLength:
    """`units` are septets of GSM-7 or UTF-16 units of UCS-2; `outside` are the characters that make it UCS-2."""

    encoding: str
    units: int
    segments: int
    outside: str

    def __str__(self) -> str:
        unit = "septets" if self.encoding == GSM else "characters"
        parts = "1 segment" if self.segments == 1 else f"{self.segments} segments"
        because = f", because of {' '.join(self.outside)}" if self.outside else ""
        return f"{self.units} {unit} of {self.encoding}, {parts}{because}"


def sms_length(text: str) -> SmsLength:
    outside = "".join(dict.fromkeys(char for char in text if char not in _SEPTETS))
    if outside:
        units = [1 if ord(char) <= 0xFFFF else 2 for char in text]
        return SmsLength(UCS_2, sum(units), _segments(units, 70, 67), outside)
    units = [_SEPTETS[char] for char in text]
    return SmsLength(GSM, sum(units), _segments(units, 160, 153), "")


def _segments(units: list[int], alone: int, each: int) -> int:
    if sum(units) <= alone:
        return 1
    segments, room = 1, each
    for size in units:
        if size > room:
            segments, room = segments + 1, each
        room -= size
    return segments
