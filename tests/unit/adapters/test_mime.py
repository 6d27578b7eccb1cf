from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreword.adapters.mime import compose, one_line, plain
from foreword.domain.content import EmailContent, MessageLinks
from foreword.domain.errors import InvalidTemplate
from foreword.domain.senders import Sender

ID = "0123456789abcdef0123456789abcdef"
SENDER = Sender("Care Team", "care@shop.example")
TO = "ada@customer.example"
HELLO = EmailContent("Hello", "Hello Ada\n", "<p>Hello Ada</p>\n")


def parsed(content: EmailContent, sender: Sender = SENDER, to: str = TO) -> EmailMessage:
    message = message_from_bytes(compose(ID, sender, to, content, None), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def test_it_has_a_text_and_an_html_part_and_our_own_id() -> None:
    message = parsed(HELLO)
    assert message.get_content_type() == "multipart/alternative"
    assert [one.get_content_type() for one in message.iter_parts()] == ["text/plain", "text/html"]
    assert (part(message, "plain"), part(message, "html")) == (HELLO.text, HELLO.html)
    assert (message["From"], message["To"], message["Subject"]) == (
        "Care Team <care@shop.example>",
        TO,
        "Hello",
    )
    assert message["X-Foreword-Message-Id"] == ID
    assert (message["Date"], message["Message-ID"]) == (None, None)


def test_the_same_message_is_the_same_bytes() -> None:
    assert compose(ID, SENDER, TO, HELLO, None) == compose(ID, SENDER, TO, HELLO, None)


@pytest.mark.parametrize(
    "subject",
    [
        "Grüße 🎉 von uns",
        "\u202bשלום\u202c",
        "a" * 2000,
        "ü" * 900,
        'x, y; z: "quoted" <tag> =?utf-8?q?fake?= trailing',
    ],
)
def test_any_subject_arrives_as_it_was(subject: str) -> None:
    got = parsed(EmailContent(subject, "t", "<p>h</p>"))["Subject"]
    assert got.replace(" ", "") == subject.replace(" ", "")


INJECTIONS = [
    "Hi\r\nBcc: eve@evil.example",
    "Hi\nBcc: eve@evil.example\n\nbody",
    "Hi\rBcc: eve@evil.example",
    "Hi\x00\x0bBcc: eve@evil.example",
    "Hi\u2028Bcc: eve@evil.example",
    "Hi\x85Bcc: eve@evil.example",
    "ü\r\n Bcc: eve@evil.example" + "ü" * 100,
    "=?utf-8?q?=0D=0AReply-To:_eve@evil.example?=",
    "Hi =?utf-8?q?a=0D=0ABcc:_eve@evil.example?= " + "x" * 100,
    "ü =?utf-8?q?a=0D=0ABcc:_eve@evil.example?= " + "x " * 100,
    "=?utf-8?q?=0D=0A=0D=0A<b>body</b>?= " + "y " * 60,
    "=?UTF-8?B?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?= " + "word " * 30,
    "=?utf-8?q?=0A?=Bcc: eve@evil.example",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3F=3D0D=3D0ABcc:_eve@evil.example=3F=3D?=",
    "=?=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "==??utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "=\x00?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "=?utf-8?q?=0D=0ABcc:_eve@evil.example",
    "=?utf-8*de?q?=0D=0ABcc:_eve@evil.example?=",
    "=?x-unknown?q?=FF=0D=0ABcc:_eve@evil.example?=",
    "=?x-unknown?q?=FF?=",
]


@pytest.mark.parametrize("subject", INJECTIONS)
def test_no_header_comes_out_of_a_subject(subject: str) -> None:
    message = parsed(EmailContent(subject, "t", "<p>h</p>"))
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "X-Foreword-Message-Id", "MIME-Version", "Content-Type"]
    )
    assert [address.addr_spec for address in message["To"].addresses] == [TO]
    assert (part(message, "plain"), part(message, "html")) == ("t\n", "<p>h</p>\n")


def test_an_encoded_word_in_a_subject_arrives_as_the_text_it_is() -> None:
    got = parsed(EmailContent("=?utf-8?q?=0D=0Afake?=", "t", "<p>h</p>"))["Subject"]
    assert got == "= ?utf-8?q?=0D=0Afake?="


@pytest.mark.parametrize(
    "name", ["Grüße von uns", "Acme, Inc.", "Acme, Ünc.", "eve@evil.example, Grüße", "A, " * 20 + "B.", ""]
)
@pytest.mark.parametrize("address", ["care@shop.example", "c" * 60 + "@shop.example"])
def test_there_is_one_author_whatever_the_name(name: str, address: str) -> None:
    data = compose(ID, Sender(name, address), TO, HELLO, None)
    assert data.isascii()
    [author] = message_from_bytes(data, policy=default)["From"].addresses
    assert (author.display_name, author.addr_spec) == (name, address)


@pytest.mark.parametrize(
    "body",
    [f"\r\n--=_{ID}\r\nContent-Type: text/html\r\n\r\n<b>x</b>", f"--=_{ID}--", ".\r\nQUIT", "\x00\x1b[2J"],
)
def test_no_body_ends_its_part_early(body: str) -> None:
    message = parsed(EmailContent("s", body + "\n", body + "\n"))
    parts = list(message.iter_parts())
    assert len(parts) == 2
    assert part(message, "plain").rstrip("\n") == plain(body).rstrip("\n")


encoded_words = st.builds(
    "=?{}?{}?{}?={}".format,
    st.sampled_from(["utf-8", "us-ascii", "latin-1", "utf-8*en", "x-unknown", ""]),
    st.sampled_from("qQbBx"),
    st.sampled_from(
        ["=0D=0ABcc:_eve@evil.example", "=0D=0A=0D=0Abody", "=0A", "=FF", "DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU="]
    )
    | st.text(max_size=10),
    st.sampled_from(["", " "]),
)
subjects = st.lists(st.text() | encoded_words, min_size=1, max_size=8).map("".join)


@settings(deadline=None)
@given(subjects, st.text(), st.text())
def test_whatever_the_text_it_is_one_mail_to_one_recipient_in_short_ascii_lines(
    subject: str, text: str, html: str
) -> None:
    data = compose(ID, SENDER, TO, EmailContent(subject, text, html), None)
    assert data.isascii()
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    assert [address.addr_spec for address in message["To"].addresses] == [TO]
    assert len(message.keys()) == 6
    assert len(list(message.iter_parts())) == 2


def test_an_international_address_goes_out_as_punycode() -> None:
    assert b"To: ada@xn--mller-kva.example\r\n" in compose(
        ID, SENDER, "ada@xn--mller-kva.example", HELLO, None
    )


@pytest.mark.parametrize(
    "recipient",
    ["ada@customer.example\r\nBcc: eve@evil.example", "", "ada", "@", "ada@b@customer.example", "a@["],
)
def test_a_recipient_that_is_no_address_is_refused(recipient: str) -> None:
    with pytest.raises(InvalidTemplate):
        compose(ID, SENDER, recipient, HELLO, None)


def test_lone_surrogates_and_controls_are_gone() -> None:
    assert one_line("a\ud800b\r\n\tc\x00") == "a?b c"
    assert one_line("=?=\n?=\ud800") == "= ?= ?= ?"
    assert plain("a\ud800\tb\r\nc\rd\x00\x7f\x9f\u2028e") == "a?\tb\nc\nde"


LINKS = MessageLinks("https://x.example/u?t=" + "aZ09_-" * 60 + "&m=1", "https://x.example/preferences?t=abc")


def test_one_click_opts_out_by_rfc_8058() -> None:
    data = compose(ID, SENDER, TO, HELLO, LINKS)
    message = message_from_bytes(data, policy=default)
    assert message["List-Unsubscribe"] == f"<{LINKS.unsubscribe}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert data.endswith(compose(ID, SENDER, TO, HELLO, None))
    assert f"List-Unsubscribe: <{LINKS.unsubscribe}>\r\n".encode() in data


@pytest.mark.parametrize(
    "url",
    ["http://x.example/u", "https://x.example/\r\nBcc: eve@evil.example", "https://x> y", "https://ü", ""],
)
def test_a_link_that_no_header_can_hold_is_refused(url: str) -> None:
    with pytest.raises(InvalidTemplate):
        compose(ID, SENDER, TO, HELLO, MessageLinks(url, "https://x.example/"))
