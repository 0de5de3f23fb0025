"""Passwords: what is refused, without asking anybody; and that every character counts."""

import socket
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.accounts.common_passwords import is_common
from chatinbox.accounts.passwords import (
    LONGEST,
    SHORTEST_WITH_SECOND,
    check_strength,
    is_long,
    is_right,
    make_hash,
)
from chatinbox.core.errors import Refused

STRONG = "four unlikely words marching backwards"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a password was taken out of the house")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    "password",
    [
        "Password123!",
        "P@ssw0rd!2024",
        "!!dr0wss4p!!",
        "passwordpassword",
        "M0nkeyM0nkey!!",
        "p-a-s-s-w-o-r-d-1",
        "qwertyuiop123456",
        "123456789012345678",
        "Stephanie-1987!!",
        "ＰＡＳＳＷＯＲＤ 12345",
    ],
)
@pytest.mark.parametrize("shortest", [SHORTEST_WITH_SECOND, 15])
def test_what_everybody_tries_first_is_refused_and_nobody_is_asked(
    no_network: None, password: str, shortest: int
) -> None:
    with pytest.raises(Refused) as refused:
        check_strength(password, shortest=shortest)
    assert refused.value.code == "password" and password not in refused.value.sentence


@pytest.mark.parametrize(
    "password", ["masterofdisaster!", "Masterofdisaster!", "meinemaus100", "harkovskaya.ulitsa"]
)
def test_a_long_password_that_was_published_is_refused_though_nothing_about_it_is_short(
    no_network: None, password: str
) -> None:
    assert is_common(password)
    with pytest.raises(Refused) as refused:
        check_strength(password, shortest=SHORTEST_WITH_SECOND)
    assert "Many people use this password" in refused.value.sentence
    assert not is_common(f"{password} and seven quiet lanterns")


@pytest.mark.parametrize(
    "password",
    [STRONG, "correct horse battery staple", "Grüße aus dem Teeladen 7", "mondschein kürbis 4 türen"],
)
def test_words_in_a_row_are_welcome(password: str) -> None:
    check_strength(password)
    assert not is_common(password)


def test_fifteen_characters_stand_alone_and_twelve_need_a_second_factor() -> None:
    twelve, fifteen = "vf7-kqz2wmTb", "vf7-kqz2wmTb-x9"
    check_strength(twelve, shortest=SHORTEST_WITH_SECOND)
    check_strength(fifteen)
    with pytest.raises(Refused, match="password"):
        check_strength(twelve)
    with pytest.raises(Refused, match="password"):
        check_strength(twelve[:-1], shortest=SHORTEST_WITH_SECOND)
    assert is_long(fifteen) and not is_long(twelve)


def test_what_the_guesser_knows_of_somebody_does_not_count_as_strength() -> None:
    password = "zebedeequillfeather"
    check_strength(password)
    with pytest.raises(Refused):
        check_strength(password, "zebedee", "quillfeather", "zebedeequillfeather")


async def test_no_character_is_cut_off() -> None:
    longest = ("every one of these characters counts " * 8)[:LONGEST]
    check_strength(longest)
    kept = await make_hash(longest)
    assert await is_right(longest, kept)
    for wrong in (longest[:-1], longest[:72], longest[:-1] + "?", longest + "x", longest + "x" * 5000):
        assert not await is_right(wrong, kept)
    with pytest.raises(Refused):
        check_strength(longest + "x")


async def test_the_same_word_from_another_keyboard_is_the_same_password() -> None:
    composed = unicodedata.normalize("NFC", "grüße über die brücke")
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart
    assert await is_right(apart, await make_hash(composed))
    assert await is_right(composed, await make_hash(apart))


async def test_nobody_has_the_password_of_nobody() -> None:
    assert not await is_right("nobody has this password", None)
    assert not await is_right("x", "not a hash")


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_whatever_is_typed_gets_a_sentence_or_is_taken(password: str) -> None:
    try:
        check_strength(password, password[:10])
    except Refused as refused:
        assert refused.status == 422 and refused.sentence.endswith(".")
