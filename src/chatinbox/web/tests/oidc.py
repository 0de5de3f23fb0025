"""What tests of signing out by OpenID Connect stand on: a real provider on loopback, whose key signs the logout tokens."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import flask
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock import run_server_in_thread

from chatinbox.accounts.sso.connection import place
from chatinbox.accounts.sso.oidc_logout import EVENT
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import Browser
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.tests import test_sso
from chatinbox.web.tests.test_sso import another, member, with_company


@dataclass
class Idp(test_sso.Idp):
    """The provider, and the key by which it signs."""

    key: RSAKey


def storage_of(server: Any) -> Any:
    """What a provider keeps, its key too."""
    with server.app.test_request_context("/"):
        server.app.preprocess_request()
        return flask.g.oidc_provider_mock_storage


def key_of(storage: Any) -> RSAKey:
    return RSAKey.import_key(storage.jwk.as_dict(is_private=True))


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    with run_server_in_thread() as server:
        yield Idp(f"http://localhost:{server.server_port}", key_of(storage_of(server)))


async def with_eva(inst: Installation, idp: Idp, owner: Staff) -> str:
    """Connects an account to the provider, by which a colleague of its owner's comes; her address."""
    email = f"eva@{await with_company(inst, idp, owner)}"
    await member(inst, owner, email)
    return email


def token(idp: Idp, key: Any = None, alg: str = "RS256", typ: str = "logout+jwt", **changed: Any) -> str:
    """A logout token of this provider; a claim that is None is left out."""
    moment = int(time.time())
    usual: dict[str, Any] = {
        "iss": idp.url, "aud": "us", "iat": moment, "exp": moment + 120, "jti": new_id().hex, "events": {EVENT: {}},
    }  # fmt: skip
    claims = {name: value for name, value in (usual | changed).items() if value is not None}
    header = {"alg": alg, "typ": typ, "kid": idp.key.as_dict(private=False).get("kid", "")}
    if not header["kid"]:
        del header["kid"]
    return jwt.encode(header, claims, key or idp.key, algorithms=[alg])


async def says(of: Browser, staff: Staff, words: str, door: str = "") -> httpx.Response:
    """What the provider's own server posts, which has no cookie of ours and no origin."""
    path = door or urlsplit(place(of.inst, staff.account_id, "backchannel-logout")).path
    return await another(of).post(path, data={"logout_token": words}, headers={"origin": ""})


def same(answer: httpx.Response) -> tuple[Any, ...]:
    """All of an answer that somebody could tell two apart by."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return answer.status_code, answer.content, sorted(headers.items())
