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
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatinbox.core.vault import Vault

ROOT = Path(__file__).resolve().parents[3]
OVER = "the JSON of everything but this member, as RFC 8785 writes it"


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
    """Signs a proof (Ed25519, RFC 8032) and keeps it in place of the last one."""
    told: dict[str, Any] = msgspec.to_builtins(proof)
    key = _key(vault)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = {
        "algorithm": "Ed25519",
        "over": OVER,
        "public_key": base64.b64encode(public).decode(),
        "value": base64.b64encode(key.sign(_canonical(told))).decode(),
    }
    fresh = _file(data).with_suffix(f".new-{os.getpid()}")
    fresh.write_text(json.dumps({**told, "signature": signature}, indent=1))
    fresh.replace(_file(data))


def read_raw(data: Path, vault: Vault) -> bytes | None:
    """The signed file of the last proof; None where there is none or it is not ours as it stands."""
    try:
        raw = _file(data).read_bytes()
        told = json.loads(raw)
        signature = base64.b64decode(told.pop("signature")["value"])
        _key(vault).public_key().verify(signature, _canonical(told))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        return None
    return raw


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


def _key(vault: Vault) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(vault.secret("signature of proofs"))


def _canonical(told: dict[str, Any]) -> bytes:
    """RFC 8785 for what stands in a proof: text, lists and truth values; no number."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
