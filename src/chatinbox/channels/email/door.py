"""The SMTP door (RFC 5321): takes letters for addresses that live here, and says 250 only when they are on disk.

Placing happens in the same step, so that a letter is in the inbox when the sender hears 250; should it fail, the
letter is stored all the same, and is held or placed later.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from chatinbox.channels.email.authenticate import authenticate
from chatinbox.channels.email.channel import find_channels
from chatinbox.channels.email.raw import Arrived, store
from chatinbox.channels.email.receive import place
from chatinbox.channels.email.reply_address import read_reply_address
from chatinbox.core.installation import Installation
from chatinbox.core.intake import Intake, Share
from chatinbox.watch.security_log import SecurityLog

log = structlog.get_logger()
MOST_RECIPIENTS = 100
MOST_AT_ONCE = 200
MOST_FROM_ONE = 100
MOST_UNKNOWN = 30
LARGE = 2_000_000
PLACE_SECONDS = 20.0


class _Smtp(SMTP):
    """One connection. Programs write longer lines than RFC 5321 §4.5.3.1.6 allows; a letter is not refused for it."""

    line_length_limit = 1_000_000
    unknown = 0
    _share: Share | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turns a connection away when there are too many; its sender will come again."""
        door: Door = self.event_handler
        self._from = str((transport.get_extra_info("peername") or ("",))[0])
        door.connections[self._from] += 1
        crowded = door.connections.total() > MOST_AT_ONCE or door.connections[self._from] > MOST_FROM_ONE
        if crowded and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections just now; please come again\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Counts a letter's bytes while they arrive; when the room is full its sender comes again."""
        if (
            self._share
            and not self._share.take(len(data))
            and isinstance(self.transport, asyncio.WriteTransport)
        ):
            self.transport.write(b"421 4.3.1 Too many letters arrive just now; please come again\r\n")
            self.transport.close()
            return
        super().data_received(data)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 — aiosmtpd's name
        """Takes a letter when there is room for it."""
        intake = self.event_handler.intake
        if intake.held > intake.most // 2:
            await self.push("452 4.3.1 Too many letters arrive just now; please come again")
            return
        with intake.share() as self._share:
            await super().smtp_DATA(arg)
        self._share = None

    def connection_lost(self, error: Exception | None) -> None:
        """Counts it off."""
        door: Door = self.event_handler
        door.connections[self._from] -= 1
        if not door.connections[self._from]:
            del door.connections[self._from]
        if self.transport is not None:
            super().connection_lost(error)


class Door:
    """What is said at each step."""

    def __init__(self, inst: Installation, security: SecurityLog) -> None:
        self._inst, self._security = inst, security
        self._busy, self._large = asyncio.Semaphore(8), asyncio.Semaphore(1)
        self.connections: Counter[str] = Counter()
        self.intake = Intake(6 * inst.settings.max_message_bytes)

    def _noted(self, session: Session, route: str, reply: str) -> str:
        """Notes who was told this, in the security log."""
        self._security.note(str((session.peer or ("",))[0]), session.host_name or "", route, int(reply[:3]))
        return reply

    async def handle_RCPT(  # noqa: N802 — aiosmtpd's name
        self, server: _Smtp, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes an address that lives here; every other one gets the same words."""
        reply = await self._recipient(server, envelope, address)
        return reply if reply.startswith("250") else self._noted(session, "smtp RCPT", reply)

    async def _recipient(self, server: _Smtp, envelope: Envelope, address: str) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients in one letter; send the rest in another"
        if server.unknown >= MOST_UNKNOWN:
            return "451 4.7.1 Too many unknown addresses on this connection"
        if await self._find(address) is None:
            server.unknown += 1
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Stores for everyone it is for, then places. Once it is stored, nothing that fails is the sender's concern."""
        return self._noted(session, "smtp DATA", await self._letter(session, envelope))

    async def _letter(self, session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        if not raw.strip():
            return "554 5.6.0 This letter is empty"
        try:
            # Now, with the bytes as they came: later neither they nor the server that brought them are known.
            checked = await authenticate(
                self._inst,
                raw,
                str((session.peer or ("",))[0]),
                session.host_name or "",
                envelope.mail_from,
            )
            # Reading a large letter takes several times its size, so one after the other.
            async with self._large if len(raw) > LARGE else self._busy:
                arrived = [
                    await store(self._inst, account_id, channel_id, raw, envelope.mail_from, address, checked)
                    for address, (account_id, channel_id) in (await self._accounts(envelope.rcpt_tos)).items()
                ]
                if not arrived:  # the channel was closed a moment ago
                    return "550 5.1.1 No such address here"
                for one in arrived:
                    await self._place(one)
        except Exception:
            log.exception("mail_not_stored")
            return "451 4.3.0 The letter could not be stored just now; please try again later"
        return "250 2.0.0 Stored"

    async def handle_exception(self, _error: Exception) -> str:
        """A fault of ours in the conversation: the sender comes again."""
        log.exception("mail_door_failed")
        return "451 4.3.0 Something went wrong here; please try again later"

    async def _place(self, arrived: Arrived) -> None:
        """Places a stored letter at once; the worker places what takes too long or fails."""
        try:
            await asyncio.wait_for(place(self._inst, arrived), PLACE_SECONDS)
        except Exception:
            log.exception("mail_left_over", raw_mail_id=str(arrived.raw_mail_id))

    async def _find(self, address: str) -> tuple[UUID, UUID] | None:
        token = read_reply_address(self._inst, address)
        if token:
            return await self._reply_channel(*token)
        plain = _without_plus(address)
        found = await find_channels(self._inst, [address, plain])
        return found.get(address) or found.get(plain)

    async def _reply_channel(self, account_id: UUID, number: int) -> tuple[UUID, UUID] | None:
        """The e-mail channel an answer came in by: the conversation's own, or the account's first."""
        [rows] = await self._inst.db.run(
            account_id,
            (
                "select h.id from conversation c join account a on a.account_id = c.account_id and a.closed_at is null"
                " join channel h on h.account_id = c.account_id and h.kind = 'email'"
                " and h.closed_at is null where c.account_id = %s and c.number = %s"
                " order by h.id <> c.channel_id, h.created_at limit 1",
                [account_id, number],
            ),
        )
        return (account_id, rows[0][0]) if rows else None

    async def _accounts(self, addresses: list[str]) -> dict[str, tuple[UUID, UUID]]:
        """One address for each channel: a letter to two addresses of one channel is one letter. Reply addresses first."""
        found: dict[tuple[UUID, UUID], str] = {}
        for address in sorted(addresses, key=lambda one: read_reply_address(self._inst, one) is None):
            where = await self._find(address)
            if where and where not in found:
                found[where] = address
        return {address: where for where, address in found.items()}


def _without_plus(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.split('+', 1)[0]}@{domain}"


@contextlib.asynccontextmanager
async def serve(
    inst: Installation, listening: socket.socket, security: SecurityLog | None = None
) -> AsyncIterator[Door]:
    """Listens on a bound socket while the block runs; letters under way get a moment to end."""
    door = Door(inst, security or SecurityLog())

    def protocol() -> SMTP:
        return _Smtp(
            door,
            data_size_limit=inst.settings.max_message_bytes,
            enable_SMTPUTF8=True,
            hostname=inst.settings.mail_domain,
            ident="ChatInbox",
            timeout=120,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(protocol, sock=listening, backlog=MOST_AT_ONCE)
    try:
        yield door
    finally:
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 3)
