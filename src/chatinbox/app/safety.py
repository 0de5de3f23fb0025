"""What is not safe to serve people with, a sentence each. A start with one of them is refused, not warned of (clause C48).

The demo alone may be spoken to without TLS, and stand anywhere: what is in it is make-believe. It counts as the demo while its folder was never
anything else.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from chatinbox.app import libraries
from chatinbox.core.here import is_this_machine
from chatinbox.core.mail_server import read_mail_server
from chatinbox.core.migrate import LOGINS, OPERATOR
from chatinbox.core.root.keep import PLAIN, WRAPPED, has_root_key
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import places

FEW_BYTES = 16  # different ones a root key has at least; of 32 random bytes about thirty differ

_ROLES = """
select r.rolname as name, r.rolsuper as above_all, r.rolbypassrls as passes_by,
       r.rolcreaterole or r.rolcreatedb or r.rolreplication as makes,
       exists (select from pg_class c where c.relowner = r.oid)
         or exists (select from pg_namespace n where n.nspowner = r.oid)
         or exists (select from pg_proc p where p.proowner = r.oid) as owns,
       (select min(o.rolname) from pg_auth_members m join pg_roles o on o.oid = m.roleid where m.member = r.oid) as acts_as
  from pg_roles r where r.rolname = any(%s) order by r.rolname
"""

_OPEN = r"""
select c.oid::regclass::text from pg_class c
 where c.relnamespace = to_regnamespace('tenant') and c.relkind in ('r', 'p')
   and (not c.relrowsecurity or not c.relforcerowsecurity
     or exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive
                 and coalesce(pg_get_expr(p.polqual, c.oid), '') !~ 'ctx\.account\(\)'
                 and coalesce(pg_get_expr(p.polwithcheck, c.oid), '') !~ 'ctx\.account\(\)'))
 order by 1
"""

_READS = r"""
select c.oid::regclass::text from pg_roles r, pg_class c
 where r.rolname = %s and c.relnamespace = to_regnamespace('tenant') and c.relkind in ('r', 'p')
   and has_any_column_privilege(r.oid, c.oid, 'select')
   and not exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive and p.polcmd in ('r', '*')
                    and p.polroles = array[r.oid] and pg_get_expr(p.polqual, c.oid) ~ 'desk\.rows\(')
 order by 1
"""


def refuse_unsafe(found: Iterable[str]) -> None:
    """Raises Trouble with everything that was found, a line each."""
    if sentences := list(found):
        raise Trouble("\n".join(sentences))


def unsafe_settings(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What settings and files make unsafe. Looks, and changes nothing."""
    if not _is_make_believe(settings):
        yield from _transport(settings)
        yield from places.misplaced(settings, environment)
        yield from _way_to_database(settings, environment)
        if serves_others(settings):
            yield from _root(settings)
            yield from _libraries()
    yield from _mail(settings)
    yield from _keys(settings)
    if sys.flags.dev_mode or environment.get("PYTHONASYNCIODEBUG"):
        yield (
            "Python's development mode is on; it writes to the log what it happens to hold."
            " Unset PYTHONDEVMODE and PYTHONASYNCIODEBUG."
        )


def look_at_database(admin_dsn: str) -> Iterator[str]:
    """What is unsafe in a database: roles that may too much, tables that are open."""
    strong = list(unsafe_roles(admin_dsn))
    yield from strong
    yield from open_tables(admin_dsn)
    if not strong:  # a role that is may read everything anyway, and was named
        yield from read_by_operator(admin_dsn)


def open_tables(admin_dsn: str) -> Iterator[str]:
    """Tables of accounts that row security does not close. Before the first start there are none."""
    with psycopg.connect(admin_dsn) as conn:
        rows = conn.execute(_OPEN).fetchall()
    for (name,) in rows:
        yield f"The table {name} is not closed by account, so one account could see another's rows. Put its row security back from schema/."


def read_by_operator(admin_dsn: str) -> Iterator[str]:
    """Tables of accounts that the operator's role reads beside what a look names (clause C40)."""
    with psycopg.connect(admin_dsn) as conn:
        rows = conn.execute(_READS, [OPERATOR]).fetchall()
    for (name,) in rows:
        yield f"The table {name} can be read by {OPERATOR} without a grant. Put its policy back from schema/."


def unsafe_roles(admin_dsn: str) -> Iterator[str]:
    """What the database lets the roles do that serve people. Before the first start there are none."""
    with psycopg.connect(admin_dsn) as conn:
        rows = conn.execute(_ROLES, [list(LOGINS)]).fetchall()
    for name, above_all, passes_by, makes, owns, acts_as in rows:
        if above_all:
            yield f"The database role {name} is a superuser, so nothing keeps accounts apart. Run: ALTER ROLE {name} NOSUPERUSER"
        if passes_by:
            yield f"The database role {name} passes by row security. Run: ALTER ROLE {name} NOBYPASSRLS"
        if makes:
            yield f"The database role {name} may make roles or databases, or copy the cluster. Run: ALTER ROLE {name} NOCREATEROLE NOCREATEDB NOREPLICATION"
        if owns:
            yield f"The database role {name} owns tables, schemas or functions, so it could change their rules. Run: REASSIGN OWNED BY {name} TO chatinbox_owner"
        if acts_as:
            yield f"The database role {name} may act as {acts_as}. Run: REVOKE {acts_as} FROM {name}"


def _is_make_believe(settings: Settings) -> bool:
    is_new = not has_root_key(settings.data)
    return settings.demo and (is_new or (settings.data / "demo.json").exists())


def serves_others(settings: Settings) -> bool:
    """Whether people on other machines are to come: it has an address that does not lead to this one."""
    return bool(settings.public_url) and not is_this_machine(urlsplit(settings.public_url).hostname or "")


def runs_as_root() -> bool:
    """Whether this process may do anything on its machine."""
    return os.geteuid() == 0


def _root(settings: Settings) -> Iterator[str]:
    if runs_as_root() and not settings.as_root:
        yield (
            "This server runs as root, so a fault in it would reach the whole machine. Start it as a user of its own, who owns"
            " the data folder; where that cannot be, say CHATINBOX_AS_ROOT=yes."
        )


def _libraries() -> Iterator[str]:
    if old := libraries.behind():
        yield (
            f"Older than requirements/run.txt says: {', '.join(old[:5])}{' and others' if old[5:] else ''}. Start with bin/serve,"
            " which installs what is on the list."
        )


def _transport(settings: Settings) -> Iterator[str]:
    typed = urlsplit(settings.public_url)
    if typed.scheme == "http" and not is_this_machine(typed.hostname or ""):
        yield (
            f"People would type {settings.public_url}, and passwords would travel in the clear."
            " Put a proxy with TLS in front and say --public-url https://…"
        )
    elif not settings.public_url and not is_this_machine(settings.host):
        yield (
            f"On {settings.host} anybody in the network could listen in: this server speaks no TLS itself."
            " Put a proxy with TLS in front and say --public-url https://…, or listen on 127.0.0.1."
        )


def _way_to_database(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    """What libpq does where nothing is said is to take TLS if it is offered, and who stands between can take that away."""
    elsewhere = places.database_hosts(settings, environment)
    if not elsewhere:
        return
    parts = conninfo_to_dict(settings.database_url or "")  # alone: the programs that copy get no variables
    way, own = parts.get("sslmode"), places.own_hosts(settings)
    if way in ("verify-full", "verify-ca") or (
        way == "require" and parts.get("channel_binding") == "require"
    ):
        return
    for host in elsewhere:
        if host.casefold() not in own:
            yield (
                f"DATABASE_URL leads to {host}, and nothing makes sure that nobody between reads along. Add"
                " sslmode=verify-full and sslrootcert=… to it, or sslmode=require and channel_binding=require."
            )
        elif way not in ("require", "disable"):
            yield (
                f"DATABASE_URL leads to {host} and does not say whether by TLS. Add sslmode=verify-full or sslmode=require to"
                " it; sslmode=disable if that network is yours alone."
            )


def _mail(settings: Settings) -> Iterator[str]:
    """The demo's letters may be open; a password never is make-believe."""
    if not settings.smtp_url:
        return
    server = read_mail_server(settings.smtp_url)
    if server.may_be_open and (server.username or server.password) and not is_this_machine(server.host):
        yield (
            f"CHATINBOX_SMTP_URL has a password for {server.host} and says tls=optional, so whoever stands between could have it"
            " sent in the clear. Take tls=optional away, or the password."
        )


def _keys(settings: Settings) -> Iterator[str]:
    root, keystore = settings.data / "keys" / PLAIN, settings.data / "keystore" / "keys.sqlite"
    for path in (root, root.with_name(WRAPPED), keystore):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # made at the first start; what cannot be reached is said elsewhere
        if stat.S_IMODE(mode) & 0o077:
            yield f"{path} can be read by others on this machine. Run: chmod 600 {path}"
    try:
        raw = root.read_bytes()
    except OSError:
        return
    if len(raw) == 32 and len(set(raw)) < FEW_BYTES:
        yield (
            f"The root key in {root} can be guessed: it is not random."
            " Put the right one back from your backup of the keys, or begin with an empty data folder."
        )
