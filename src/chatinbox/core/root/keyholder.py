"""A keyholder outside: HashiCorp Vault or OpenBao, by its transit engine.

The file holds the root key sealed under a key made for it alone, and that one as the keyholder wrapped it. So the keyholder never
has the root key, not even on its way, and the file without the keyholder opens nothing.

    POST {url}/v1/{mount}/encrypt/{key}  {"plaintext": base64}    -> {"data": {"ciphertext": "vault:v1:…"}}
    POST {url}/v1/{mount}/decrypt/{key}  {"ciphertext": …}        -> {"data": {"plaintext": base64}}
    POST {url}/v1/auth/{login}/login     {"role_id", "secret_id"} -> {"auth": {"client_token": …}}
"""

import asyncio
import base64
import json
import os
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from chatinbox.core.clock import now
from chatinbox.core.egress.http import HttpGate, Withheld
from chatinbox.core.egress.recipients import KEYHOLDER, Errand
from chatinbox.core.ids import NOBODY
from chatinbox.core.root.keep import BYTES, WRAPPED, Away
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import SealKey, Tampered

_PLACE = (NOBODY, "keys", "root", NOBODY)
_T = TypeVar("_T")
Code: TypeAlias = Literal["forbidden", "not_there", "not_its_own", "other_key", "strange"]


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a keyholder is, which key of it is ours, and how we sign in: by a token in a file, or by a role."""

    url: str
    key: str
    mount: str
    namespace: str
    token_file: str
    role_id: str
    secret_file: str
    login: str


class Refuses(Trouble):
    """The keyholder answers, and does not do it: for want of a right, of a key, or because it is not its own. `code` says
    which in the log.
    """

    def __init__(self, sentence: str, code: Code) -> None:
        super().__init__(sentence)
        self.code = code


class Keyholder:
    """The keeper that is a keyholder. `answered_at`: when it last did what was asked; `away`: why it does not since, if so."""

    file = WRAPPED

    def __init__(self, reached: Reached, gate: HttpGate) -> None:
        self.reached, self.gate = reached, gate
        self.words = f"the keyholder at {urlsplit(reached.url).hostname}"
        self._called = f"T{self.words[1:]}"
        self.answered_at: datetime | None = None
        self.away = ""
        gate.bases[KEYHOLDER] = reached.url
        self._token = ""

    def wrap(self, raw: bytes) -> bytes:
        """Seals the root key under a key of its own, which the keyholder wraps."""
        return _alone(self._wrap(raw))

    def unwrap(self, kept: bytes) -> bytes:
        """Has the keyholder open the key, and the root key with it."""
        return _alone(self.ask(kept))

    async def _wrap(self, raw: bytes) -> bytes:
        key = os.urandom(BYTES)
        asked = {"plaintext": base64.b64encode(key).decode()}
        data = await self._do("encrypt", asked, "a key is to be wrapped", "a key made for this")
        told = {"by": f"{self.reached.mount}/{self.reached.key}", "key": data.get("ciphertext")}
        if not isinstance(told["key"], str) or not told["key"]:
            raise Refuses(f"{self._called} does not answer as Vault or OpenBao do.", "strange")
        told["sealed"] = base64.b64encode(SealKey(key).seal(raw, *_PLACE)).decode()
        return json.dumps(told, indent=1).encode() + b"\n"

    async def ask(self, kept: bytes) -> bytes:
        """As `unwrap`, where there is a loop already."""
        try:
            told = json.loads(kept)
            wrapped, sealed = str(told["key"]), base64.b64decode(told["sealed"])
        except (ValueError, KeyError, TypeError):
            raise Trouble("the file is no wrapped root key.") from None
        data = await self._do("decrypt", {"ciphertext": wrapped}, "the root key is opened", "a wrapped key")
        try:
            key = SealKey(base64.b64decode(data["plaintext"], validate=True))
            raw = key.open(sealed, *_PLACE)
        except (ValueError, KeyError, TypeError, Tampered):
            raise Refuses(
                f"{self._called} opened another key than the one that this was sealed with.", "other_key"
            ) from None
        self.answered_at = now()
        return raw

    async def _do(self, verb: str, body: dict[str, Any], instruction: str, field: str) -> dict[str, Any]:
        """One request; a token that is refused is asked for once more."""
        path = f"{quote(self.reached.mount)}/{verb}/{quote(self.reached.key, safe='')}"
        had_token = bool(self._token)
        status, told = await self._post(path, body, await self._signed_in(), instruction, field)
        if status == 403 and had_token:
            self._token = ""
            status, told = await self._post(path, body, await self._signed_in(), instruction, field)
        data = _checked(self._called, path, status, told).get("data")
        return data if isinstance(data, dict) else {}

    async def _signed_in(self) -> str:
        """The token: from its file each time, where another program renews it; else the role's, kept until it is refused."""
        if self.reached.token_file:
            return _read(self.reached.token_file)
        if not self._token:
            body = {"role_id": self.reached.role_id, "secret_id": _read(self.reached.secret_file)}
            path = f"auth/{quote(self.reached.login)}/login"
            status, told = await self._post(
                path, body, "", "signing in to the keyholder", "the role’s name and secret"
            )
            auth = _checked(self._called, path, status, told).get("auth")
            self._token = str(auth.get("client_token") or "") if isinstance(auth, dict) else ""
        return self._token

    async def _post(
        self, path: str, body: dict[str, Any], token: str, instruction: str, field: str
    ) -> tuple[int, Any]:
        errand = Errand(None, KEYHOLDER, "subprocessor", instruction, (field,))
        headers = {"X-Vault-Request": "true"}
        headers |= {"X-Vault-Token": token} if token else {}
        headers |= {"X-Vault-Namespace": self.reached.namespace} if self.reached.namespace else {}
        try:
            async with self.gate.client(errand) as client:
                answer = await client.post(f"{self.reached.url}/v1/{path}", json=body, headers=headers)
        except Withheld as withheld:
            raise Trouble(f"Nothing was sent to {self.words}: {withheld.reason}.") from None
        except httpx.HTTPError as error:
            raise Away(f"{self._called} does not answer ({_why(error)}).", "silent") from None
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, None


_REFUSED: dict[int, tuple[Code, str]] = {
    400: ("not_its_own", "it did not wrap this with that key"),
    403: ("forbidden", "the token or role may not do it, or has ended"),
    404: ("not_there", "there is no such engine or key"),
}


def _checked(called: str, path: str, status: int, told: Any) -> dict[str, Any]:
    """What it answered. Its own words are not repeated: nobody knows what is in them."""
    if status == 503:
        raise Away(f"{called} is sealed or being started (503).", "sealed")
    if status >= 500 or status in (408, 412, 429, 472, 473):
        raise Away(f"{called} cannot do it now ({status}).", "busy")
    if status != 200:
        code, hint = _REFUSED.get(status, ("strange", "it answers as no keyholder does"))
        raise Refuses(f"{called} refuses {path} ({status}): {hint}.", code)
    if not isinstance(told, dict):
        raise Refuses(f"{called} does not answer as Vault or OpenBao do.", "strange")
    return told


def _why(error: httpx.HTTPError) -> str:
    return {
        "ReadTimeout": "too slow",
        "ConnectError": "no connection, or a certificate that is not believed",
    }.get(type(error).__name__, type(error).__name__)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(
            f"{path}, with which one signs in to the keyholder, cannot be read ({type(error).__name__})."
        ) from None


def _alone(work: Coroutine[Any, Any, _T]) -> _T:
    """Does it in a loop of its own, whether or not one runs here: a start waits for it."""
    with ThreadPoolExecutor(1) as one:
        return one.submit(asyncio.run, work).result()
