"""What the page about connected programs shows of each: how it went lately, how often which field left, what was brought."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import Connection
from chatinbox.integrations.mapping import ERASED
from chatinbox.integrations.stands import look_after

LATEST = 5
_COUNTS = "select connection_id, state, count(*) from connection_delivery where account_id = %s group by 1, 2"
_UNTOLD = f"""
select connection_id, count(*) from connection_delivery where account_id = %s and kind = '{ERASED}' and state in ('dropped', 'failed')
 group by 1"""
_FIELDS = """
select connection_id, f, count(*) from connection_delivery, unnest(fields) f where account_id = %s and state = 'sent' group by 1, 2
 order by 3 desc"""
_LATEST = f"""
select connection_id, kind, changed_at, state, reason, attempts, due_at from (
  select d.*, row_number() over (partition by connection_id order by changed_at desc, id desc) as place
    from connection_delivery d where account_id = %s) d where place <= {LATEST} order by changed_at desc"""
_PULLS = f"""
select connection_id, at, created_count, changed_count, same_count, erased_count from (
  select p.*, row_number() over (partition by connection_id order by id desc) as place from connection_pull p where account_id = %s) p
 where place <= {LATEST} order by at desc"""
_BROUGHT = """
select p.connection_id, sum(created_count), sum(changed_count), sum(erased_count), max(at) filter (where erased_count > 0)
  from connection_pull p where account_id = %s group by 1"""
_BROUGHT_FIELDS = """
select connection_id, f, sum(created_count + changed_count) from connection_pull, unnest(fields) f where account_id = %s group by 1, 2
 order by 3 desc"""


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery, in ids and states."""

    kind: str
    at: datetime
    state: str
    reason: str | None
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Pull:
    """One request that brought customers."""

    at: datetime
    created: int
    changed: int
    same: int
    erased: int


@dataclass(slots=True)
class Lately:
    """The last thirty days of one connection."""

    counts: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    created: int = 0
    changed: int = 0
    erased: int = 0
    erased_at: datetime | None = None
    untold: int = 0  # erasures that it was to hear of, and did not


async def read_shown(inst: Installation, by: Staff) -> list[tuple[Connection, Lately]]:
    """Every connection with what became of it lately. Raises unless `by` may connect programs.

    Counts are shown to whoever may: a connection hears of no channel that who stands for it does not see, and no row says of whom
    it was.
    """
    if not by.may("integrations"):
        by.need("integrations")
    account = [by.account_id]
    connections = await look_after(inst, by.account_id)
    counts, fields, latest, pulls, brought, brought_fields, untold = await inst.db.run(
        by.account_id,
        *((ask, account) for ask in (_COUNTS, _FIELDS, _LATEST, _PULLS, _BROUGHT, _BROUGHT_FIELDS, _UNTOLD)),
    )
    lately: defaultdict[UUID, Lately] = defaultdict(Lately)
    for one, state, count in counts:
        lately[one].counts[state] = count
    for one, name, count in [*fields, *brought_fields]:
        lately[one].fields[name] = int(count)
    for one, *told in latest:
        lately[one].told.append(Told(*told))
    for one, *pull in pulls:
        lately[one].pulls.append(Pull(*pull))
    for one, created, changed, erased, erased_at in brought:
        found = lately[one]
        found.created, found.changed, found.erased = int(created), int(changed), int(erased)
        found.erased_at = erased_at
    for one, count in untold:
        lately[one].untold = count
    return [(one, lately[one.id]) for one in connections]
