"""What the running system shows of its security log without showing the log: ages, counts, who could read it (C13 to C16)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.vault import Vault

LIMIT = timedelta(days=60)
READERS = frozenset({"chatinbox_seclog", "chatinbox_security_reader"})

# Whoever may read the log, by its table or by its function, besides who may do everything anyhow.
_MAY_READ = """
select rolname from pg_roles where not rolsuper and left(rolname, 3) <> 'pg_'
  and (has_table_privilege(oid, 'seclog.entry', 'select')
    or has_function_privilege(oid, 'seclog.read(text, text, date, date)', 'execute')) order by rolname
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The log as seen from outside. `oldest` and `oldest_key` are None while nothing was noted."""

    oldest: date | None
    day_count: int
    dropped_count: int
    last_dropped: date | None
    reading_count: int
    last_read: date | None
    oldest_key: date | None
    may_read: tuple[str, ...]

    @property
    def age(self) -> timedelta:
        """How old the oldest entry, or the oldest key that could open one, can be at most: from the first second of its day."""
        days = [day for day in (self.oldest, self.oldest_key) if day]
        return now() - datetime.combine(min(days), datetime.min.time(), UTC) if days else timedelta()

    @property
    def is_young(self) -> bool:
        """Whether nothing in it is sixty days old."""
        return self.age < LIMIT

    @property
    def strangers(self) -> list[str]:
        """Roles that could read it and should not."""
        return sorted(set(self.may_read) - READERS)


async def read_evidence(db: Database, vault: Vault) -> Evidence:
    """Looks now."""
    [[oldest, day_count, dropped_count, last_dropped, reading_count, last_read]] = await db.directory(
        "select oldest, day_count, dropped_count, last_dropped, reading_count, last_read from seclog.evidence()"
    )
    may_read = tuple(name for (name,) in await db.directory(_MAY_READ))
    return Evidence(
        oldest,
        day_count,
        dropped_count,
        last_dropped,
        reading_count,
        last_read,
        min(vault.key_days(), default=None),
        may_read,
    )
