"""What belongs together: the database, the keystore, the root key and the ledger of destroyed keys of one installation.

Database and keystore each hold the installation's id, and a value that only its root key makes of it. They are compared before
anything is migrated or signed, for a key that is merely lost looks like one that was destroyed. What does not belong
together ends a start, and nothing was changed.
"""

import hmac
from pathlib import Path
from uuid import UUID

import psycopg

from chatinbox.core.destroyed import ALL, Broken, Line
from chatinbox.core.ids import new_id
from chatinbox.core.root.keep import PLAIN, WRAPPED, has_root_key
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Erased, Tampered, Vault, keystore_of

Mark = tuple[UUID, bytes]
_DATABASE, _KEYSTORE = "database", "keystore"
_NOTHING = "Nothing was changed."


def look_at_files(conn: psycopg.Connection, data: Path) -> None:
    """Raises Trouble where a database that is begun stands without its root key or its keystore: neither is made anew then. Opens
    and makes nothing.
    """
    if not _has(conn, "migration.applied"):
        return
    if not has_root_key(data):
        raise Trouble(
            f"The database holds an installation already, but its root key is missing: put {data / 'keys' / PLAIN}, or {WRAPPED} there, back from your backup."
        )
    if not (keystore := keystore_of(data)).exists():
        raise Trouble(
            f"The database holds an installation already, but its keystore is missing: without {keystore} nothing in it opens."
            f" Put the folder {keystore.parent} back as it was, or restore data and keys from their copies into an empty"
            f" folder (bin/chatinbox restore). {_NOTHING}"
        )


def compare(conn: psycopg.Connection, vault: Vault) -> None:
    """Raises Trouble where database, keystore and root key are not of one installation, or its ledger is not what was written.
    Where none of them says yet of which it is, an existing key has to open. Changes nothing.
    """
    ours, theirs = _read(conn), vault.keystore.read_mark()
    if ours is None:
        _may_adopt(conn, vault, theirs)
    elif theirs is None:
        raise Trouble(
            f"The keystore {vault.keystore.path} is not this database's: it is new, or older than the database. Put back the"
            f" one that was used with it last, or restore data and keys from their copies (bin/chatinbox restore). {_NOTHING}"
        )
    else:
        _are_one(vault, ours, theirs)
    _look_at_ledger(vault)


def adopt(conn: psycopg.Connection, vault: Vault) -> None:
    """Writes down of which installation both are, once; `compare` came before. The keystore is first: broken off between the two,
    the database takes its id at the next start.
    """
    keystore = vault.keystore
    if keystore.read_mark() is None:
        made = new_id()
        keystore.write_mark(made, _proof(vault, _KEYSTORE, made))
    mark = keystore.read_mark()
    assert mark
    conn.execute(
        "insert into migration.installation (id, proof) values (%s, %s)",
        [mark[0], _proof(vault, _DATABASE, mark[0])],
    )


def _are_one(vault: Vault, ours: Mark, theirs: Mark) -> None:
    data_is, keys_are = _is_of(vault, _DATABASE, ours), _is_of(vault, _KEYSTORE, theirs)
    if data_is and keys_are and ours[0] == theirs[0]:
        return
    kept = f"keys/{vault.keeper.file}"
    if not data_is and not keys_are and ours[0] == theirs[0]:
        said = f"{kept} holds another root key than the one this database and this keystore were made with. Put theirs back."
    elif data_is and not keys_are:
        said = (
            f"The keystore {vault.keystore.path} is of another installation than the database and {kept}."
            " Put back the one that was used with them last."
        )
    elif keys_are and not data_is:
        said = (
            f"The database is of another installation than {vault.keystore.path} and {kept}."
            " Name theirs (DATABASE_URL), or the data folder that belongs to this one (--data)."
        )
    else:
        said = (
            f"The database, the keystore {vault.keystore.path} and {kept} are not of one installation."
            " Put back what was used together, or restore from copies (bin/chatinbox restore)."
        )
    raise Trouble(f"{said} {_NOTHING}")


def _may_adopt(conn: psycopg.Connection, vault: Vault, theirs: Mark | None) -> None:
    """A database that does not say of which installation it is: new, from before that was kept, or from a copy that is as old."""
    kept = f"keys/{vault.keeper.file}"
    if theirs is not None and not _is_of(vault, _KEYSTORE, theirs):
        raise Trouble(
            f"The keystore {vault.keystore.path} is of another installation than {kept}, or was altered. Put back what was"
            f" used together. {_NOTHING}"
        )
    signed = _has(conn, "ctx.secret") and conn.execute("select inner_pad from ctx.secret").fetchone()
    if not signed:
        if vault.keystore.has_keys():
            raise Trouble(
                f"The keystore {vault.keystore.path} holds the keys of an installation, and the database is empty. Name the"
                " database that belongs to it (DATABASE_URL); if that is lost, restore from copies (bin/chatinbox restore)."
                f" For a new installation, name an empty folder with --data. {_NOTHING}"
            )
        return
    if not hmac.compare_digest(bytes(signed[0]), vault.context_pads()[0]):
        raise Trouble(
            f"{kept} holds another root key than the one this database was made with. Put that one back. {_NOTHING}"
        )
    accounts = [row[0] for row in conn.execute("select account_id from directory.account")]
    if accounts and not any(_opens(vault, one) for one in accounts):
        destroyed = {one.account_id for one in _lines(vault) if one.kind == ALL}
        if not destroyed.issuperset(accounts):
            raise Trouble(
                f"No key in {vault.keystore.path} opens an account of this database: it is new, or of another installation."
                f" Put back the one that was used with it last. {_NOTHING}"
            )


def _opens(vault: Vault, account_id: UUID) -> bool:
    try:
        vault.known_account_key(account_id)
    except (Erased, Tampered):
        return False
    return True


def _look_at_ledger(vault: Vault) -> None:
    if vault.keystore.read_mark() and not vault.destroyed.path.exists():
        raise Trouble(
            f"The ledger of destroyed keys is missing: put it back to {vault.destroyed.path}, from where it lay before or from"
            " beside your newest copy of the keys. Without it, a restore would bring back who was erased. If it is lost for"
            f" good, make an empty file there, and a new backup at once. {_NOTHING}"
        )
    vault.destroyed.begin()
    _lines(vault)


def _lines(vault: Vault) -> list[Line]:
    if not vault.destroyed.path.exists():
        return []
    try:
        vault.destroyed.head()  # what a crash cut off was never acknowledged, and goes
        return vault.destroyed.read()
    except (Broken, ValueError) as broken:
        raise Trouble(
            f"The ledger of destroyed keys {vault.destroyed.path} was altered, or belongs to another installation ({broken})."
            f" Put back the newest copy, which lies beside your copies of the keys. {_NOTHING}"
        ) from None


def _read(conn: psycopg.Connection) -> Mark | None:
    if not _has(conn, "migration.installation"):
        return None
    row = conn.execute("select id, proof from migration.installation").fetchone()
    return (row[0], bytes(row[1])) if row else None


def _has(conn: psycopg.Connection, table: str) -> bool:
    row = conn.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])


def _proof(vault: Vault, place: str, its_id: UUID) -> bytes:
    return vault.secret(f"installation of this {place}: {its_id.hex}")


def _is_of(vault: Vault, place: str, mark: Mark) -> bool:
    return hmac.compare_digest(mark[1], _proof(vault, place, mark[0]))
