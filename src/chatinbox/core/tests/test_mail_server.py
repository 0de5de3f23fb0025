"""A password and a letter go to a mail server elsewhere only where nobody can listen in, by real servers on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chatinbox.accounts.staff import Staff
from chatinbox.core.egress import Insecure, Letter, Unreachable
from chatinbox.core.egress.ledger import Ledger
from chatinbox.core.egress.mail import MailGate
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.mail_server import read_mail_server

Serve = Callable[[ssl.SSLContext | None], Awaitable[tuple["Kept", int]]]


class Kept:
    """What came to a server: senders, letters and passwords."""

    def __init__(self) -> None:
        self.came: list[str] = []

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        self.came.append("sender")
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, _envelope: Envelope) -> str:
        self.came.append("letter by TLS" if session.ssl else "letter")
        return "250 kept"

    def authenticate(
        self, _server: SMTP, session: Session, _envelope: Envelope, _way: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword) and given.password == b"p:4ss"
        self.came.append("password by TLS" if session.ssl else "password")
        return AuthResult(success=True)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server on loopback; without a certificate it is one whose STARTTLS somebody took out of what it offers."""
    async with AsyncExitStack() as ends:

        async def start(tls: ssl.SSLContext | None) -> tuple[Kept, int]:
            kept = Kept()

            def answer() -> SMTP:
                return SMTP(
                    kept,
                    tls_context=tls,
                    authenticator=kept.authenticate,
                    auth_require_tls=False,
                    loop=asyncio.get_running_loop(),
                )

            listening = await asyncio.get_running_loop().create_server(answer, "127.0.0.1", 0)
            ends.callback(listening.close)
            return kept, listening.sockets[0].getsockname()[1]

        yield start


def certified(folder: Path, name: str = "127.0.0.1", days: int = 1) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side with a certificate for this name, and the side of who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    named: x509.GeneralName
    try:
        named = x509.IPAddress(ip_address(name))
    except ValueError:
        named = x509.DNSName(name)
    until = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=9))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{new_id().hex}.pem"
    words = made.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + words
    )
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(file)
    return theirs, ssl.create_default_context(cadata=words.decode())


def gate(inst: Installation, url: str, trust: ssl.SSLContext | None = None, here: bool = False) -> MailGate:
    """The way out to a server that counts as one elsewhere."""
    made = MailGate(inst.db, Ledger(inst.db, inst.vault), url, trust)
    made.is_here = lambda _host: here
    return made


def letter(by: Staff) -> Letter:
    raw = b"From: a@shop.example\r\nTo: ada@mail.example\r\nSubject: Hi\r\n\r\nWords.\r\n"
    return Letter(
        by.account_id,
        "person",
        by.person_id,
        "a@shop.example",
        ("ada@mail.example",),
        raw,
        "service",
        "a test",
        ("address",),
    )


async def ledger(inst: Installation, by: Staff) -> list[tuple[str, str | None]]:
    ask = "select outcome, reason from ledger where account_id = %s and gate = 'mail' order by id"
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    return [(row[0], row[1]) for row in rows]


WITHHELD = ("withheld", "no TLS that could be verified")


async def test_with_a_certificate_that_holds_password_and_letter_go_by_tls(
    inst: Installation, ada: Staff, serve: Serve, tmp_path: Path
) -> None:
    theirs, trust = certified(tmp_path)
    kept, port = await serve(theirs)
    await gate(inst, f"smtp://me:p%3A4ss@127.0.0.1:{port}", trust).send(letter(ada))
    assert kept.came == ["password by TLS", "sender", "letter by TLS"]
    assert await ledger(inst, ada) == [("taken", None)]


@pytest.mark.parametrize("user", ["", "me:p%3A4ss@"])
async def test_where_starttls_was_taken_out_nothing_leaves_and_the_letter_waits(
    inst: Installation, ada: Staff, serve: Serve, user: str
) -> None:
    kept, port = await serve(None)
    with pytest.raises(Insecure):  # an Unreachable: whoever sends tries again later
        await gate(inst, f"smtp://{user}127.0.0.1:{port}").send(letter(ada))
    assert kept.came == []
    assert await ledger(inst, ada) == [WITHHELD]


@pytest.mark.parametrize(("name", "days"), [("mail.other.example", 1), ("127.0.0.1", -1)])
@pytest.mark.parametrize("option", ["", "?tls=optional"])
async def test_with_a_certificate_of_somebody_else_or_an_old_one_nothing_leaves(
    inst: Installation, ada: Staff, serve: Serve, tmp_path: Path, name: str, days: int, option: str
) -> None:
    theirs, trust = certified(tmp_path, name, days)
    kept, port = await serve(theirs)
    with pytest.raises(Insecure):
        await gate(inst, f"smtp://127.0.0.1:{port}{option}", trust).send(letter(ada))
    with pytest.raises(Insecure):
        await gate(inst, f"smtp://127.0.0.1:{port}{option}").send(letter(ada))  # by nobody whom we trust
    assert kept.came == []
    assert await ledger(inst, ada) == [WITHHELD, WITHHELD]


async def test_who_refuses_to_begin_tls_does_not_have_letters_given_up(
    inst: Installation, ada: Staff
) -> None:
    for says in (b"502 no such thing", b"220 go on"):  # and then speaks no TLS

        async def spoil(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, says: bytes = says
        ) -> None:
            writer.write(b"220 mail\r\n")
            while line := await reader.readline():
                writer.write(says + b"\r\n" if line.startswith(b"STARTTLS") else b"250-x\r\n250 STARTTLS\r\n")
                if says.startswith(b"220") and line.startswith(b"STARTTLS"):
                    writer.write(b"250 in the clear\r\n")
                    writer.close()
                    return

        listening = await asyncio.start_server(spoil, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(Insecure):
            await gate(inst, f"smtp://127.0.0.1:{port}").send(letter(ada))
        listening.close()
    assert await ledger(inst, ada) == [WITHHELD, WITHHELD]


async def test_the_operator_may_say_that_a_server_is_open_and_a_password_is_kept_back_even_then(
    inst: Installation, ada: Staff, serve: Serve, tmp_path: Path
) -> None:
    kept, port = await serve(None)
    await gate(inst, f"smtp://127.0.0.1:{port}?tls=optional").send(letter(ada))
    assert kept.came == ["sender", "letter"]
    with pytest.raises(Insecure):
        await gate(inst, f"smtp://me:p%3A4ss@127.0.0.1:{port}?tls=optional").send(letter(ada))
    assert kept.came == ["sender", "letter"]
    theirs, trust = certified(tmp_path)
    kept, port = await serve(theirs)
    await gate(inst, f"smtp://127.0.0.1:{port}?tls=optional", trust).send(letter(ada))
    assert kept.came == ["sender", "letter by TLS"], "it was offered"
    assert [row[0] for row in await ledger(inst, ada)] == ["taken", "withheld", "taken"]


async def test_a_server_on_this_machine_is_spoken_to_as_it_offers(
    inst: Installation, ada: Staff, serve: Serve, tmp_path: Path
) -> None:
    kept, port = await serve(None)
    await gate(inst, f"smtp://me:p%3A4ss@127.0.0.1:{port}", here=True).send(letter(ada))
    assert kept.came == ["password", "sender", "letter"]
    theirs, trust = certified(tmp_path)
    kept, port = await serve(theirs)
    await gate(inst, f"smtp://127.0.0.1:{port}", trust, here=True).send(letter(ada))
    assert kept.came == ["sender", "letter by TLS"]
    with pytest.raises(Unreachable):
        await gate(inst, f"smtp://127.0.0.1:{port}", here=True).send(letter(ada))


def test_what_the_setting_says() -> None:
    server = read_mail_server("smtp://me:p%40ss@mail.example.com:587")
    assert (server.host, server.port, server.username, server.password) == (
        "mail.example.com",
        587,
        "me",
        "p@ss",
    )
    assert "p@ss" not in repr(server) and not server.may_be_open
    assert read_mail_server("smtp://mail.internal?tls=optional").may_be_open
    assert (read_mail_server("smtps://m.example").port, read_mail_server("smtp://m.example").port) == (
        465,
        25,
    )
    for wrong in (
        "smtp://m.example?tls=off",
        "smtp://m.example?TLS=optional",
        "smtp://m.example?tls=optional&tls=no",
        "smtp://m.example?tls",
        "smtps://m.example?tls=optional",
        "http://m.example",
        "smtp://",
    ):
        with pytest.raises(ValueError):
            read_mail_server(wrong)
