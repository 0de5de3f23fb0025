"""An address that ends soon opens nothing; one that forwards, and any that a business has, does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatinbox.accounts.lasting import need_lasting
from chatinbox.accounts.sign_up import checked
from chatinbox.core.errors import Refused


@pytest.mark.parametrize(
    "email",
    [
        "casey@yopmail.com",
        "Casey@YOPMAIL.com",
        "casey@mail.yopmail.com",
        "casey@10minutemail.com",
        " casey@yopmail.com ",
    ],
)
def test_a_throw_away_address_is_refused_with_a_sentence_that_says_what_to_use(email: str) -> None:
    with pytest.raises(Refused) as refused:
        checked("Casey", email, "Kite Shop")
    assert refused.value.status == 422 and "that you keep" in str(refused.value.sentence)


@pytest.mark.parametrize(
    "email",
    ["ada@kite.example", "ada@notyopmail.com", "yopmail.com@kite.example", "ada@mozmail.com", "ada@duck.com",
     "ada@privaterelay.appleid.com", "ada@simplelogin.com", "ada@gmail.com", "ada@localhost", "ada"],
)  # fmt: skip
def test_an_address_that_somebody_keeps_is_taken(email: str) -> None:
    need_lasting(email)


@given(st.text())
def test_whatever_is_typed_it_only_says_yes_or_refuses(text: str) -> None:
    try:
        need_lasting(text)
    except Refused as refused:
        assert refused.status == 422
