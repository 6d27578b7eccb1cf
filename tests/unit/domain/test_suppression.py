from __future__ import annotations

import pytest

from foreword.domain.rulebook import Channel
from foreword.domain.suppression import address_key, is_stop, suppression

NUMBER = "+4915112345678"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "STOP",
            "stop",
            " Stop. ",
            "S T O P",
            "STOP!!!",
            "ＳＴＯＰ",
            "stop\n",
            "Stop 🙏",
            "STOP ALL",
            "please stop",
        ),
        *("STOPALL", "Unsubscribe", "cancel", "End", "QUIT", "opt-out", "OPT OUT"),
        *("Arrêt", "ARRET", "arrêter", "Désabonner", "STOP SVP"),
        *("Stopp", "stopp bitte", "abmelden", "Ende"),
        *("baja", "Parar", "CANCELAR", "pare", "sair", "basta", "afmelden", "rezygnuję", "стоп", "停止"),
    ],
)
def test_a_word_that_ends_it_ends_it_however_it_is_written(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?!",
        "Please do not stop!",
        "I will stop by tomorrow",
        "nonstop",
        "start",
        "yes",
        "ALL",
        "stop it now or",
    ],
)
def test_a_sentence_is_left_to_people(text: str) -> None:
    assert not is_stop(text)


def test_an_address_is_the_same_however_it_is_written() -> None:
    assert suppression("c", Channel.EMAIL, " Ada@Customer.Example ") == suppression(
        "c", Channel.EMAIL, "ada@customer.example"
    )
    assert address_key(Channel.SMS, NUMBER) == address_key(Channel.SMS, f" {NUMBER}")


def test_an_entry_is_of_one_customer_channel_and_address() -> None:
    entries = {
        suppression("c-1", Channel.SMS, NUMBER),
        suppression("c-2", Channel.SMS, NUMBER),
        suppression("c-1", Channel.EMAIL, NUMBER),
        suppression("c-1", Channel.SMS, "+4915112345679"),
    }
    assert len(entries) == 4
    assert not any("4915" in entry for entry in entries)
