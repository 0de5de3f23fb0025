"""The connection of an account to its company's sign-in provider; its secrets are sealed under the account's key."""

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.sso.compulsory import end_other_ways_in
from chatinbox.accounts.sso.domains import read_domains
from chatinbox.accounts.staff import Role, Staff
from chatinbox.core.clock import now
from chatinbox.core.egress import Errand
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

Kind: TypeAlias = Literal["oidc", "saml"]
JOIN: tuple[Role, ...] = ("viewer", "staff", "admin")


class Provider(msgspec.Struct, frozen=True):
    """What is known of the provider: OpenID Connect uses the first six, SAML the issuer and the others, both the way out.

    `logout_url`: where it signs people out. `signs`: our questions are signed. `ends_there`: whoever signs out here is signed out there too.
    """

    issuer: str = ""
    client_id: str = ""
    secret: str = ""
    authorize_url: str = ""
    token_url: str = ""
    keys_url: str = ""
    sign_in_url: str = ""
    certificate: str = ""
    logout_url: str = ""
    signs: bool = False
    ends_there: bool = False


class Connection(msgspec.Struct, frozen=True):
    """An account's connection. `join_role` is None where only those come in who were invited."""

    account_id: UUID
    id: UUID
    kind: Kind
    provider: Provider
    join_role: Role | None
    compulsory: bool


def errand(account_id: UUID, instruction: str, *fields: str, of: UUID | None = None) -> Errand:
    """A request to the provider that the account chose, on the word of who connected it; `of` a person, or of nobody. Where no kind
    of data is in it, the ledger says just that.
    """
    kinds = fields or ("nothing about anybody",)
    return Errand(account_id, None, "integration", instruction, kinds, "person" if of else "account", of)


def path_of(inst: Installation, account_id: UUID) -> str:
    """The account's own part of the paths a provider comes back to, so that two providers are never mixed up."""
    return inst.vault.blind_installation("sso-path", str(account_id)).hex()


async def tell_path(inst: Installation, account_id: UUID) -> None:
    """Lets the account be found by its path: a provider that signs somebody out says of which it is by nothing else."""
    await inst.db.directory(
        "select directory.set_sso_path(%s, %s)", [account_id, bytes.fromhex(path_of(inst, account_id))]
    )


async def find_account(inst: Installation, path: str) -> UUID | None:
    """The account whose provider was told this path."""
    try:
        rows = await inst.db.directory(
            "select account_id from directory.find_sso_path(%s)", [bytes.fromhex(path)]
        )
    except ValueError:
        return None
    return rows[0][0] if rows else None


Place: TypeAlias = Literal["back", "saml", "metadata", "logout", "signed-out", "backchannel-logout"]


def place(inst: Installation, account_id: UUID, what: Place) -> str:
    """An address that the provider is told: where it sends people back to, or what it knows us by."""
    return f"{inst.settings.public_url}/sso/{path_of(inst, account_id)}/{what}"


async def read_connection(inst: Installation, account_id: UUID) -> Connection | None:
    """The account's connection, or None."""
    ask = (
        "select id, kind, settings_sealed, join_role, compulsory_at from sso_connection where account_id = %s"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    if not rows:
        return None
    row_id, kind, sealed, join_role, compulsory_at = rows[0]
    key = await inst.vault.account_key(account_id)
    words = key.open(sealed, account_id, "sso_connection", "settings", row_id)
    return Connection(
        account_id,
        row_id,
        kind,
        msgspec.json.decode(words, type=Provider),
        join_role,
        compulsory_at is not None,
    )


async def connect(inst: Installation, by: Staff, kind: Kind, provider: Provider) -> Connection:
    """Connects the account, in place of a connection it had; those who came by that one are known no more by it."""
    by.need("integrations")
    key, row_id = await inst.vault.account_key(by.account_id), new_id()
    sealed = key.seal(msgspec.json.encode(provider), by.account_id, "sso_connection", "settings", row_id)
    before = await read_connection(inst, by.account_id)
    await inst.db.run(
        by.account_id,
        ("delete from sso_connection where account_id = %s", [by.account_id]),
        (
            "insert into sso_connection (account_id, id, kind, settings_sealed, created_at) values (%s, %s, %s, %s, %s)",
            [by.account_id, row_id, kind, sealed, now()],
        ),
        noted(key, by, "sso.connection", before.provider.issuer if before else None, provider.issuer, row_id),
    )
    await inst.db.directory("select directory.set_sso_connection(%s, %s)", [by.account_id, row_id])
    await tell_path(inst, by.account_id)
    return Connection(by.account_id, row_id, kind, provider, None, False)


async def change_ways(inst: Installation, by: Staff, logout_url: str, signs: bool, ends_there: bool) -> None:
    """Says how we speak with the provider that is connected; only SAML has questions to sign. Raises not-found where none is."""
    by.need("integrations")
    before = await read_connection(inst, by.account_id)
    if before is None or (signs and before.kind != "saml"):
        raise not_found()
    if ends_there and not logout_url:
        raise Refused(422, "Say first where your provider signs people out.", "logout_url")
    after = msgspec.structs.replace(
        before.provider, logout_url=logout_url, signs=signs, ends_there=ends_there
    )
    key = await inst.vault.account_key(by.account_id)
    sealed = key.seal(msgspec.json.encode(after), by.account_id, "sso_connection", "settings", before.id)
    await inst.db.run(
        by.account_id,
        (
            "update sso_connection set settings_sealed = %s where account_id = %s and id = %s",
            [sealed, by.account_id, before.id],
        ),
        noted(key, by, "sso.ways", _ways(before.provider), _ways(after), before.id),
    )


def _ways(provider: Provider) -> str:
    told = [
        "questions signed" if provider.signs else "questions not signed",
        f"sign-out at {provider.logout_url or 'no address'}",
        "ends there too" if provider.ends_there else "ends here only",
    ]
    return "; ".join(told)


async def disconnect(inst: Installation, by: Staff) -> None:
    """Ends the connection; its secrets are gone with it. Raises not-found."""
    by.need("integrations")
    before = await read_connection(inst, by.account_id)
    if before is None:
        raise not_found()
    key = await inst.vault.account_key(by.account_id)
    await inst.db.directory("select directory.set_sso_connection(%s, null)", [by.account_id])
    await inst.db.run(
        by.account_id,
        ("delete from sso_connection where account_id = %s", [by.account_id]),
        noted(key, by, "sso.connection", before.provider.issuer, None, before.id),
    )


async def set_rules(inst: Installation, by: Staff, join_role: Role | None, compulsory: bool) -> None:
    """Says as what somebody joins who comes for the first time, and whether it is the only way in for the domains: then
    the sessions of their people end, who came another way until now.
    """
    by.need("integrations")
    before = await read_connection(inst, by.account_id)
    if before is None:
        raise not_found()
    if join_role is not None and join_role not in JOIN:
        raise Refused(422, "Nobody becomes an owner by signing in. Choose another role.", "join_role")
    if compulsory and not any(d.confirmed_at for d in await read_domains(inst, by.account_id)):
        raise Refused(422, "Confirm a domain first; it is for its people that this counts.", "compulsory")
    key = await inst.vault.account_key(by.account_id)
    lines = [noted(key, by, "sso.join_role", before.join_role, join_role, before.id)]
    lines += [noted(key, by, "sso.compulsory", str(before.compulsory), str(compulsory), before.id)]
    changed = [before.join_role != join_role, before.compulsory != compulsory]
    await inst.db.run(
        by.account_id,
        (
            "update sso_connection set join_role = %s, compulsory_at = case when %s then coalesce(compulsory_at, %s) end"
            " where account_id = %s",
            [join_role, compulsory, now(), by.account_id],
        ),
        *[line for line, new in zip(lines, changed, strict=True) if new],
    )
    if compulsory and not before.compulsory:
        await end_other_ways_in(inst, by)
