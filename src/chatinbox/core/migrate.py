"""Migrations: plain SQL files of `schema/`, each applied once, in its own transaction, by the owner.

The roles are made here because the app's carries a password, derived from the root key: whoever has the keys can
connect, and no password is stored anywhere.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from chatinbox.core.belonging import adopt, compare
from chatinbox.core.egress.hidden import seal_hidden
from chatinbox.core.jobs import schema_sql
from chatinbox.core.vault import Vault

SCHEMA = Path(__file__).resolve().parents[3] / "schema"
ROLES = (
    "chatinbox_owner", "chatinbox_context", "chatinbox_directory", "chatinbox_search", "chatinbox_seclog",
    "chatinbox_desk",
)  # fmt: skip
APP = "chatinbox_app"
READER = "chatinbox_security_reader"
OPERATOR = "chatinbox_operator"
LOGINS = (APP, READER, OPERATOR)
_LOCK = 7_203_114_556
# What a file needs that the database cannot do, having no keys; in the file's transaction.
_WITH_KEYS: dict[str, Callable[[psycopg.Connection, Vault], None]] = {
    "0060_hidden_sealed.sql": seal_hidden,
    "0066_installation.sql": adopt,
}


def migrate(admin_dsn: str, vault: Vault) -> list[str]:
    """Brings the database to the newest schema; gives the names of the files applied now. Raises Trouble where database and keys
    are not of one installation, before anything is changed.
    """
    applied: list[str] = []
    with psycopg.connect(admin_dsn, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(%s)", [_LOCK])
        compare(conn, vault)
        make_roles(conn, vault)
        conn.execute("create schema if not exists migration")
        conn.execute(
            "create table if not exists migration.applied"
            " (name text primary key, sha256 text not null, at timestamptz not null default now())"
        )
        done = {name for (name,) in conn.execute("select name from migration.applied")}
        for file in sorted(SCHEMA.glob("[0-9]*.sql")):
            text = file.read_text()
            digest = hashlib.sha256(text.encode()).hexdigest()
            if file.name in done:
                continue
            with conn.transaction():
                conn.execute(text)
                conn.execute("reset role")
                if file.name in _WITH_KEYS:
                    _WITH_KEYS[file.name](conn, vault)
                conn.execute(
                    "insert into migration.applied (name, sha256) values (%s, %s)", [file.name, digest]
                )
            applied.append(file.name)
        if "procrastinate" not in done:
            _jobs(conn)
            applied.append("procrastinate")
        _sign(conn, vault)
    return applied


def app_dsn(admin_dsn: str, vault: Vault) -> str:
    """The connection string of the app role."""
    return make_conninfo(
        admin_dsn,
        user=APP,
        password=_password(vault),
        options="-c search_path=tenant -c jit=off",
        application_name="chatinbox",
    )


def reader_dsn(admin_dsn: str, vault: Vault) -> str:
    """The connection string of who may read the security log, and nothing else."""
    return make_conninfo(
        admin_dsn, user=READER, password=_password(vault, READER), application_name="chatinbox security"
    )


def operator_dsn(app: str, vault: Vault) -> str:
    """The connection string of the operator's console, from the app's; it reads what a look names, and nothing else."""
    return make_conninfo(
        app, user=OPERATOR, password=_password(vault, OPERATOR), application_name="chatinbox operator"
    )


def _password(vault: Vault, role: str = APP) -> str:
    label = "database password of the app" if role == APP else f"database password of {role}"
    return vault.secret(label).hex()


def make_roles(conn: psycopg.Connection, vault: Vault, more: Iterable[str] = ()) -> None:
    """The roles that the schema names, before it is made or put back; those there are kept."""
    have = {name for (name,) in conn.execute("select rolname from pg_roles where rolname like 'chatinbox%'")}
    database = sql.Identifier(conn.info.dbname)
    for role in dict.fromkeys((*ROLES, *more)):
        if role in LOGINS:
            continue
        if role not in have:
            conn.execute(sql.SQL("create role {} nologin nobypassrls").format(sql.Identifier(role)))
        conn.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
    for role in LOGINS:
        verb = "alter" if role in have else "create"
        conn.execute(
            sql.SQL(
                verb + " role {} login nosuperuser nobypassrls nocreatedb nocreaterole noinherit password {}"
            ).format(sql.Identifier(role), sql.Literal(_password(vault, role)))
        )
    conn.execute(sql.SQL("grant create on database {} to chatinbox_owner").format(database))
    conn.execute(sql.SQL("revoke all on database {} from public").format(database))
    conn.execute(
        sql.SQL("grant connect on database {} to {}").format(
            database, sql.SQL(", ").join(map(sql.Identifier, LOGINS))
        )
    )
    conn.execute("revoke all on schema public from public")


def _jobs(conn: psycopg.Connection) -> None:
    """The queue's tables, in the schema `work`; the app may use them and nothing more."""
    with conn.transaction():
        conn.execute("set local role chatinbox_owner")
        conn.execute("set local search_path = work")
        conn.execute(schema_sql())
        conn.execute("grant select, insert, update, delete on all tables in schema work to chatinbox_app")
        conn.execute("grant usage on all sequences in schema work to chatinbox_app")
        conn.execute("reset role")
        conn.execute("insert into migration.applied (name, sha256) values ('procrastinate', '')")


def _sign(conn: psycopg.Connection, vault: Vault) -> None:
    inner, outer = vault.context_pads()
    conn.execute(
        "insert into ctx.secret (inner_pad, outer_pad) values (%s, %s)"
        " on conflict (id) do update set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad"
        " where ctx.secret.inner_pad <> excluded.inner_pad",
        [inner, outer],
    )
