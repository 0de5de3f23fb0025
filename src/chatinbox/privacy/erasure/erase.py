"""Erase: the keys first, so that from then on nothing of it opens in any copy; then every row and file, batch by batch.

Whatever stops it, the next run goes on where it was: each step looks for what is left, and counts what it takes away in the
same transaction. Done is said only when nothing is left. What is held (`privacy/hold.py`) is left until its hold ends, and
then goes by the same steps. An erasure of single conversations leaves the customer and their key.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from chatinbox.channels.email.held import letters_from
from chatinbox.channels.email.raw import shut
from chatinbox.conversations.change import tell
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.sure import earliest
from chatinbox.customers.erased import KNOWN, mark_erased
from chatinbox.integrations.tell_erased import tell_erased
from chatinbox.privacy.access.book import ACCESS
from chatinbox.privacy.access.forget import erase_subjects
from chatinbox.privacy.chain.link import link
from chatinbox.privacy.erasure.quoted import note_quoted
from chatinbox.privacy.erasure.receipt import Receipt, sign
from chatinbox.privacy.erasure.receivers import note_receivers, open_receivers
from chatinbox.privacy.glass.forget import forget_words
from chatinbox.privacy.hold import IS_HELD
from chatinbox.privacy.package.make import end_package
from chatinbox.privacy.package.make import shut as shut_copy
from chatinbox.privacy.whose import FAMILY

log = structlog.get_logger()
AT_ONCE = 2000  # rows of one step
TOGETHER = 200  # letters and files that are removed at the same time

# Whoever begins an erasure and whoever holds something back take turns at the customer's row.
_LOCKED = """
select from customer c join erasure e on e.account_id = c.account_id and e.customer_id = c.id
 where e.account_id = %(account)s and e.id = %(id)s for update of c"""
_OPEN = "e.account_id = %(account)s and e.id = %(id)s and e.due_at <= %(at)s and e.done_at is null"
_ALL_IS_HELD = f"exists (select from hold h where {IS_HELD} and h.customer_id = e.customer_id and h.conversation_id is null)"
_BEGIN = f"""
update erasure e set begun_at = coalesce(begun_at, %(at)s) where {_OPEN} and not {_ALL_IS_HELD}
returning customer_id, asked_at, begun_at, conversations, rule_id"""
# What a rule chose is looked at once more as it begins: whoever wrote since keeps that conversation; of whom nothing else is
# left, the customer goes.
_AS_IT_IS_NOW = """
update erasure e set conversations = (select case
    when bool_and(c.id = any(e.conversations) and c.last_at <= e.asked_at) then null
    else coalesce(array_agg(c.id) filter (where c.id = any(e.conversations) and c.last_at <= e.asked_at), '{}') end
  from conversation c join customer f on f.account_id = c.account_id and f.id = c.customer_id
 where c.account_id = e.account_id and (f.id = e.customer_id or f.merged_into = e.customer_id))
 where e.account_id = %(account)s and e.id = %(id)s and e.begun_at is null and e.rule_id is not null"""
_ALL_HELD = f"select 1 from erasure e where {_OPEN} and {_ALL_IS_HELD}"

# What hangs on a message or note, then on a conversation; each before what it points at.
_OF_MESSAGES = ("delivery", "attachment")
_OF_CONVERSATIONS = (
    "attachment",
    "draft",
    "seen",
    "conversation_tag",
    "mail_reference",
    "withheld",
    "event",
    "hold",
)


async def erase(inst: Installation, account_id: UUID, erasure_id: UUID) -> bool:
    """Does one erasure to its end; False when it was taken back, is not due yet, or something of it is held."""
    asked = {"account": account_id, "id": erasure_id, "at": earliest()}
    _, _, rows, held = await inst.db.run(
        account_id, (_LOCKED, asked), (_AS_IT_IS_NOW, asked), (_BEGIN, asked), (_ALL_HELD, asked)
    )
    if not rows:
        if held:
            await _say_held(inst, account_id, erasure_id)
        return False
    customer_id, asked_at, begun_at, only, rule_id = rows[0]
    one = _Erasing(
        inst, account_id, erasure_id, customer_id, only, begun_at=begun_at, is_asked_for=rule_id is None
    )
    if not await one.run():
        await _say_held(inst, account_id, erasure_id)
        return False
    counts, sealed = await one.told()
    receivers = await open_receivers(inst, account_id, erasure_id, sealed)
    done_at = now()
    receipt = Receipt.of(
        erasure_id, account_id, customer_id, asked_at, begun_at, done_at, counts, only is not None, receivers
    )
    _, told = await inst.db.run(
        account_id,
        (
            "update erasure set done_at = %s, held_at = null, signature = %s where account_id = %s and id = %s",
            [done_at, sign(inst.vault, receipt), account_id, erasure_id],
        ),
        tell(account_id, "erasure.done", None, erasure_id),
    )
    if told:  # a closed account gives no number, and nobody asks for one
        inst.bell.ring(account_id, told[0][0])
    log.info("customer_erased", account_id=str(account_id), count=sum(counts.values()))
    return True


async def erase_again(inst: Installation, account_id: UUID, customer_id: UUID) -> None:
    """Erases somebody whom an older copy of the data brought back. Their key is gone already, and their receipt is signed. Words of
    grants about them are taken away before, by `glass.forget.forget_words_again`.
    """
    # Whatever held them in that copy was let go before their key went.
    await inst.db.run(
        account_id,
        ("delete from hold where account_id = %s and customer_id = %s", [account_id, customer_id]),
    )
    await _Erasing(inst, account_id, new_id(), customer_id, None, again=True).run()


async def erase_conversations_again(inst: Installation, account_id: UUID, ids: Sequence[UUID]) -> int:
    """Erases single conversations that an older copy of the data brought back, and whose customers stay; how many."""
    rows, _ = await inst.db.run(
        account_id,
        (
            "select customer_id, array_agg(id) from conversation where account_id = %s and id = any(%s) group by customer_id",
            [account_id, list(ids)],
        ),
        ("delete from hold where account_id = %s and conversation_id = any(%s)", [account_id, list(ids)]),
    )
    for customer_id, talks in rows:
        await _Erasing(inst, account_id, new_id(), customer_id, talks).run()
    return sum(len(talks) for _, talks in rows)


async def _say_held(inst: Installation, account_id: UUID, erasure_id: UUID) -> None:
    """Notes since when nothing but what is held is left. What a rule asked for is asked for again by the rule."""
    await inst.db.run(
        account_id,
        (
            "delete from erasure where account_id = %s and id = %s and begun_at is null and rule_id is not null",
            [account_id, erasure_id],
        ),
        (
            "update erasure set held_at = coalesce(held_at, %s) where account_id = %s and id = %s and done_at is null",
            [now(), account_id, erasure_id],
        ),
    )


async def ask_left_over(inst: Installation, account_id: UUID) -> None:
    """Asks again for what is due and not done: a job that was lost, or broke off too often, or a hold that has ended."""
    [rows] = await inst.db.run(
        account_id,
        (
            "select id from erasure e where account_id = %(account)s and done_at is null and due_at <= %(at)s and (held_at is null"
            f" or not exists (select from hold h where {IS_HELD} and h.customer_id = e.customer_id))",
            {"account": account_id, "at": now()},
        ),
    )
    for (erasure_id,) in rows:
        ids = {"account_id": str(account_id), "erasure_id": str(erasure_id)}
        await inst.jobs.later("erase", ids, once=f"erase {erasure_id}")


class _Erasing:
    """One erasure under way."""

    def __init__(
        self,
        inst: Installation,
        account_id: UUID,
        erasure_id: UUID,
        customer_id: UUID,
        only: list[UUID] | None,
        again: bool = False,
        begun_at: datetime | None = None,
        is_asked_for: bool = False,
    ) -> None:
        self._inst, self._account, self._id, self._customer = inst, account_id, erasure_id, customer_id
        self._only, self._again = only, again
        self._begun_at, self._is_asked_for = begun_at, is_asked_for
        self._values = {"account": account_id, "customer": customer_id, "at": now()}

    async def run(self) -> bool:
        """Every step; False when something held is left. None of them minds having been done before."""
        [rows] = await self._ask(f"{FAMILY} select id from family")
        family = [row[0] for row in rows]
        if not family:  # the customer's row goes last
            return True
        [rows] = await self._ask(
            f"select h.conversation_id from hold h where {IS_HELD} and h.customer_id = any(%(family)s)",
            family=family,
        )
        held = [row[0] for row in rows]
        if self._only is None:
            await self._letters_held(family)
            await self._unfind(family)
            if not held:
                if not self._again:
                    if self._is_asked_for:  # what a rule erases is old, and can be many in a night
                        await note_quoted(self._inst, self._account, self._id, family)
                    await note_receivers(self._inst, self._account, self._id, family)
                    await forget_words(self._inst, self._account, family)
                await tell_erased(self._inst, self._account, family)
                await self._lock(family)
        if self._only is not None:
            await self._copies_with_it(family)
        while ids := await self._next(family, held):
            await self._conversations(ids)
        if self._only is not None:
            await self._copies_with_it(family)  # whatever was made meanwhile
        if held:
            return (
                self._only is not None
            )  # what a rule would erase, it asks for again when the hold has ended
        if self._only is None:
            await self._people(family)
        return True

    async def _next(self, family: Sequence[UUID], held: Sequence[UUID]) -> list[UUID]:
        """The next conversations that go."""
        [rows] = await self._ask(
            "select id from conversation where account_id = %(account)s and customer_id = any(%(family)s)"
            " and id <> all(%(held)s::uuid[]) and (%(all)s or id = any(%(only)s::uuid[])) limit 20",
            family=family,
            held=held,
            all=self._only is None,
            only=self._only or [],
        )
        return [row[0] for row in rows]

    async def told(self) -> tuple[dict[str, int], bytes | None]:
        """How much was taken away, by what it was; and to whom their data had gone, as it is kept."""
        [rows] = await self._ask(
            "select counts, receivers_sealed from erasure where account_id = %(account)s and id = %(id)s",
            id=self._id,
        )
        return dict(rows[0][0]), rows[0][1]

    async def _letters_held(self, family: Sequence[UUID]) -> None:
        """Letters of theirs that wait where staff decide, and are no message yet; before it, the marks of their addresses, while
        they can be read. Both for addresses that are known to be theirs: in the name of another, nothing of that one's goes. What
        came after it had begun is somebody new's.
        """
        [rows] = await self._ask(
            "select id, customer_id, kind, value_sealed from address where account_id = %(account)s and customer_id = any(%(family)s)"
            f" and {KNOWN}",
            family=family,
        )
        keys = self._inst.vault.known_customer_keys(self._account, family)
        known = [
            (kind, keys[customer].open_text(sealed, self._account, "address", "value", row_id))
            for row_id, customer, kind, sealed in rows
            if customer in keys
        ]
        await mark_erased(self._inst, self._account, known)
        emails = [value for kind, value in known if kind == "email"]
        held = await letters_from(self._inst, self._account, emails, self._begun_at)
        await self._raw(held)
        await self._take(
            {},
            (
                "delete from event where account_id = %s and kind = 'mail.held' and subject_id = any(%s)",
                [self._account, list(held)],
            ),
        )

    async def _unfind(self, family: Sequence[UUID]) -> None:
        """Nobody is found by their address any more, and of copies, in which everything is, none is left."""
        await self._copies(family)
        sessions = await self._inst.db.directory(
            "select directory.end_visitor_sessions_of(%s, %s::uuid[])", [self._account, list(family)]
        )
        await self._take(
            {"sessions": sessions[0][0]},
            (
                "delete from address_lookup where account_id = %s and customer_id = any(%s)",
                [self._account, list(family)],
            ),
        )

    async def _lock(self, family: Sequence[UUID]) -> None:
        """The keys: from now on nothing of it opens anywhere."""
        known = self._inst.vault.known_customer_keys(self._account, family)
        await asyncio.gather(*(self._inst.vault.destroy("customer", self._account, one) for one in known))
        self._inst.bell.ring(self._account, 0, None, {"erased": True})

    async def _conversations(self, ids: Sequence[UUID]) -> None:
        [letters] = await self._ask(
            "select r.id from raw_mail r join message m on m.account_id = r.account_id and m.id = r.message_id"
            " where r.account_id = %(account)s and m.conversation_id = any(%(ids)s)",
            ids=ids,
        )
        await self._raw([row[0] for row in letters])
        [files] = await self._ask(
            "select id from attachment where account_id = %(account)s and conversation_id = any(%(ids)s)",
            ids=ids,
        )
        await self._files([row[0] for row in files])
        for table in ("message", "note"):
            while await self._texts(table, ids):
                pass
        of_them = [self._account, list(ids)]
        [marks] = await self._ask(
            "select key from received where account_id = %(account)s and conversation_id = any(%(ids)s) and erased_at is null",
            ids=ids,
        )
        without_key = ids if self._only is not None else ()
        hashes = [row[0] for row in marks if len(row[0]) == 16]
        await self._inst.vault.mark_gone(self._account, hashes, without_key)
        await self._take(
            {},
            (
                "update received set erased_at = coalesce(erased_at, %s) where account_id = %s and conversation_id = any(%s)",
                [now(), *of_them],
            ),
            *(
                (f"delete from {table} where account_id = %s and conversation_id = any(%s)", of_them)
                for table in _OF_CONVERSATIONS
            ),
        )
        await self._take(
            {"conversations": len(ids)},
            (
                "update erasure set review = array(select unnest(review) except select unnest(%s::uuid[])) where account_id = %s and review && %s",
                [list(ids), *of_them],
            ),
            ("delete from conversation where account_id = %s and id = any(%s)", of_them),
        )

    async def _texts(self, table: str, ids: Sequence[UUID]) -> int:
        """Takes the next messages or notes away, with their words in the search; how many."""
        [rows] = await self._ask(
            f"select id from {table} where account_id = %(account)s and conversation_id = any(%(ids)s) limit {AT_ONCE}",
            ids=ids,
        )
        gone = [row[0] for row in rows]
        if gone:
            whose = [self._account, gone]
            hang = _OF_MESSAGES if table == "message" else ("attachment",)
            await self._take(
                {f"{table}s": len(gone)},
                *(
                    (f"delete from {one} where account_id = %s and {table}_id = any(%s)", whose)
                    for one in hang
                ),
                (f"delete from {table} where account_id = %s and id = any(%s)", whose),
                ("select search.forget(%s::uuid[])", [gone]),  # after them: see conversations/search/index.py
            )
        return len(gone)

    async def _people(self, family: Sequence[UUID]) -> None:
        whose = [self._account, list(family)]
        await tell_erased(self._inst, self._account, family)  # whom a program was told of while the keys went
        await self._copies(family)
        [kept] = await self._ask(
            "select count(*) from kept_mail where account_id = %(account)s and subject_kind = 'customer' and subject_id = any(%(family)s)",
            family=family,
        )
        [addresses] = await self._ask(
            "select count(*) from address where account_id = %(account)s and customer_id = any(%(family)s)",
            family=family,
        )
        await self._take(
            {
                "letters_kept": kept[0][0],
                "addresses": addresses[0][0],
                "customers": len(family),
                "keys": len(family),
            },
            (
                "delete from kept_mail where account_id = %s and subject_kind = 'customer' and subject_id = any(%s)",
                whose,
            ),
            ("delete from address where account_id = %s and customer_id = any(%s)", whose),
            *(
                (f"delete from {table} where account_id = %s and customer_id = any(%s)", whose)
                for table in ("restriction", "hold")
            ),
            (
                "delete from event where account_id = %s and subject_id = any(%s) and conversation_id is null",
                whose,
            ),
            ("update customer set merged_into = null where account_id = %s and id = any(%s)", whose),
            ("delete from customer where account_id = %s and id = any(%s)", whose),
            ("select search.forget(%s::uuid[])", [list(family)]),
            # After them: a row that comes into the chain now finds no customer any more, and keeps nothing of them.
            erase_subjects(self._account, family),
        )
        await link(self._inst, ACCESS, self._account)

    async def _copies(self, family: Sequence[UUID]) -> None:
        """Copies that were made for them. The rows first: one that is being written then finds that it is not wanted."""
        [rows] = await self._ask(
            "delete from package where account_id = %(account)s and customer_id = any(%(family)s) returning id",
            family=family,
        )
        await asyncio.gather(*(shut_copy(self._inst, self._account, row[0]) for row in rows))

    async def _copies_with_it(self, family: Sequence[UUID]) -> None:
        """Copies of somebody of whom single conversations go: they hold these as well. A person who waits for theirs gets another."""
        [rows] = await self._ask(
            "select id from package where account_id = %(account)s and customer_id = any(%(family)s) and ended_at is null",
            family=family,
        )
        for (package_id,) in rows:
            await end_package(self._inst, self._account, package_id)
        await self._ask(
            "update data_case set copy_id = null, copy_sent_at = null where account_id = %(account)s and copy_id = any(%(gone)s)"
            " and closed_at is null and copy_fetched_at is null",
            gone=[row[0] for row in rows],
        )

    async def _raw(self, ids: Sequence[UUID]) -> None:
        for begin in range(0, len(ids), TOGETHER):
            part = ids[begin : begin + TOGETHER]
            await asyncio.gather(*(shut(self._inst, self._account, one) for one in part))
            await self._take(
                {"letters": len(part)},
                ("delete from raw_mail where account_id = %s and id = any(%s)", [self._account, list(part)]),
            )

    async def _files(self, ids: Sequence[UUID]) -> None:
        for begin in range(0, len(ids), TOGETHER):
            part = ids[begin : begin + TOGETHER]
            await asyncio.gather(*(self._inst.files.remove(self._account, one) for one in part))
            await self._take(
                {"files": len(part)},
                (
                    "delete from attachment where account_id = %s and id = any(%s)",
                    [self._account, list(part)],
                ),
            )

    async def _take(self, counted: dict[str, int], *batch: Statement) -> None:
        """Takes rows away, and counts them in the same transaction."""
        counting: Statement = (
            "update erasure e set counts = e.counts || (select coalesce(jsonb_object_agg(g.key,"
            " coalesce((e.counts ->> g.key)::bigint, 0) + g.value::bigint), '{}'::jsonb) from jsonb_each_text(%s) g)"
            " where e.account_id = %s and e.id = %s",
            [Jsonb(counted), self._account, self._id],
        )
        await self._inst.db.run(self._account, *batch, *([counting] if counted else []))

    async def _ask(self, text: str, **more: object) -> list[list[tuple]]:  # type: ignore[type-arg]
        values = {name: list(one) if isinstance(one, Sequence) else one for name, one in more.items()}
        return await self._inst.db.run(self._account, (text, self._values | values))
