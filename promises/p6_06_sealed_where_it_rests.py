"""What people write, send or are called is encrypted where it rests, customer data under a key of that customer’s own, and on the way wherever the other side can."""

from uuid import UUID

from chatinbox.channels.email.channel import open_channel
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.vault import Erased, SealKey, Tampered
from chatinbox.privacy import data_map
from promises.means import leave_files_open, refused
from promises.stage import Here, Stage

CLAUSES = ("C53",)
WORDS = (
    "canary-word-of-a-customer",
    "canary-subject",
    "canary-name",
    "canary-file",
    "canary-note",
    "canary-draft",
    "canary-tag",
    "canary-company",
    "canary-channel",
)
ADDRESS = "canary.casey@mail.example"


def look_at_what_is_sealed(here: Here) -> str:
    """Every column that the map calls sealed is made of bytes, and no other column is made for words of people"""
    kinds: dict[str, str] = dict(here.rows(
        "select n.nspname || '.' || c.relname || '.' || a.attname, a.atttypid::regtype::text from pg_attribute a"
        " join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where a.attnum > 0 and c.relkind in ('r', 'p')"
    ))  # fmt: skip
    sealed = [
        f"{name}.{column}"
        for name, table in data_map.read().items()
        if not table.at  # files
        for column in table.columns
        if data_map.sealing(name, column) not in ("no", "blind")
    ]
    open_ = [name for name in sealed if kinds.get(name) not in ("bytea", "bytea[]")]
    assert not open_, f"called sealed, and open: {', '.join(open_)}"
    own = [name for name in sealed if name.startswith("tenant.message.")]
    assert own and all(
        data_map.sealing("tenant.message", name.rpartition(".")[2]) == "customer" for name in own
    ), "messages are not under the customer's key"
    return f"{len(sealed)} columns are sealed."


async def proof_that_nothing_can_be_read(stage: Stage) -> str:
    """Words, names, subjects, notes, drafts, tags and files were stored: none stands readable in any file, log or copy"""
    ada = await stage.people.owner("Ada", WORDS[7])
    await open_channel(stage.inst, ada.account_id, WORDS[8], f"box-{new_id().hex}@mail.example")
    got = await stage.people.say(
        ada,
        WORDS[0],
        ADDRESS,
        subject=WORDS[1],
        sender=Sender(ADDRESS, WORDS[2]),
        files=[NewFile(f"{WORDS[3]}.txt", "text/plain", WORDS[3].encode() * 50)],
    )
    await verbs.add_note(stage.inst, ada, got.conversation_id, new_id(), Body(text=WORDS[4]))
    await verbs.save_draft(stage.inst, ada, got.conversation_id, "reply", Body(text=WORDS[5]), 1, [])
    tag = await verbs.create_tag(stage.inst, ada, WORDS[6])
    await verbs.tag(stage.inst, ada, got.conversation_id, tag.id)
    await stage.settle()
    found = stage.found(*WORDS, ADDRESS)
    assert not found, f"readable in {', '.join(sorted(set(found)))}"
    shown = (await (await stage.browser(ada)).get(f"/api/conversations/{got.conversation_id}")).text
    assert WORDS[0] in shown and WORDS[4] in shown, "staff cannot read it either, so this shows nothing"
    [(row_id, body)] = stage.rows("select id, body_sealed from tenant.message")
    key = await stage.vault.customer_key(ada.account_id, got.customer_id)
    for account_id, table, row in (
        (new_id(), "message", row_id),
        (ada.account_id, "note", row_id),
        (ada.account_id, "message", new_id()),
    ):
        with refused(by=Tampered, otherwise="sealed bytes open in another place"):
            key.open(bytes(body), account_id, table, "body", row)
    await _is_the_customers_own(stage, ada.account_id, got.customer_id, bytes(body), row_id)
    return f"{len(WORDS) + 1} words were stored and searched for in every file of database, data and log: none was found."


async def _is_the_customers_own(
    stage: Stage, account_id: UUID, customer_id: UUID, body: bytes, row_id: UUID
) -> None:
    await stage.vault.destroy("customer", account_id, customer_id)
    stage.vault.forget()
    with refused(by=(Erased, Tampered), otherwise="with the customer's key destroyed it still opens"):
        key = await stage.vault.customer_key(account_id, customer_id)
        key.open(body, account_id, "message", "body", row_id)


async def saboteur_seals_nothing(stage: Stage) -> None:
    """Stores what it should seal as it is"""

    def seal(_key: SealKey, value: str | bytes, *_where: object) -> bytes:
        return value.encode() if isinstance(value, str) else value

    stage.swap(SealKey, "seal", seal)
    stage.swap(SealKey, "open", lambda _key, sealed, *_where: bytes(sealed))


async def saboteur_forgets_where(stage: Stage) -> None:
    """Seals without binding to account, table and row"""
    known = (SealKey.seal, SealKey.open)
    stage.swap(SealKey, "seal", lambda key, value, *_where: known[0](key, value, NOBODY, "", "", NOBODY))
    stage.swap(SealKey, "open", lambda key, sealed, *_where: known[1](key, sealed, NOBODY, "", "", NOBODY))


async def saboteur_leaves_files_open(stage: Stage) -> None:
    """Stores files as they came"""
    leave_files_open(stage)


async def saboteur_adds_a_readable_column(stage: Stage) -> None:
    """Keeps a subject readable, for searching"""
    stage.break_in(
        "alter table tenant.conversation alter column subject_sealed type text using encode(subject_sealed, 'escape')"
    )
