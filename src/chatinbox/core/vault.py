"""The vault: keys and sealing. What a person typed, sent or is called is sealed before it meets the database.

AES-256-GCM (NIST SP 800-38D); each sealed value is bound to its account, table, column and row, so it opens nowhere
else. A customer's key seals everything of that customer; destroying the key erases it in every copy.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from functools import cache
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatinbox.core.destroyed import MARK, TALK, Destroyed
from chatinbox.core.ids import NOBODY
from chatinbox.core.keystore import Keystore, Name
from chatinbox.core.root.keep import PLAIN, WRAPPED, InFile, Keeper, has_root_key, read
from chatinbox.core.trouble import Trouble

CACHE_SECONDS = 60.0
_VERSION = b"\x01"


class Erased(Exception):
    """The key of this subject was destroyed, or never was."""


class Tampered(Exception):
    """These bytes were altered, or moved from where they were sealed."""


class NotLent(Exception):
    """The operator asked for a key, and no live grant covers it."""


class BadToken(Exception):
    """This token was not made here, or was altered."""


class SealKey:
    """One key, able to seal and open bound values. Also gives keyed hashes for look-ups (`blind`)."""

    __slots__ = ("_aead", "_blind", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._aead = AESGCM(raw)
        self._blind = derive(raw, "blind")

    def seal(self, value: str | bytes, account_id: UUID, table: str, column: str, row_id: UUID) -> bytes:
        """Sealed bytes: version, 12 random bytes, ciphertext with its tag (29 bytes more than `value`)."""
        nonce = os.urandom(12)
        plain = value.encode() if isinstance(value, str) else value
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, _bound(account_id, table, column, row_id))

    def open(self, sealed: bytes, account_id: UUID, table: str, column: str, row_id: UUID) -> bytes:
        """The value; raises Tampered when it was sealed for another place."""
        try:
            return self._aead.decrypt(sealed[1:13], sealed[13:], _bound(account_id, table, column, row_id))
        except (InvalidTag, ValueError) as error:
            raise Tampered(f"{table}.{column}") from error

    def open_text(self, sealed: bytes, account_id: UUID, table: str, column: str, row_id: UUID) -> str:
        """The value as text."""
        return self.open(sealed, account_id, table, column, row_id).decode()

    def blind(self, purpose: str, text: str) -> bytes:
        """A keyed hash of 16 bytes: equal words give equal bytes within this key and purpose, and tell nothing else."""
        return hmac.digest(self._blind, f"{purpose}\0{text}".encode(), "sha256")[:16]

    def derived(self, label: str) -> bytes:
        """32 bytes for another use, from which this key cannot be found."""
        return derive(self._raw, label)

    def wrap(self, raw: bytes, name: Name) -> bytes:
        """Another key, sealed by this one and bound to its name."""
        kind, account_id, subject_id = name
        return self.seal(raw, account_id, "keystore", kind, subject_id)

    def unwrap(self, wrapped: bytes, name: Name) -> "SealKey":
        """The key that `wrap` sealed."""
        kind, account_id, subject_id = name
        return SealKey(self.open(wrapped, account_id, "keystore", kind, subject_id))


def derive(raw: bytes, label: str) -> bytes:
    """HKDF-Expand with SHA-256 for one block (RFC 5869 §2.3); `raw` is already uniform."""
    return hmac.digest(raw, label.encode() + b"\x01", "sha256")


def _bound(account_id: UUID, table: str, column: str, row_id: UUID) -> bytes:
    return account_id.bytes + _place(table, column) + row_id.bytes


@cache
def _place(table: str, column: str) -> bytes:
    return f"{table}\0{column}\0".encode()


_OF_NO_ACCOUNT = ("person", "day", "request")


def _day(day: date) -> Name:
    return "day", NOBODY, UUID(int=day.toordinal())


class Vault:
    """All keys of the installation: cached at most a minute, dropped at once when one is destroyed."""

    def __init__(self, root: bytes, keystore: Keystore, keeper: Keeper | None = None) -> None:
        self._root, self.keeper = SealKey(root), keeper or InFile()
        self._keystore = keystore
        self._cache: dict[Name, tuple[float, SealKey]] = {}
        self._context_key = self._root.derived("context")
        self._contexts: dict[UUID, tuple[float, str]] = {}
        self._tokens: dict[str, SealKey] = {}

    @classmethod
    def open(cls, data: Path, destroyed: str = "", keeper: Keeper | None = None) -> "Vault":
        """The vault of a data folder; makes the root key and the keystore at the first start. `destroyed` is the path of
        the ledger of destroyed keys, where it lies elsewhere than beside the keys; `keeper` is who keeps the root key,
        where it is not the file. Raises Trouble; Away where the keeper can be asked again.
        """
        keeper, path = keeper or InFile(), keystore_of(data)
        if path.exists() and not has_root_key(data):
            raise Trouble(
                f"The keystore {path} is there, but the root key that opens it is missing: put {data / 'keys' / PLAIN}, or"
                f" {WRAPPED} there, back from your backup."
            )
        root = read(data, keeper)
        return cls(root, Keystore(path, ledger_of(data, root, destroyed)), keeper)

    @property
    def keystore(self) -> Keystore:
        """Where the wrapped keys lie."""
        return self._keystore

    @property
    def destroyed(self) -> Destroyed:
        """The ledger of destroyed keys."""
        return self._keystore.destroyed

    def copy_keys_to(self, path: Path) -> None:
        """Writes the wrapped keys into a new file."""
        self._keystore.copy_to(path)

    def drop_again(self, names: Iterable[Name]) -> None:
        """Removes keys that were destroyed before an older copy was put back."""
        self._keystore.drop_again(names)
        self.forget()

    async def mark_gone(self, account_id: UUID, marks: Iterable[bytes], talks: Iterable[UUID] = ()) -> None:
        """Keeps the keyed hashes of erased letters, 16 bytes each, and the ids of conversations that were erased without a
        key, where a copy put back finds them.
        """
        names = [(MARK, account_id, UUID(bytes=one)) for one in marks]
        names += [(TALK, account_id, one) for one in talks]
        if names:
            await asyncio.to_thread(self.destroyed.add, names)

    async def write_down(self, kind: str, account_id: UUID, subject_id: UUID, *more: str) -> None:
        """Keeps what began or ended for somebody where a copy put back finds it; on disk when this returns. What begins is
        written before it is committed, what ends after: whatever breaks off between, a copy put back has it still standing.
        """
        await asyncio.to_thread(self.destroyed.add, [(kind, account_id, subject_id)], more)

    def close(self) -> None:
        """Closes the keystore."""
        self._keystore.close()

    # --- keys -----------------------------------------------------------------------------------------------------

    async def customer_key(self, account_id: UUID, customer_id: UUID) -> SealKey:
        """The key that seals everything of one customer; raises Erased."""
        return (await self.customer_keys(account_id, [customer_id]))[customer_id]

    async def customer_keys(self, account_id: UUID, customer_ids: Iterable[UUID]) -> dict[UUID, SealKey]:
        """The keys of many customers at once; erased ones raise Erased."""
        found = self.known_customer_keys(account_id, customer_ids)
        for customer_id in customer_ids:
            if customer_id not in found:
                raise Erased("customer")
        return found

    def known_customer_keys(self, account_id: UUID, customer_ids: Iterable[UUID]) -> dict[UUID, SealKey]:
        """As `customer_keys`, leaving out who was erased. Reads the local keystore only."""
        names = {("customer", account_id, customer_id) for customer_id in customer_ids}
        return {name[2]: key for name, key in self._load(names).items()}

    async def account_key(self, account_id: UUID) -> SealKey:
        """The account's own key: tags, settings, templates, and what wraps its customers' keys."""
        return self._one(("account", account_id, account_id))

    def known_account_key(self, account_id: UUID) -> SealKey:
        """As `account_key`, before there is a loop."""
        return self._one(("account", account_id, account_id))

    async def person_key(self, person_id: UUID) -> SealKey:
        """The key of a human who signs in, whatever accounts they work in."""
        return self._one(("person", NOBODY, person_id))

    async def raw_mail_key(self, account_id: UUID, raw_mail_id: UUID) -> SealKey:
        """The key of one mail as it arrived."""
        return self._one(("raw_mail", account_id, raw_mail_id))

    async def connection_key(self, account_id: UUID, connection_id: UUID) -> SealKey:
        """The key of a connected program, from which its secret is made; raises Erased once the connection ended."""
        return self._one(("connection", account_id, connection_id))

    async def package_key(self, account_id: UUID, package_id: UUID) -> SealKey:
        """The key of one copy of a customer's data; raises Erased once the copy has ended."""
        return self._one(("package", account_id, package_id))

    async def request_key(self, request_id: UUID) -> SealKey:
        """The key of a request that is carried from account to account, and of nothing else; raises Erased afterwards."""
        return self._one(("request", NOBODY, request_id))

    async def lend(
        self, kind: str, account_id: UUID, subject_id: UUID, covers: Callable[[str, UUID], Awaitable[bool]]
    ) -> SealKey:
        """A key for a reading of the operator's: only where the database says, now, that a live grant covers it. Raises
        NotLent, Erased.
        """
        if not await covers(kind, subject_id):
            raise NotLent(kind)
        return self._one((kind, NOBODY if kind in _OF_NO_ACCOUNT else account_id, subject_id))

    def day_key(self, day: date) -> SealKey:
        """The key of a day of the security log; raises Erased once the day is destroyed."""
        return self._one(_day(day))

    async def create_day_key(self, day: date) -> SealKey:
        """A day's key, on disk before this returns; later calls give the same."""
        return await self._create(_day(day))

    def key_days(self) -> list[date]:
        """The days of the security log that have a key, oldest first; a day without one opens for nobody."""
        return [date.fromordinal(name[2].int) for name in self._keystore.names("day", NOBODY)]

    async def destroy_days_before(self, kept: date) -> int:
        """Destroys the keys of every day before `kept` for good; how many."""
        old = [name for name in self._keystore.names("day", NOBODY) if name[2].int < kept.toordinal()]
        for kind, _, subject_id in old:
            await self.destroy(kind, NOBODY, subject_id)
        return len(old)

    async def create_account_key(self, account_id: UUID) -> SealKey:
        """A new account's key, on disk before this returns; later calls give the same."""
        return await self._create(("account", account_id, account_id))

    async def create_customer_key(self, account_id: UUID, customer_id: UUID) -> SealKey:
        """A new customer's key, on disk before this returns."""
        return await self._create(("customer", account_id, customer_id))

    async def create_person_key(self, person_id: UUID) -> SealKey:
        """A new person's key, on disk before this returns."""
        return await self._create(("person", NOBODY, person_id))

    async def create_request_key(self, request_id: UUID) -> SealKey:
        """A new request's key, on disk before this returns."""
        return await self._create(("request", NOBODY, request_id))

    async def create_raw_mail_key(self, account_id: UUID, raw_mail_id: UUID) -> SealKey:
        """A new key for one raw mail, on disk before this returns."""
        return await self._create(("raw_mail", account_id, raw_mail_id))

    async def create_connection_key(self, account_id: UUID, connection_id: UUID) -> SealKey:
        """A new connection's key, on disk before this returns."""
        return await self._create(("connection", account_id, connection_id))

    async def create_package_key(self, account_id: UUID, package_id: UUID) -> SealKey:
        """A new key for one copy of a customer's data, on disk before this returns."""
        return await self._create(("package", account_id, package_id))

    async def destroy(self, kind: str, account_id: UUID, subject_id: UUID) -> None:
        """Destroys a key for good and forgets it at once."""
        name = (kind, NOBODY if kind in _OF_NO_ACCOUNT else account_id, subject_id)
        self._cache.pop(name, None)
        await asyncio.wrap_future(self._keystore.destroy(name))
        self._cache.pop(name, None)

    async def destroy_account(self, account_id: UUID) -> None:
        """Destroys every key of an account for good: its own, its customers', its raw mail's."""
        if account_id == NOBODY:  # people's keys stand there
            raise ValueError("this is no account")
        self._forget_account(account_id)
        await asyncio.wrap_future(self._keystore.destroy_account(account_id))
        self._forget_account(account_id)

    def count_account(self, account_id: UUID) -> dict[str, int]:
        """How many keys of each kind an account has."""
        return self._keystore.count(account_id)

    def _forget_account(self, account_id: UUID) -> None:
        for name in [name for name in self._cache if name[1] == account_id]:
            del self._cache[name]

    def forget(self) -> None:
        """Drops every cached key, as erasure rings it."""
        self._cache.clear()

    def _wrapping(self, name: Name) -> SealKey:
        return (
            self._root
            if name[0] == "account" or name[0] in _OF_NO_ACCOUNT
            else self._one(("account", name[1], name[1]))
        )

    def _one(self, name: Name) -> SealKey:
        key = self._load({name}).get(name)
        if key is None:
            raise Erased(name[0])
        return key

    def _load(self, names: Iterable[Name]) -> dict[Name, SealKey]:
        fresh_after = time.monotonic() - CACHE_SECONDS
        found: dict[Name, SealKey] = {}
        missing: list[Name] = []
        for name in names:
            cached = self._cache.get(name)
            if cached and cached[0] > fresh_after:
                found[name] = cached[1]
            else:
                missing.append(name)
        if missing:
            loaded = time.monotonic()
            for name, wrapped in self._keystore.get(missing).items():
                found[name] = self._wrapping(name).unwrap(wrapped, name)
                self._remember(name, found[name], loaded)
        return found

    def _remember(self, name: Name, key: SealKey, at: float) -> None:
        if len(self._cache) > 50_000:
            self._cache.clear()
        self._cache[name] = (at, key)

    async def _create(self, name: Name) -> SealKey:
        existing = self._load({name}).get(name)
        if existing is not None:
            return existing
        raw = os.urandom(32)
        await asyncio.wrap_future(self._keystore.put(name, self._wrapping(name).wrap(raw, name)))
        return self._one(name)  # what stands in the store wins when two made one at once

    # --- look-ups, tokens, context --------------------------------------------------------------------------------

    async def blind(self, account_id: UUID, purpose: str, text: str) -> bytes:
        """A look-up hash that only this account's key gives."""
        return (await self.account_key(account_id)).blind(purpose, text)

    def blind_installation(self, purpose: str, text: str) -> bytes:
        """A look-up hash for the directory, under a key of the installation."""
        return self._root.blind(purpose, text)

    def mint(self, purpose: str, payload: bytes) -> str:
        """An encrypted, authenticated token of lower-case letters and digits; fits the local part of an address."""
        sealed = self._token_key(purpose).seal(payload, NOBODY, "token", purpose, NOBODY)
        return base64.b32encode(sealed[1:]).decode().rstrip("=").lower()

    def read(self, purpose: str, token: str) -> bytes:
        """What `mint` put in; raises BadToken."""
        try:
            sealed = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
            return self._token_key(purpose).open(_VERSION + sealed, NOBODY, "token", purpose, NOBODY)
        except (binascii.Error, ValueError, Tampered) as error:
            raise BadToken(purpose) from error

    def _token_key(self, purpose: str) -> SealKey:
        if purpose not in self._tokens:
            self._tokens[purpose] = SealKey(self._root.derived(f"token {purpose}"))
        return self._tokens[purpose]

    def is_root(self, raw: bytes) -> bool:
        """Whether this is the installation's root key."""
        return hmac.compare_digest(self._root.derived("root"), derive(raw, "root"))

    def secret(self, label: str) -> bytes:
        """32 bytes for one use of the installation (the app's database password, a signature)."""
        return self._root.derived(label)

    def context(self, account_id: UUID) -> str:
        """The signed account context for `SET LOCAL app.context`: account, expiry in unix seconds, HMAC-SHA-256."""
        moment = time.time()
        cached = self._contexts.get(account_id)
        if cached and cached[0] > moment:
            return cached[1]
        body = f"{account_id}.{int(moment) + 120}"
        mac = hmac.new(self._context_key, body.encode(), hashlib.sha256).hexdigest()
        if len(self._contexts) > 20_000:
            self._contexts.clear()
        self._contexts[account_id] = (moment + 60, f"{body}.{mac}")
        return f"{body}.{mac}"

    def context_pads(self) -> tuple[bytes, bytes]:
        """HMAC's inner and outer pad of the context key, for the database that verifies (RFC 2104)."""
        padded = self._context_key.ljust(64, b"\0")
        return bytes(b ^ 0x36 for b in padded), bytes(b ^ 0x5C for b in padded)


def keystore_of(data: Path) -> Path:
    """Where the keystore of a data folder lies."""
    return data / "keystore" / "keys.sqlite"


def ledger_of(data: Path, root: bytes, elsewhere: str = "") -> Destroyed:
    """The ledger of destroyed keys of a data folder. Raises Trouble where it should lie elsewhere and that is not there."""
    path = Path(elsewhere) if elsewhere else data / "keystore" / "destroyed.ledger"
    if elsewhere and not path.parent.is_dir():  # a disk that is not mounted would be written beside
        raise Trouble(
            f"CHATINBOX_DESTROYED_LEDGER names {path}, but its folder is not there. Mount or make it first."
        )
    return Destroyed(path, derive(root, "ledger of destroyed keys"))
