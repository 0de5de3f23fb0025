"""Passkeys (WebAuthn Level 3): added under a name, listed, renamed, removed; each alone proves who somebody is.

What the browser is asked stands sealed in the page's own form, so nothing is stored before an answer was right.
"""

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import structs

from chatinbox.accounts.people import Person
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.core.vault import BadToken, Erased, SealKey
from chatinbox.core.visible import one_line

GOOD_FOR = timedelta(minutes=10)
MOST = 20
T = TypeVar("T")
Purpose: TypeAlias = Literal["add", "open", "second", "proof"]
_REQUIRED = structs.UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of a person's passkeys, as they see it. `credential_id` is what the authenticator knows it by."""

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None
    credential_id: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What a page asks the browser: `options` as JSON for its script, `token` for its form."""

    options: str
    token: str


def are_possible(inst: Installation) -> bool:
    """Browsers tie passkeys to a name: none at an address of figures, none without TLS but on this machine itself."""
    parts = urlsplit(inst.settings.public_url)
    try:
        ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return parts.scheme == "https" or _host(inst) == "localhost"
    return False


async def ask_to_add(inst: Installation, person: Person) -> Question:
    """Asks a browser to make a passkey that lives in the authenticator and checks who holds it."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_registration_options(
        rp_id=_host(inst),
        rp_name="ChatInbox",
        user_name=person.email,
        user_id=person.id.bytes,
        user_display_name=person.name,
        challenge=challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
        ),
        exclude_credentials=_named(await read(inst, person.id)),
    )
    return Question(webauthn.options_to_json(options), _token(inst, "add", person.id, challenge))


async def ask(inst: Installation, purpose: Purpose, person_id: UUID | None = None) -> Question:
    """Asks a browser for a passkey: any of ours, or one of a person who is known already."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_authentication_options(
        rp_id=_host(inst),
        challenge=challenge,
        user_verification=_REQUIRED,
        allow_credentials=_named(await read(inst, person_id)) if person_id else None,
    )
    return Question(webauthn.options_to_json(options), _token(inst, purpose, person_id or NOBODY, challenge))


async def read(inst: Installation, person_id: UUID) -> list[Passkey]:
    """A person's passkeys, the oldest first."""
    rows = await inst.db.directory("select * from directory.passkeys_of(%s)", [person_id])
    key = await inst.vault.person_key(person_id)
    return [
        Passkey(
            row_id,
            key.open_text(name, NOBODY, "passkey", "name", row_id),
            created_at,
            used_at,
            key.open(credential, NOBODY, "passkey", "credential", row_id),
        )
        for row_id, credential, name, created_at, used_at in rows
    ]


async def add(inst: Installation, person_id: UUID, name: str, token: str, answer: str) -> None:
    """Adds the passkey a browser made. Raises a sentence for what is late, altered, of another site or known."""
    name = _checked_name(name)
    challenge = _challenge(inst, "add", person_id, token)
    made = _checked(
        lambda: webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(inst),
            expected_origin=inst.settings.public_url,
            require_user_verification=True,
        )
    )
    if len(await read(inst, person_id)) >= MOST:
        raise Refused(409, said("You have %(count)s passkeys. Remove one first.", count=MOST), "passkey")
    await _use(inst, challenge)
    row_id, key = new_id(), await inst.vault.person_key(person_id)
    sealed = [
        key.seal(value, NOBODY, "passkey", column, row_id)
        for column, value in (
            ("credential", made.credential_id),
            ("public_key", made.credential_public_key),
            ("name", name),
        )
    ]
    blind = _blind(inst, made.credential_id)
    [[added]] = await inst.db.directory(
        "select directory.add_passkey(%s, %s, %s, %s, %s, %s, %s, %s)",
        [row_id, person_id, blind, *sealed, made.sign_count, now()],
    )
    if not added:
        raise Refused(409, "This passkey is known already.", "passkey")


async def rename(inst: Installation, person_id: UUID, passkey_id: UUID, name: str) -> None:
    """Calls one of a person's passkeys something else. Raises a sentence for no name, and not-found."""
    key, name = await inst.vault.person_key(person_id), _checked_name(name)
    sealed = key.seal(name, NOBODY, "passkey", "name", passkey_id)
    [[renamed]] = await inst.db.directory(
        "select directory.rename_passkey(%s, %s, %s)", [person_id, passkey_id, sealed]
    )
    if not renamed:
        raise not_found()


async def remove(inst: Installation, person_id: UUID, passkey_id: UUID) -> None:
    """Removes one of a person's passkeys. Raises not-found."""
    [[gone]] = await inst.db.directory("select directory.remove_passkey(%s, %s)", [person_id, passkey_id])
    if not gone:
        raise not_found()


async def prove(
    inst: Installation, purpose: Purpose, token: str, answer: str, person_id: UUID | None = None
) -> UUID:
    """Whose passkey answered. One sentence for an unknown one, a wrong signature, a copy, and an answer sent twice."""
    challenge = _challenge(inst, purpose, person_id or NOBODY, token)
    parsed = _checked(lambda: webauthn.helpers.parse_authentication_credential_json(answer))
    rows = await inst.db.directory("select * from directory.find_passkey(%s)", [_blind(inst, parsed.raw_id)])
    handle = parsed.response.user_handle
    if not rows or person_id not in (None, rows[0][1]) or handle not in (None, b"", rows[0][1].bytes):
        raise _wrong()
    passkey_id, owner_id, public_key, count = rows[0]
    key = await _key(inst, owner_id)
    known = key.open(public_key, NOBODY, "passkey", "public_key", passkey_id)
    proven = _checked(
        lambda: webauthn.verify_authentication_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=_host(inst),
            expected_origin=inst.settings.public_url,
            credential_public_key=known,
            credential_current_sign_count=count,
            require_user_verification=True,
        )
    )
    await _use(inst, challenge)
    [[grown]] = await inst.db.directory(
        "select directory.use_passkey(%s, %s, %s)", [passkey_id, proven.new_sign_count, now()]
    )
    if not grown:
        raise _wrong()
    return UUID(str(owner_id))


async def forget(inst: Installation) -> None:
    """Removes used challenges once they could not be answered anyway."""
    await inst.db.directory("select directory.forget_challenges(%s)", [now()])


def _checked_name(name: str) -> str:
    name = one_line(name)
    if not 1 <= len(name) <= 60:
        raise Refused(422, "Give it a name, such as “phone” or “blue key”.", "name")
    return name


def _checked(check: Callable[[], T]) -> T:
    """Whatever is wrong with what a stranger sent, the answer is the same."""
    try:
        return check()
    except Exception as error:  # a stranger's JSON, CBOR and signature: each reader has its own errors
        raise _wrong() from error


async def _key(inst: Installation, person_id: UUID) -> SealKey:
    try:
        return await inst.vault.person_key(person_id)
    except Erased:
        raise _wrong() from None


def _host(inst: Installation) -> str:
    return urlsplit(inst.settings.public_url).hostname or ""


def _blind(inst: Installation, credential_id: bytes) -> bytes:
    return inst.vault.blind_installation("passkey", credential_id.hex())


def _named(passkeys: list[Passkey]) -> list[structs.PublicKeyCredentialDescriptor]:
    return [structs.PublicKeyCredentialDescriptor(id=one.credential_id) for one in passkeys]


def _token(inst: Installation, purpose: Purpose, person_id: UUID, challenge: bytes) -> str:
    until = int((now() + GOOD_FOR).timestamp())
    return inst.vault.mint(f"passkey {purpose}", person_id.bytes + until.to_bytes(8) + challenge)


def _challenge(inst: Installation, purpose: Purpose, person_id: UUID, token: str) -> bytes:
    try:
        payload = inst.vault.read(f"passkey {purpose}", token)
    except BadToken:
        raise _wrong() from None
    if payload[:16] != person_id.bytes:
        raise _wrong()
    if int.from_bytes(payload[16:24]) < now().timestamp():
        raise Refused(410, "That took too long. Please try again.", "passkey")
    return payload[24:]


async def _use(inst: Installation, challenge: bytes) -> None:
    hashed = inst.vault.blind_installation("challenge", challenge.hex())
    [[first]] = await inst.db.directory(
        "select directory.use_challenge(%s, %s)", [hashed, now() + GOOD_FOR + GOOD_FOR]
    )
    if not first:
        raise _wrong()


def _wrong() -> Refused:
    return Refused(
        422, "This passkey did not open anything here. Use another one, or another way to sign in.", "passkey"
    )
