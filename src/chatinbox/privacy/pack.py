"""The pack for a supervisor: how this installation works, as records, contracts and sums of its ledgers; no content (C39).

What is in it is made from registers and from counts. No word that anybody wrote, is called or is reached by is read for it, so
none can be in it. Its hash stays in the house's ledger.
"""

import hashlib
import json
from collections import Counter
from typing import Any

from chatinbox.accounts import documents
from chatinbox.accounts.every_account import every_account
from chatinbox.core import purpose
from chatinbox.core.clock import now
from chatinbox.core.egress import REGISTER, Errand
from chatinbox.core.errors import bad_request
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.core.purpose import Use
from chatinbox.privacy import proof, records, signature, subprocessors
from chatinbox.privacy.desk.counts import count_late, read_counts

PURPOSE = "a pack for a supervisor"
PARTS = ("records of processing", "companies", "contracts", "ledger sums", "proofs", "counts of the desk")
_LEFT = (
    "select to_char(at at time zone 'UTC', 'YYYY-MM'), gate, basis, coalesce(named, ''), outcome, count(*) from ledger"
    " where account_id = %s group by 1, 2, 3, 4, 5"
)


async def make_pack(inst: Installation, supervisor: str) -> bytes:
    """The signed file for a supervisor, named by whoever makes it. Raises a sentence where they named none."""
    name = " ".join(supervisor.split())
    if not 3 <= len(name) <= 200:
        raise bad_request("Which supervisor is it for?", "supervisor")
    raw = json.dumps(signature.signed(inst.vault, PURPOSE, await told(inst)), indent=1, ensure_ascii=False)
    digest = hashlib.sha256(raw.encode()).hexdigest()
    errand = Errand(None, None, "law", f"pack sha256 {digest}", PARTS)
    async with inst.egress.hand_over(errand, name, None):
        return raw.encode()


async def read_packs(inst: Installation) -> list[tuple[Any, str, str]]:
    """When one was made, for whom, and its hash; the newest first."""
    ask = "select at, recipient, instruction from work.house_ledger where named = 'supervisor' order by at desc limit 50"
    rows = await inst.db.directory(ask)
    return [(at, who, instruction.removeprefix("pack sha256 ")) for at, who, instruction in rows]


async def told(inst: Installation) -> dict[str, Any]:
    """What is in it."""
    operator = operator_of(inst.settings)
    return {
        "made_at": now().isoformat(),
        "operator": {"name": operator.name, "address": operator.address, "country": operator.country, "register": operator.register} if operator else {},
        "records": {role: [_record(name, table) for name, table in rows] for role, rows in records.records().items()},
        "companies": [_company(one) for one in subprocessors.read(inst.settings).company],
        "recipients": [{"name": one.name, "does": one.does, "basis": one.basis} for one in REGISTER.values()],
        "contracts": [
            {"kind": kind, "version": one.version, "since": one.effective_at.isoformat(), "seal": one.seal}
            for kind in documents.KINDS for one in documents.versions(kind)
        ],
        "left": await _left(inst),
        "desk": [{"year": one.year, "kind": one.kind, "came": one.came, "released": one.released, "declined": one.declined} for one in await read_counts(inst)],
        "late_reviews": await count_late(inst),
        "proofs": _proofs(inst),
    }  # fmt: skip


def _record(name: str, table: Any) -> dict[str, str]:
    return {"table": name, "subject": table.subject, "purpose": table.purpose, "kept": table.kept, "erased": table.erased}  # fmt: skip


def _company(one: subprocessors.Company) -> dict[str, Any]:
    return {
        "name": one.name, "purpose": one.purpose, "place": one.place, "country": one.country,
        "planes": one.planes, "transfer": one.transfer, "since": one.since.isoformat(), "ways": one.ways,
    }  # fmt: skip


@purpose.work(Use("Counts what left, over all accounts, for whoever checks", "protect", "9"))
async def _left(inst: Installation) -> list[dict[str, Any]]:
    """What left, by month, way, reason and named recipient: sums over all accounts, none of which is named."""
    sums: Counter[tuple[str, ...]] = Counter()
    async for account_id in every_account(inst):
        [rows] = await inst.db.run(account_id, (_LEFT, [account_id]))
        for *what, count in rows:
            sums[tuple(what)] += count
    return [
        {"month": month, "way": way, "reason": reason, "recipient": named, "ended": ended, "count": count}
        for (month, way, reason, named, ended), count in sorted(sums.items())
    ]


def _proofs(inst: Installation) -> list[dict[str, Any]]:
    last = proof.read(inst.settings.data, inst.vault)
    return [{"promise": one.no, "holds": one.holds} for one in last.promises] if last else []
