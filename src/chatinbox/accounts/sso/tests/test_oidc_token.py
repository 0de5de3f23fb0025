"""An id token is believed when all of it holds, and never otherwise."""

import base64
import hmac
import json
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from chatinbox.accounts.sso.arrive import Arrival, AtProvider
from chatinbox.accounts.sso.connection import Provider
from chatinbox.accounts.sso.oidc import SKEW_SECONDS, read_token
from chatinbox.core.errors import Refused

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
PROVIDER = Provider(issuer="https://idp.example", client_id="us")


class Beside(int):
    """So many seconds beside the moment in which a token is made, whenever the test's turn comes."""


def claims(**changed: Any) -> dict[str, Any]:
    moment = int(time.time())
    usual = {
        "iss": "https://idp.example", "aud": "us", "sub": "s1", "nonce": "n", "exp": moment + 300, "iat": moment,
        "email": "eva@corp.example", "name": "Eva",
    }  # fmt: skip
    told = {name: moment + value if isinstance(value, Beside) else value for name, value in changed.items()}
    return {name: value for name, value in (usual | told).items() if value is not None}


def signed(key: Any = KEY, alg: str = "RS256", kid: str = "one", **changed: Any) -> str:
    return jwt.encode({"alg": alg, "kid": kid}, claims(**changed), key, algorithms=[alg])


def code_of(token: str) -> str:
    with pytest.raises(Refused) as refused:
        read_token(PROVIDER, "n", token, KEYS)
    assert refused.value.status == 403 and refused.value.sentence.endswith(".")
    return refused.value.code


def test_a_good_token_says_who_it_is() -> None:
    assert read_token(PROVIDER, "n", signed(), KEYS) == Arrival("s1", "eva@corp.example", "Eva", AtProvider())
    assert read_token(PROVIDER, "n", signed(aud=["us", "x"], azp="us"), KEYS).subject == "s1"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "https://idp.example/"}, "sso_issuer"),
        ({"iss": None}, "sso_issuer"),
        ({"aud": "them"}, "sso_audience"),
        ({"aud": None}, "sso_audience"),
        ({"aud": ["us", "them"]}, "sso_audience"),
        ({"azp": "them"}, "sso_audience"),
        ({"nonce": "m"}, "sso_nonce"),
        ({"nonce": None}, "sso_nonce"),
        ({"exp": Beside(-SKEW_SECONDS - 5)}, "sso_times"),
        ({"exp": None}, "sso_times"),
        ({"exp": "later"}, "sso_times"),
        ({"exp": True}, "sso_times"),
        ({"exp": float("nan")}, "sso_times"),
        ({"exp": 10**400}, "sso_times"),
        ({"nbf": "soon"}, "sso_times"),
        ({"iat": Beside(SKEW_SECONDS + 60)}, "sso_times"),
        ({"iat": Beside(-4000)}, "sso_times"),
        ({"nbf": Beside(SKEW_SECONDS + 60)}, "sso_times"),
    ],
)
def test_a_token_for_another_or_another_time_is_refused(changed: dict[str, Any], code: str) -> None:
    assert code_of(signed(**changed)) == code


def test_a_clock_a_little_off_is_forgiven() -> None:
    assert read_token(PROVIDER, "n", signed(exp=Beside(-20), iat=Beside(30)), KEYS).subject == "s1"


def test_another_key_no_algorithm_and_the_public_key_as_a_secret_are_refused() -> None:
    def coded(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def part(value: Any) -> str:
        return coded(json.dumps(value).encode())

    assert code_of(signed(OTHER)) == "sso_signature"
    assert code_of(signed(kid="two")) == "sso_signature"
    for alg in ("none", "None", "NONE"):
        assert code_of(f"{part({'alg': alg, 'kid': 'one'})}.{part(claims())}.") == "sso_signature"
    words = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims())}"
    mac = hmac.digest(KEY.as_pem(private=False), words.encode(), "sha256")
    assert code_of(f"{words}.{coded(mac)}") == "sso_signature"


def test_an_address_the_provider_has_not_checked_is_nobodys() -> None:
    assert read_token(PROVIDER, "n", signed(email_verified=False), KEYS).email == ""


@cache
def good() -> str:
    """A good token, made when it is first asked for: an old one would be refused whatever is changed."""
    return signed()


@given(some.integers(0, 10_000), some.integers(1, 255))
def test_a_token_with_any_one_byte_changed_is_refused(at: int, by: int) -> None:
    raw = bytearray(good(), "ascii")
    at %= len(raw)
    raw[at] = (raw[at] + by) % 128
    changed = raw.decode("ascii")
    if changed == good():
        return
    try:
        came = read_token(PROVIDER, "n", changed, KEYS)
    except Refused:
        return
    # The last letter of a part holds bits that mean nothing in base64.
    assert came == Arrival("s1", "eva@corp.example", "Eva", AtProvider())


@given(some.text(max_size=200))
def test_whatever_else_comes_is_refused_with_a_sentence(words: str) -> None:
    assert code_of(words) == "sso_signature"
