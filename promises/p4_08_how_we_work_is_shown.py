"""Supervisors of cross-border data, such as the FTC, are shown how we work: records, contracts, ledgers. Not the content of conversations, unless the law names it."""

import hashlib
import json
import re
from typing import Any

from chatinbox.accounts.queries import read_account_name
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import NewFile, Sender
from chatinbox.core.egress.desk import DeskGate
from chatinbox.core.ids import new_id
from chatinbox.privacy import pack
from promises.means import beside_the_ledger
from promises.stage import Here, Stage

CLAUSES = ("C39",)
EMAIL = "canary.customer@mail.example"


def look_at_the_packs(here: Here) -> str:
    """Every pack that was made for a supervisor has its hash in the house's ledger"""
    said = here.column("select instruction from work.house_ledger where named = 'supervisor'")
    bare = [one for one in said if not re.fullmatch(r"pack sha256 [0-9a-f]{64}", one)]
    assert not bare, f"{len(bare)} packs have no hash"
    fields = here.column("select distinct unnest(fields) from work.house_ledger where named = 'supervisor'")
    more = sorted(set(fields) - set(pack.PARTS))
    assert not more, f"a pack held {', '.join(more)}"
    return f"{len(said)} packs were made, each with its hash."


async def proof_that_it_holds_no_content(stage: Stage) -> str:
    """A pack was made where customers had written: records, contracts and sums are in it, and not one of their words, names or ids"""
    ada, cyd = await stage.two_businesses()
    got = await stage.people.say(
        ada,
        "canary-words",
        sender=Sender(EMAIL, "Canary Casey"),
        files=[NewFile("canary-file.txt", "text/plain", b"canary-bytes")],
    )
    await verbs.add_note(stage.inst, ada, got.conversation_id, new_id(), Body(text="canary-note"))
    await verbs.rename(stage.inst, ada, got.conversation_id, "canary-subject")
    await stage.settle()
    raw = await pack.make_pack(stage.inst, "A supervisor")
    told = json.loads(raw)
    for part in ("records", "contracts", "left", "desk", "signature"):
        assert part in told, f"{part} is not in it"
    assert told["records"]["processor"] and told["contracts"], "it shows nothing of how we work"
    ids = [
        str(one) for staff in (ada, cyd) for one in (staff.account_id, staff.staff_user_id, staff.person_id)
    ]
    sought = [
        "canary",
        "Canary",
        "Casey",
        "Ada",
        "Cyd",
        EMAIL,
        str(got.customer_id),
        str(got.conversation_id),
        *ids,
    ]
    found = [one for one in sought if one in raw.decode()]
    assert not found, f"it holds {', '.join(found)}"
    kept = stage.column("select instruction from work.house_ledger where named = 'supervisor'")
    assert f"pack sha256 {hashlib.sha256(raw).hexdigest()}" in kept, "its hash was not kept"
    return f"{len(raw)} bytes, searched for {len(sought)} words, names and ids of people: none."


async def saboteur_names_accounts(stage: Stage) -> None:
    """Names the accounts beside their sums"""
    known = pack.told

    async def naming(inst: Any) -> dict[str, Any]:
        ids = stage.column("select account_id from tenant.account")
        return await known(inst) | {"accounts": [await read_account_name(inst, one) for one in ids]}

    stage.swap(pack, "told", naming)


async def saboteur_adds_customers(stage: Stage) -> None:
    """Adds whom letters went to"""
    known = pack.told

    async def adding(inst: Any) -> dict[str, Any]:
        ids = stage.column("select id::text from tenant.customer")
        return await known(inst) | {"customers": ids}

    stage.swap(pack, "told", adding)


async def saboteur_keeps_no_hash(stage: Stage) -> None:
    """Hands it over beside the ledger"""
    stage.swap(DeskGate, "hand_over", beside_the_ledger)


async def saboteur_shows_nothing(stage: Stage) -> None:
    """Leaves the records out"""
    known = pack.told

    async def bare(inst: Any) -> dict[str, Any]:
        return await known(inst) | {"records": {"processor": []}}

    stage.swap(pack, "told", bare)
