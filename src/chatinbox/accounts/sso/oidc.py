"""OpenID Connect (Core 1.0, Discovery 1.0): authorization code with PKCE (RFC 7636), state, nonce and `iss` (RFC 9207).

Nothing of the token's words is believed before its signature, issuer, audience and times are.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chatinbox.accounts.sso.address import need_address
from chatinbox.accounts.sso.arrive import Arrival, AtProvider
from chatinbox.accounts.sso.connection import Connection, Provider, errand, place
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.egress import Withheld
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
SKEW_SECONDS = 60
LONGEST_AGE = 600
_LATEST = 1e11  # seconds since 1970, some thousand years from now


class Begun(msgspec.Struct):
    """What must be the same when somebody comes back: of OpenID Connect or SAML. `invitation`: whose link they came from."""

    connection_id: str
    browser: str
    nonce: str
    verifier: str
    invitation: str = ""


def _failed(code: str, sentence: str = "") -> Refused:
    """One that did not come back as it went; `code` says why in the log."""
    usual = "Your company's sign-in answered in a way we cannot trust, so nobody was signed in. Begin again."
    return Refused(403, sentence or usual, code)


async def discover(inst: Installation, by: Staff, issuer: str, client_id: str, secret: str) -> Provider:
    """Asks the provider for its addresses and keys, and checks that it is who it says. Raises a sentence by field."""
    issuer = issuer.strip().removesuffix("/.well-known/openid-configuration")
    client_id, secret = client_id.strip(), secret.strip()
    if not client_id or len(client_id) > 300:
        raise Refused(422, "Write the client id that the provider gave you.", "client_id")
    if not secret or len(secret) > 2000:
        raise Refused(422, "Write the client secret that the provider gave you.", "secret")
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    told = await _ask(inst, by.account_id, "GET", url, "connecting the provider", "issuer")
    if told.get("issuer") != issuer:
        raise Refused(
            422, "The provider there calls itself by another address. Copy its issuer exactly.", "issuer"
        )
    provider = Provider(
        issuer,
        client_id,
        secret,
        _address(told, "authorization_endpoint", inst),
        _address(told, "token_endpoint", inst),
        _address(told, "jwks_uri", inst),
    )
    await read_keys(inst, by.account_id, provider, "issuer")
    return provider


async def find_logout(inst: Installation, by: Staff, provider: Provider) -> str:
    """Where the provider signs people out (RP-Initiated Logout 1.0 §2.1), as it says today. Raises where it does not."""
    url = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
    told = await _ask(
        inst, by.account_id, "GET", url, "asking where the provider signs people out", "ends_there"
    )
    if told.get("issuer") != provider.issuer:
        sentence = "The provider there calls itself by another address than the one you connected, so nobody can be sent there."
        raise Refused(422, sentence, "ends_there")
    try:
        return _address(told, "end_session_endpoint", inst)
    except Refused:
        sentence = "Your provider does not say where it signs people out, so nobody can be sent there."
        raise Refused(422, sentence, "ends_there") from None


def _address(told: dict[str, Any], name: str, inst: Installation) -> str:
    value = told.get(name)
    try:
        need_address(inst, value if isinstance(value, str) else "", "issuer", name)
    except Refused:
        raise Refused(422, f"The provider there says no usable {name}.", "issuer") from None
    return str(value)


async def _ask(
    inst: Installation,
    account_id: Any,
    method: str,
    url: str,
    why: str,
    code: str,
    once_a_day: bool = False,
    **more: Any,
) -> dict[str, Any]:
    fields = ("authorisation code", "client secret") if more else ()
    try:
        async with inst.egress.client(errand(account_id, why, *fields), once_a_day) as client:
            answer = await client.request(method, url, headers={"accept": "application/json"}, **more)
        if answer.status_code != 200:
            raise Refused(422, "Your company's sign-in did not answer as expected. Try again later.", code)
        told = msgspec.json.decode(answer.content, type=dict[str, Any])
    except Withheld:
        sentence = "This address cannot be asked: it must begin with https:// and be open to the internet."
        raise Refused(422, sentence, code) from None
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError, UnicodeError):
        raise Refused(422, "Your company's sign-in cannot be reached there. Try again later.", code) from None
    return told


async def read_keys(
    inst: Installation, account_id: Any, provider: Provider, code: str, once_a_day: bool = False
) -> KeySet:
    """The keys by which the provider's signatures are known, as it gives them now. Raises a sentence with this code."""
    told = await _ask(inst, account_id, "GET", provider.keys_url, "keys of the provider", code, once_a_day)
    try:
        return KeySet.import_key_set(told)  # type: ignore[arg-type]
    except (JoseError, KeyError, TypeError, ValueError):
        raise Refused(422, "The provider's keys cannot be read.", code) from None


def begin(inst: Installation, connection: Connection, state: str, begun: Begun) -> str:
    """The address at the provider to which somebody is sent."""
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "scope": "openid email profile",
        "client_id": connection.provider.client_id,
        "redirect_uri": place(inst, connection.account_id, "back"),
        "state": state,
        "nonce": begun.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    joined = "&" if "?" in connection.provider.authorize_url else "?"
    return f"{connection.provider.authorize_url}{joined}{urlencode(query)}"


def fresh(connection: Connection, browser: str, invitation: str) -> Begun:
    """New secrets for one sign-in."""
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    return Begun(str(connection.id), browser, nonce, verifier, invitation)


async def finish(
    inst: Installation, connection: Connection, begun: Begun, code: str, iss: str | None
) -> Arrival:
    """Who came back. Raises one sentence for whatever is not right; the code says which."""
    provider = connection.provider
    if iss is not None and iss != provider.issuer:
        raise _failed("sso_mixed_up")
    told = await _ask(
        inst, connection.account_id, "POST", provider.token_url, "signing in with the company", "sso_code",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": place(inst, connection.account_id, "back"),
            "code_verifier": begun.verifier,
        },
        auth=(quote(provider.client_id, safe=""), quote(provider.secret, safe="")),  # RFC 6749 §2.3.1
    )  # fmt: skip
    token = told.get("id_token")
    if not isinstance(token, str) or len(token) > 50_000:
        raise _failed("sso_no_token")
    keys = await read_keys(inst, connection.account_id, provider, "sso_keys")
    return read_token(provider, begun.nonce, token, keys)


def read_token(provider: Provider, nonce: str, token: str, keys: KeySet) -> Arrival:
    """What a provider's id token says, once all of it holds (OpenID Connect Core 1.0 §3.1.3.7)."""
    _, claims = verified(provider, token, keys)
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(
        claims["nonce"].encode(), nonce.encode()
    ):
        raise _failed("sso_nonce")
    return _arrival(claims)


def verified(provider: Provider, token: str, keys: KeySet) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that this provider signed for us and for now. Raises one sentence, with a code."""
    try:
        read = jwt.decode(token, keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, KeyError, TypeError):
        raise _failed("sso_signature") from None
    claims = read.claims
    if claims.get("iss") != provider.issuer:
        raise _failed("sso_issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or provider.client_id not in audiences:
        raise _failed("sso_audience")
    if claims.get("azp", provider.client_id) != provider.client_id or (
        len(audiences) > 1 and "azp" not in claims
    ):
        raise _failed("sso_audience")
    _check_times(claims)
    return read.header, claims


def _check_times(claims: dict[str, Any]) -> None:
    moment = now().timestamp()
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    if not _is_time(times["exp"]) or not _is_time(times["iat"]):
        raise _failed("sso_times")
    late = moment > float(times["exp"] or 0) + SKEW_SECONDS
    early = any(
        at is not None and not (_is_time(at) and moment >= float(at) - SKEW_SECONDS)
        for at in (times["iat"], times["nbf"])
    )
    old = moment > float(times["iat"] or 0) + LONGEST_AGE + SKEW_SECONDS
    if late or early or old:
        sentence = "Your company's sign-in gave an answer that is no longer, or not yet, good. Begin again; should it stay so, its clock is wrong."
        raise _failed("sso_times", sentence)


def _is_time(at: object) -> bool:
    """Whether it is a moment at all: of what is no number nothing is later or earlier."""
    return isinstance(at, int | float) and not isinstance(at, bool) and 0 <= at < _LATEST


def _arrival(claims: dict[str, Any]) -> Arrival:
    def text(name: str) -> str:
        value = claims.get(name)
        return value.strip() if isinstance(value, str) else ""

    # Where a provider says that it has not checked an address, it is nobody's.
    vouched = claims.get("email_verified", True) in (True, "true")
    name = text("name") or " ".join(filter(None, (text("given_name"), text("family_name"))))
    session = text("sid")
    at_provider = AtProvider(index=session if len(session) <= 255 else "")
    return Arrival(text("sub"), text("email") if vouched else "", name, at_provider)
