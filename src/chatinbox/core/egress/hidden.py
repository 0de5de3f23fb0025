"""Hidden: what an order hid when the chain of what left began is sealed by the update, as it stands then. Nothing that comes
up later is believed to be from before the chain.
"""

import psycopg

from chatinbox.core.egress.committed import COLUMNS, Written, begun, ended, seal
from chatinbox.core.ids import new_id
from chatinbox.core.vault import Vault

_TABLES = ("tenant.ledger", "tenant.ledger_waiting")
_WAITING = f"""
select l.account_id, w.id, l.outcome, l.reason, {", ".join(f"l.{name.strip()}" for name in COLUMNS.split(","))}
  from tenant.ledger_waiting w join tenant.ledger l on l.account_id = w.account_id and l.id = w.row_id
 where w.seal is null and l.shown_from is not null"""
_SEAL = "update tenant.ledger_waiting set commitment = %s, seal = %s where account_id = %s and id = %s"
_ENDED = (
    "insert into tenant.ledger_waiting (account_id, id, row_id, part, commitment, seal, shown_from)"
    " values (%s, %s, %s, 'ended', %s, %s, %s)"
)


def seal_hidden(conn: psycopg.Connection, vault: Vault) -> None:
    """Seals what waits hidden and unsealed, with how it ended; once, in the transaction of the migration."""
    conn.execute("set local role chatinbox_owner")
    for table in _TABLES:
        conn.execute(f"alter table {table} no force row level security".encode())
    for account_id, waiting_id, outcome, reason, *words in conn.execute(_WAITING.encode()).fetchall():
        row = Written(*words)
        told = begun(account_id, row)
        conn.execute(_SEAL, [told, seal(vault, account_id, waiting_id, row.id, told), account_id, waiting_id])
        if outcome != "begun":
            ended_id, told = new_id(), ended(account_id, row.id, outcome, reason)
            proof = seal(vault, account_id, ended_id, row.id, told)
            conn.execute(_ENDED, [account_id, ended_id, row.id, told, proof, row.shown_from])
    for table in _TABLES:
        conn.execute(f"alter table {table} force row level security".encode())
    conn.execute("reset role")
