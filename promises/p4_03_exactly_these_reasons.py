"""There are exactly these reasons for anything to leave: your permission, a service you asked for, a company that works for us, and the cases of law and safety in 4.6 to 4.9. There is no reason called other."""

import re
from typing import get_args

from psycopg.errors import CheckViolation

from chatinbox.core.egress import Basis
from promises.means import need_all_theirs, refused
from promises.stage import Here, Stage, a_letter

CLAUSES = ("C33a",)
REASONS = {"permission", "service", "integration", "subprocessor", "law", "rights", "fraud"}


def look_at_the_reasons(here: Here) -> str:
    """The ledger takes these reasons and no other, and nothing left for another"""
    said = here.column(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'tenant.ledger'::regclass and conname = 'ledger_basis_check'"
    )
    listed = set(re.findall(r"'(\w+)'::text", said[0])) if said else set()
    assert listed == REASONS and "gate" not in said[0], (
        f"the ledger takes {', '.join(sorted(listed)) or 'any reason'}"
    )
    assert set(get_args(Basis)) == REASONS, "the program knows other reasons"
    used = set(here.column("select distinct basis from tenant.ledger"))
    assert used <= REASONS, f"something left for {', '.join(used - REASONS)}"
    return f"{len(REASONS)} reasons, and nothing left for another."


async def proof_that_there_is_no_other(stage: Stage) -> str:
    """A letter without one of the reasons does not leave"""
    ada, _ = await stage.two_businesses()
    before = stage.column("select count(*) from tenant.kept_mail")[0]
    await stage.inst.egress.mail(a_letter(ada))
    assert stage.column("select count(*) from tenant.kept_mail")[0] == before + 1, (
        "no letter leaves, so this shows nothing"
    )
    for other in ("other", "legitimate interest", "marketing", ""):
        with refused(by=CheckViolation, otherwise=f"a letter left for the reason '{other}'"):
            await stage.inst.egress.mail(a_letter(ada, other))
    assert stage.column("select count(*) from tenant.kept_mail")[0] == before + 1, "it left all the same"
    need_all_theirs(stage, "ledger", ada)
    return "Four letters for other reasons were refused before they left."


async def saboteur_adds_a_reason(stage: Stage) -> None:
    """Adds a reason called other"""
    stage.break_in(
        "alter table tenant.ledger drop constraint ledger_basis_check",
        "alter table tenant.ledger add constraint ledger_basis_check check (basis in ('permission', 'service', 'integration', 'subprocessor', 'law', 'rights', 'fraud', 'other'))",
    )


async def saboteur_takes_any_reason(stage: Stage) -> None:
    """Lets the ledger take any reason"""
    stage.break_in("alter table tenant.ledger drop constraint ledger_basis_check")
