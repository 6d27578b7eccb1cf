from __future__ import annotations

import pytest

from foreword.domain.message_files import folders, nearest, split_name

PATHS = (
    "sms.txt",
    "sms.txt.de",
    "sms.txt.de-AT",
    "segments/vip/sms.txt",
    "segments/vip/sms.txt.de",
    "variants/calm/sms.txt",
)


@pytest.mark.parametrize(
    ("variant", "segment", "locale", "path"),
    [
        (None, None, None, "sms.txt"),
        (None, None, "fr", "sms.txt"),
        (None, None, "de_at", "sms.txt.de-AT"),
        (None, "vip", "de-AT", "segments/vip/sms.txt.de"),
        (None, "vip", "en", "segments/vip/sms.txt"),
        (None, "VIP", "en", "sms.txt"),
        ("calm", "vip", "de", "variants/calm/sms.txt"),
        ("direct", "vip", "de", "segments/vip/sms.txt.de"),
        (None, 7, 7, "sms.txt"),
    ],
)
def test_the_nearest_file_is_taken(variant: str | None, segment: object, locale: object, path: str) -> None:
    assert nearest(PATHS, folders(variant, segment), "sms.txt", locale) == path


@pytest.mark.parametrize(
    "segment",
    [
        "../../other",
        "vip/../vip",
        "",
        ".",
        "/etc",
        "vip/sms.txt",
        "vip/",
        "*",
        "vip\x00",
        "../variants/calm",
        "a" * 9_999,
    ],
)
def test_no_segment_s_name_reaches_anything_but_its_folder(segment: str) -> None:
    assert nearest(PATHS, folders(None, segment), "sms.txt", "de") == "sms.txt.de"


@pytest.mark.parametrize("locale", ["../sms", "de/../..", "", ".", "-", "de\x00", "--de"])
def test_no_locale_reaches_anything_but_its_language(locale: str) -> None:
    found = nearest(PATHS, folders(None, None), "sms.txt", locale)
    assert found in ("sms.txt", "sms.txt.de")


def test_a_part_that_is_nowhere_is_none() -> None:
    assert nearest(PATHS, folders("calm", "vip"), "email.html", "de") is None


def test_a_name_is_a_part_and_a_locale() -> None:
    assert split_name("email.html.de-AT") == ("email.html", "de-AT")
    assert split_name("email.html") == ("email.html", "")
    assert split_name("README.md") is None
