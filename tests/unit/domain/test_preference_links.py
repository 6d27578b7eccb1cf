from __future__ import annotations

import base64
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.content import MessageLinks
from foreword.domain.instants import HOUR
from foreword.domain.preference_links import CONFIRM_WITHIN, Link, LinkPurpose, LinkSigner, links_of
from tests.fakes.samples import NOON, a_message

OLD, NEW = b"o" * 64, b"n" * 64
SIGNER = LinkSigner({2: NEW, 1: OLD})
MESSAGE = "0123456789abcdef" * 2
LINK = Link(LinkPurpose.UNSUBSCRIBE, "ada@customer.example", MESSAGE, NOON, "care")
TOKEN = SIGNER.token(LINK)
URL_SAFE = string.ascii_letters + string.digits + "-_"

links = st.builds(
    Link,
    st.sampled_from(LinkPurpose),
    st.text(string.ascii_letters + "@.#%/", min_size=1, max_size=128),
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.integers(0, NOON // HOUR).map(lambda hour: hour * HOUR),
    st.text(string.ascii_lowercase + "-", max_size=100),
)


@given(links)
def test_a_token_tells_what_it_was_made_of(link: Link) -> None:
    token = SIGNER.token(link)
    assert SIGNER.read(token, link.purpose, link.made_at) == link
    assert set(token) <= set(URL_SAFE)


@given(st.data())
def test_a_token_that_was_tampered_with_is_none(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    other = data.draw(st.sampled_from(URL_SAFE).filter(lambda one: one != TOKEN[at]))
    assert SIGNER.read(TOKEN[:at] + other + TOKEN[at + 1 :], LinkPurpose.UNSUBSCRIBE, NOON) is None
    assert SIGNER.read(TOKEN[:at], LinkPurpose.UNSUBSCRIBE, NOON) is None
    assert SIGNER.read(TOKEN + other, LinkPurpose.UNSUBSCRIBE, NOON) is None


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")))
def test_what_was_never_a_token_is_none(text: str) -> None:
    for purpose in LinkPurpose:
        assert SIGNER.read(text, purpose, NOON) is None


@pytest.mark.parametrize("other", [LinkPurpose.PREFERENCES, LinkPurpose.CONFIRM])
def test_a_token_is_good_for_its_own_purpose_alone(other: LinkPurpose) -> None:
    assert SIGNER.read(TOKEN, LinkPurpose.UNSUBSCRIBE, NOON) == LINK
    assert SIGNER.read(TOKEN, other, NOON) is None


def test_the_first_key_signs_and_every_key_that_is_left_is_accepted() -> None:
    earlier = LinkSigner({1: OLD}).token(LINK)
    assert SIGNER.read(earlier, LinkPurpose.UNSUBSCRIBE, NOON) == LINK
    assert LinkSigner({2: NEW}).read(TOKEN, LinkPurpose.UNSUBSCRIBE, NOON) == LINK
    assert LinkSigner({2: NEW}).read(earlier, LinkPurpose.UNSUBSCRIBE, NOON) is None
    assert LinkSigner({2: OLD}).read(TOKEN, LinkPurpose.UNSUBSCRIBE, NOON) is None


def test_neither_customer_nor_topic_can_be_read_in_a_token() -> None:
    raw = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    assert b"ada" not in raw
    assert b"care" not in raw
    assert len(TOKEN) < 100
    assert len(SIGNER.token(Link(LinkPurpose.PREFERENCES, "c-42", MESSAGE, NOON))) <= 58


def test_an_unsubscribe_link_never_ends_and_a_confirmation_does() -> None:
    assert SIGNER.read(TOKEN, LinkPurpose.UNSUBSCRIBE, NOON + 10_000 * CONFIRM_WITHIN) == LINK
    confirm = SIGNER.token(Link(LinkPurpose.CONFIRM, "c-42", MESSAGE, NOON, "email"))
    assert SIGNER.read(confirm, LinkPurpose.CONFIRM, NOON + CONFIRM_WITHIN) is not None
    assert SIGNER.read(confirm, LinkPurpose.CONFIRM, NOON + CONFIRM_WITHIN + HOUR) is None


def test_a_message_always_has_the_same_links() -> None:
    message = a_message()
    first = links_of("https://links.example/", SIGNER, message)
    assert first == links_of("https://links.example", SIGNER, message)
    assert isinstance(first, MessageLinks)
    unsubscribe = first.unsubscribe.removeprefix("https://links.example/u/")
    read = SIGNER.read(unsubscribe, LinkPurpose.UNSUBSCRIBE, NOON)
    assert read is not None
    assert (read.customer_id, read.message_id, read.about) == ("c-42", message.message_id, "care")
    assert first.preferences.startswith("https://links.example/p/")


@pytest.mark.parametrize("keys", [{}, {256: OLD}, {1: b"short"}])
def test_keys_that_protect_nothing_are_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="keys must have"):
        LinkSigner(keys)


def test_a_token_is_checked_in_microseconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Told, not asserted: the machine is not ours alone."""
    rounds = 2_000
    started = time.perf_counter()
    for _ in range(rounds):
        SIGNER.read(TOKEN, LinkPurpose.UNSUBSCRIBE, NOON)
    with capsys.disabled():
        print(f"  [a token is checked in {(time.perf_counter() - started) / rounds * 1e6:.0f} µs]")  # noqa: T201
