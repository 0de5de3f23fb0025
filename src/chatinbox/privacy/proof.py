"""The record of the last proof: which promises were tried on this installation, when, what was seen, and who was caught.

Kept as one signed file beside the data. It is shown only while its signature is ours and it speaks of the source that runs
now: an update makes every lamp go out until the promises are proven again.
"""

import base64
import hashlib
import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec

from chatinbox.core.canonical import canonical
from chatinbox.core.vault import Vault
from chatinbox.privacy import signature

ROOT = Path(__file__).resolve().parents[3]
PURPOSE = "signature of proofs"


class Tried(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One promise: whether it held, what was seen, what was broken, and the saboteurs that were caught."""

    no: str
    clauses: list[str]
    file: str
    holds: bool
    seen: list[str]
    broken: list[str]
    caught: list[str]


class Proof(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A run of all promises. `source` is the hash of the program that was tried; `sabotaged`: saboteurs were let loose."""

    at: datetime
    source: str
    sabotaged: bool
    promises: list[Tried]


@cache
def source_hash(root: Path = ROOT) -> str:
    """SHA-256 over the program: its code, its schema, its pages and its promises, in hexadecimal."""
    sum_ = hashlib.sha256()
    for folder in ("promises", "schema", "src", "ui"):
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                sum_.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return sum_.hexdigest()


def keep(data: Path, vault: Vault, proof: Proof) -> None:
    """Signs a proof and keeps it in place of the last one."""
    told = signature.signed(vault, PURPOSE, msgspec.to_builtins(proof))
    fresh = _file(data).with_suffix(f".new-{os.getpid()}")
    fresh.write_text(json.dumps(told, indent=1))
    fresh.replace(_file(data))


def read_raw(data: Path, vault: Vault) -> bytes | None:
    """The signed file of the last proof; None where there is none or it is not ours as it stands."""
    try:
        raw = _file(data).read_bytes()
        told = json.loads(raw)
        value = base64.b64decode(told.pop("signature")["value"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    genuine = signature.is_genuine(canonical(told), value, signature.public_key(vault, PURPOSE))
    return raw if genuine else None


def read(data: Path, vault: Vault) -> Proof | None:
    """The last proof, where it is ours and speaks of the program that runs now."""
    raw = read_raw(data, vault)
    if raw is None:
        return None
    told = json.loads(raw)
    del told["signature"]
    found = msgspec.convert(told, Proof)
    return found if found.source == source_hash() else None


def _file(data: Path) -> Path:
    return data / "proof.json"
