from __future__ import annotations

import pytest

from foreword.domain.addresses import deliverable, email_address
from foreword.domain.rulebook import Channel


@pytest.mark.parametrize(
    ("written", "handed_over"),
    [
        ("ada@customer.example", "ada@customer.example"),
        (" ada@customer.example ", "ada@customer.example"),
        ("Ada.Love+news@Customer.Example", "Ada.Love+news@customer.example"),
        ("o'hara@a-b.example", "o'hara@a-b.example"),
        ("ada@müller.example", "ada@xn--mller-kva.example"),
        ("ada@MÜLLER.example", "ada@xn--mller-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("ada@xn--mller-kva.example", "ada@xn--mller-kva.example"),
    ],
)
def test_an_email_address_is_handed_over_in_one_form(written: str, handed_over: str) -> None:
    assert email_address(written) == handed_over


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ada",
        "@customer.example",
        "ada@",
        "ada@localhost",
        "ada@customer..example",
        "ada@-customer.example",
        "ada@customer.example.",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "a da@customer.example",
        ".ada@customer.example",
        "ada..b@customer.example",
        '"ada"@customer.example',
        "ada@customer.example, eve@evil.example",
        "ada@customer.example\r\nBcc: eve@evil.example",
        "ada@customer.example\x00",
        "Ada <ada@customer.example>",
        "ada@evil.example@customer.example",
        "dörte@customer.example",
        "ada@cust\u202eomer.example",
        "ada@customer。example",
        f"{'a' * 65}@customer.example",
        f"ada@{'a' * 64}.example",
        f"ada@{'.'.join(['a' * 60] * 5)}.example",
    ],
)
def test_what_is_not_one_plain_address_is_none(written: str) -> None:
    assert email_address(written) is None


@pytest.mark.parametrize("written", ["+4915112345678", " +4915112345678 ", "+1202555012", "+290" + "12345"])
def test_a_phone_number_is_e164(written: str) -> None:
    assert deliverable(Channel.SMS, written) == written.strip()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "015112345678",
        "+0151123456",
        "+49 151 123",
        "+49151١٢٣٤٥",
        "+1234567890123456",
        "+49\n1511234567",
        491511,
    ],
)
def test_anything_else_is_no_phone_number(written: object) -> None:
    assert deliverable(Channel.SMS, written) is None


@pytest.mark.parametrize("value", [None, 3, ["ada@customer.example"], {"email": "ada@customer.example"}])
def test_an_attribute_that_is_no_text_is_no_address(value: object) -> None:
    assert deliverable(Channel.EMAIL, value) is None
