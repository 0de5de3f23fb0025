"""Signing what leaves (DKIM, RFC 6376): a key for a channel's domain, the records that its owner sets, and whether they stand.

Nothing is signed before the domain's own record shows the key: a signature that nobody can check makes letters look forged. The
key lies sealed in the channel's settings and is shown to nobody. That a record is there proves that the domain is theirs.
"""

import asyncio
import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email import dkim, dmarc
from chatinbox.channels.email.authenticate import ascii_domain
from chatinbox.conversations.channels import keep_settings, read_stored, settings_in
from chatinbox.core.clock import millis, now
from chatinbox.core.egress.names import Inquiry, NotAnswered
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

State: TypeAlias = Literal["not looked for yet", "found", "not found", "differs", "could not be asked"]
_TRIES = Throttle(30, 600)


@dataclass(frozen=True, slots=True)
class Record:
    """One record that a domain's owner sets. `value` is what is to stand there."""

    what: str
    name: str
    value: str
    state: State


@dataclass(frozen=True, slots=True)
class Signing:
    """A channel that has a key: the records it wants, and whether letters are signed."""

    is_on: bool
    records: tuple[Record, ...]


async def read_signings(inst: Installation, by: Staff) -> dict[UUID, Signing]:
    """The account's channels that have a key. Raises not-permitted."""
    by.need("channels")
    found = {}
    for channel in await read_stored(inst, by.account_id):
        kept = channel.settings.get("dkim")
        if channel.kind == "email" and kept and channel.id not in by.kept_out:
            states = kept.get("states", {})
            found[channel.id] = Signing(
                bool(kept.get("found_at")),
                tuple(
                    Record(what, name, value, states.get(what, "not looked for yet"))
                    for what, name, value in _wanted(inst, channel.settings)
                ),
            )
    return found


async def make_key(inst: Installation, by: Staff, channel_id: UUID) -> None:
    """Makes the key of a channel's domain. Raises not-permitted, not-found, or that there is one."""
    by.need("channels")
    if channel_id in by.kept_out:
        raise not_found()
    kept = {
        "selector": f"chatinbox-{channel_id.hex[-8:]}",
        "private_key": base64.b64encode(await asyncio.to_thread(_new_key)).decode(),
    }
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        stored = await settings_in(tx, key, channel_id, "email")
        if "dkim" in stored.settings:
            raise Refused(409, "This channel has a key already.", "has_key")
        await keep_settings(tx, key, channel_id, stored.settings | {"dkim": kept})
        await tx.execute(*noted(key, by, "channel.signing", "no key", "a key, not used yet", channel_id))


def _new_key() -> bytes:
    return generate_private_key(65537, 2048).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


async def look_for_records(inst: Installation, by: Staff, channel_id: UUID) -> Signing:
    """Asks for the records, and signs from now on if the domain shows the key, else no more. Raises as `make_key`."""
    by.need("channels")
    _TRIES.take(str(by.account_id))
    channel = next((one for one in await read_stored(inst, by.account_id) if one.id == channel_id), None)
    if channel is None or channel_id in by.kept_out or "dkim" not in channel.settings:
        raise not_found()
    inquiry = inst.egress.names.inquiry()
    states = {
        what: await _state(inst, inquiry, what, name, value)
        for what, name, value in _wanted(inst, channel.settings)
    }
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        stored = await settings_in(tx, key, channel_id, "email")
        kept = stored.settings.get("dkim")
        if kept is None or kept["selector"] != channel.settings["dkim"]["selector"]:
            raise not_found()
        was = kept.get("found_at")
        at = was if states["DKIM"] == "could not be asked" else None
        at = millis(now()) if states["DKIM"] == "found" else at
        await keep_settings(
            tx,
            key,
            channel_id,
            stored.settings | {"dkim": kept | {"states": states, "found_at": at}},
        )
        if bool(was) != bool(at):
            told = ("signed", "not signed") if was else ("not signed", "signed")
            await tx.execute(*noted(key, by, "channel.signing", *told, channel_id))
    return (await read_signings(inst, by))[channel_id]


async def forget_key(inst: Installation, by: Staff, channel_id: UUID) -> None:
    """Ends signing; the key is gone. Raises as `make_key`."""
    by.need("channels")
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        stored = await settings_in(tx, key, channel_id, "email")
        if channel_id in by.kept_out or "dkim" not in stored.settings:
            raise not_found()
        kept = {name: value for name, value in stored.settings.items() if name != "dkim"}
        await keep_settings(tx, key, channel_id, kept)
        await tx.execute(*noted(key, by, "channel.signing", "a key", "no key", channel_id))


def signed(settings: dict[str, Any], raw: bytes) -> bytes:
    """A letter of a channel as it leaves: signed when its domain shows the key, else as it is."""
    kept = settings.get("dkim")
    if not kept or not kept.get("found_at"):
        return raw
    return dkim.sign(raw, _domain(settings), kept["selector"], _key(kept["private_key"]))


@lru_cache(maxsize=1)
def _key(private: str) -> RSAPrivateKey:
    key = load_der_private_key(base64.b64decode(private), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _domain(settings: dict[str, Any]) -> str:
    return ascii_domain(str(settings["address"]).rpartition("@")[2])


def _wanted(inst: Installation, settings: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What, name and value of each record."""
    domain, kept = _domain(settings), settings["dkim"]
    public = _key(kept["private_key"]).public_key()
    told = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    host = urlsplit(inst.settings.smtp_url or "").hostname or ""
    sends = f" a:{host}" if "." in host and not host.replace(".", "").isdigit() else " mx"
    return [
        ("DKIM", f"{kept['selector']}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={told}"),
        ("SPF", domain, f"v=spf1{sends} ~all"),
        ("DMARC", f"_dmarc.{domain}", "v=DMARC1; p=none"),
    ]


async def _state(inst: Installation, inquiry: Inquiry, what: str, name: str, value: str) -> State:
    """What stands at a name. Of SPF, each term of ours; of DMARC, any policy: those may say more."""
    if not inst.egress.names.is_on:
        return "could not be asked"
    try:
        if what == "DKIM":
            texts = [one.decode("ascii", "replace") for one in await inquiry.ask(name, "TXT")]
            same = any(_public(one) == _public(value) for one in texts)
            return "found" if same else "differs" if texts else "not found"
        if what == "SPF":
            texts = await inquiry.texts(name, "v=spf1")
            asked = value.split()[1]
            same = len(texts) == 1 and asked in texts[0].lower().replace("+", "").split()
            return "found" if same else "differs" if texts else "not found"
        return "found" if (await dmarc.find(name.removeprefix("_dmarc."), inquiry)).tags else "not found"
    except NotAnswered:
        return "could not be asked"


def _public(record: str) -> str:
    return "".join(dkim.read_tags(record).get("p", record).split())
