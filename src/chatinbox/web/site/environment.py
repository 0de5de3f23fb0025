"""Where this installation runs: what the operator says, and beside it what the process sees of itself (clause C54)."""

import os

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.copied import last_copy
from chatinbox.core.declared import Declared
from chatinbox.core.here import is_this_machine
from chatinbox.core.installation import Installation
from chatinbox.core.postgres.binaries import DatabaseUser
from chatinbox.core.root.keep import PLAIN
from chatinbox.core.root.keyholder import Keyholder
from chatinbox.core.settings import Settings
from chatinbox.core.translation.said import said
from chatinbox.core.trouble import Trouble
from chatinbox.privacy.places import UNNAMED, housed
from chatinbox.web.site.facts import Fact
from chatinbox.web.site.frame import Link, site_page

KEPT = "public, max-age=60"
_HERE = ("http://127.0.0.1", "http://localhost", "http://[::1]")


async def get_environment(inst: Installation, request: Request) -> Response:
    """What was said and what was seen, the latter within the last minute."""
    at, facts = await request.app.state.looks.at(_find, inst)
    return site_page(
        inst,
        request,
        "site/environment",
        at=at,
        facts=facts,
        told=_told(inst.settings),
        housed=housed(inst.settings),
        unnamed=UNNAMED,
        kept=KEPT,
    )


def _told(settings: Settings) -> list[tuple[str, str]]:
    names = (said("Housed by"), said("Region"), said("Certified for"))
    told = (settings.hosting, settings.hosting_region, settings.hosting_certificates)
    return list(zip(names, told, strict=True))


async def _find(inst: Installation) -> list[Fact]:
    return [
        _server(),
        _database_user(inst.settings),
        await _connection(inst),
        await _role(inst),
        _transport(inst.settings),
        Fact(
            "Words at rest",
            "holds",
            "Sealed",
            "AES-256-GCM, before they reach the database; a key for each customer.",
        ),
        _keys(inst),
        Fact("Disk encryption", "open", "Not seen", "A program cannot see what lies below its files."),
        _backups(inst.settings),
    ]


def _server() -> Fact:
    if os.geteuid() == 0:
        return Fact("Server runs as", "broken", "Root", "A fault in it would reach the whole machine.")
    return Fact("Server runs as", "holds", "A user of its own", "Not root.")


def _database_user(settings: Settings) -> Fact:
    if settings.database_url:
        return Fact("Database runs as", "open", "Not seen", "It is a server that the operator brought.")
    try:
        is_root = DatabaseUser.of(settings.data / "pg").uid == 0
    except Trouble:
        return Fact("Database runs as", "open", "Not seen", "Its folder cannot be looked at from here.")
    if is_root:
        return Fact("Database runs as", "broken", "Root", "PostgreSQL should not.")
    return Fact("Database runs as", "holds", "Not root", "It listens to no network.")


async def _connection(inst: Installation) -> Fact:
    async with inst.behind.work() as conn:
        host, is_secret = conn.info.host, bool(conn.pgconn.ssl_in_use)
    name = said("Way to the database")
    if host.startswith("/"):
        return Fact(
            name, "holds", "On the machine", "A socket in a folder of its own; nothing crosses a network."
        )
    if is_this_machine(host):
        return Fact(name, "holds", "On the machine", "It is reached from the machine it runs on.")
    if is_secret:
        return Fact(name, "holds", "TLS", "What goes to the database and back is encrypted.")
    return Fact(name, "broken", "In the clear", "What goes to the database and back can be read on its way.")


async def _role(inst: Installation) -> Fact:
    [[above, by, owns]] = await inst.behind.directory(
        "select rolsuper, rolbypassrls, exists (select from pg_class where relowner = r.oid) from pg_roles r where rolname = current_user"
    )
    if above or by or owns:
        return Fact(
            "What the program may in it", "broken", "Too much", "It could pass by what keeps accounts apart."
        )
    return Fact(
        "What the program may in it",
        "holds",
        "What it needs",
        "No superuser, owns no table, is bound by row security.",
    )


def _transport(settings: Settings) -> Fact:
    if settings.public_url.startswith("https://"):
        return Fact("Way to you", "holds", "TLS", "This installation is reached by https.")
    if settings.public_url.startswith(_HERE):
        return Fact("Way to you", "holds", "On the machine", "It is reached from the machine it runs on.")
    return Fact("Way to you", "broken", "In the clear", "This installation is reached without TLS.")


def _keys(inst: Installation) -> Fact:
    keeper = inst.vault.keeper
    if isinstance(keeper, Keyholder):
        if keeper.away:
            return Fact(
                "Root key", "broken", "Keyholder away", "What runs goes on; a new start would wait for it."
            )
        return Fact(
            "Root key", "holds", "Kept outside", "Wrapped by a keyholder, which is asked again each minute."
        )
    try:
        is_private = (inst.settings.data / "keys" / PLAIN).stat().st_mode & 0o077 == 0
    except OSError:
        return Fact("Root key", "open", "Not seen", "It cannot be looked at from here.")
    if is_private:
        return Fact("Root key", "holds", "Private", "Only the user that the server runs as can read it.")
    return Fact("Root key", "broken", "Readable", "Others on the machine can read it.")


def _backups(settings: Settings) -> Fact:
    name = said("Encrypted backups")
    at = last_copy(settings.data)
    if at is None:
        return Fact(
            name,
            "open",
            "Not seen",
            "This program has made no copy here. Copies that the operator makes in another way are not seen.",
        )
    seen = said(
        "This program sealed its last copy on %(day)s. Copies that the operator makes in another way are not seen.",
        day=at.date(),
    )
    return Fact(name, "holds", "Sealed", seen)


TO = Declared(("visitor",), ("A",))
PAGES = {"/trust/environment": (get_environment, None)}
LINKS = (Link("build", "/trust/environment", "Where it runs", 70),)
