"""Opening stored rows for their owner, as the data map describes them: what is sealed is opened, look-up hashes are left out."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.core.ids import NOBODY
from chatinbox.core.vault import SealKey
from chatinbox.privacy.data_map import Sealing, read, sealing

# Proofs of who somebody is are no words about them: said to be there, never shown.
_SECRET = ("password", "secret", "recovery", "private", "token")
# Whole letters carry links that prove who reads a mailbox: who merely named an address must not read them here.
_LETTERS = {("person_letter", "letter"), ("kept_mail", "raw")}
# Sealed for another place than where they stand, because they move there.
_PLACES = {("address_change", "new"): ("person", "email"), ("address_change", "old"): ("person", "email")}

Keys = Mapping[Sealing, SealKey | None]


def open_row(table: str, row: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """A row (as `to_jsonb` gives it) with its values opened. A value whose key was destroyed, or is not among the keys
    because the value belongs to somebody else, is left out.
    """
    opened: dict[str, Any] = {}
    for column, value in row.items():
        kind = sealing(table, column)
        if kind == "blind" or value is None:
            continue
        if kind == "no":
            opened[column] = value
            continue
        name = column.removesuffix("_sealed")
        key = keys.get(kind)
        if any(word in name for word in _SECRET) or (table.split(".")[1], name) in _LETTERS:
            opened[name] = "(kept, not shown)"
        elif key is not None and value != "\\x":
            opened[name] = _value(key, table, name, row, value)
    return opened


def _value(key: SealKey, table: str, name: str, row: Mapping[str, Any], value: str) -> Any:
    short = table.split(".")[1]
    place = _PLACES.get((short, name), (short, name))
    account_id = UUID(row["account_id"]) if table.startswith("tenant.") else NOBODY
    row_id = UUID(row["person_id"]) if (short, name) in _PLACES else _row_id(short, row)
    plain = key.open(bytes.fromhex(value[2:]), account_id, *place, row_id)
    if name == "body":
        return msgspec.msgpack.decode(plain)
    if plain[:1] in (b"{", b"["):
        try:
            return _without_secrets(msgspec.json.decode(plain))
        except msgspec.DecodeError:
            pass
    try:
        return plain.decode()
    except UnicodeDecodeError:
        return base64.b64encode(plain).decode()


def _without_secrets(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: _without_secrets(one)
        for name, one in value.items()
        if not any(word in name for word in _SECRET)
    }


def _row_id(short: str, row: Mapping[str, Any]) -> UUID:
    by = {"account": "account_id", "billing": "account_id", "draft": "conversation_id"}.get(short, "id")
    return UUID(row[by] if by in row else row["person_id"])


def described(tables: Mapping[str, Any]) -> dict[str, Any]:
    """What the tables and their columns hold, in the words of the data map."""
    told = {}
    for name in tables:
        line = read()[name]
        columns = {
            column.removesuffix("_sealed"): words if isinstance(words, str) else words.holds
            for column, words in line.columns.items()
            if sealing(name, column) != "blind"
        }
        told[name] = {"purpose": line.purpose, "kept": line.kept, "columns": columns}
    return told
