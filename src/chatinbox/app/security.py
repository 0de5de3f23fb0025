"""`security`: the console of the security log. It asks for a reason, and each reading is noted before a line is shown."""

import getpass
from collections.abc import Iterator
from datetime import date, timedelta

import psycopg

from chatinbox.app import database
from chatinbox.core.clock import now
from chatinbox.core.migrate import reader_dsn
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import Vault
from chatinbox.watch.read_security_log import Read, ReadDefect, read_defects, read_entries, read_readings
from chatinbox.watch.security_days import KEPT_DAYS


def print_security_log(settings: Settings, what: str, reason: str, days: int) -> int:
    """Prints connections, defects or earlier readings of the last days. Raises Trouble for a reason that says nothing."""
    if not 1 <= days <= KEPT_DAYS:
        raise Trouble(f"Between 1 and {KEPT_DAYS} days are there to be read.")
    last = now().date()
    first = last - timedelta(days=days - 1)
    with database.of_an_installation(settings) as admin_dsn:
        vault = database.vault_of(settings, admin_dsn)
        try:
            dsn = reader_dsn(admin_dsn, vault)
            if what == "readings":
                for one in read_readings(dsn):
                    print(
                        f"{one.at:%Y-%m-%d %H:%M} UTC  {one.reader}  {one.first_day} to {one.last_day}  {one.reason}"
                    )
            elif what == "defects":
                print("\n".join(_defects(read_defects(dsn, first, last))))
            else:
                print("\n".join(_lines(_read(dsn, vault, reason, first, last))))
        finally:
            vault.close()
    return 0


def _read(dsn: str, vault: Vault, reason: str, first: date, last: date) -> list[Read]:
    try:
        return read_entries(dsn, vault, getpass.getuser(), " ".join(reason.split()), first, last)
    except psycopg.errors.CheckViolation:
        raise Trouble(
            "Say with --reason why you read this, in ten letters or more. It is noted with your name."
        ) from None


def _lines(entries: list[Read]) -> Iterator[str]:
    yield f"{'Minute (UTC)':<18}{'Address':<40}{'Status':>6}{'Times':>7}  Route, defect, device"
    for one in entries:
        address = one.place.address if one.place else "(not told apart)"
        more = "  ".join(filter(None, (one.route, one.defect and f"defect {one.defect}", one.said_device)))
        yield f"{one.minute:%Y-%m-%d %H:%M}  {address:<40}{one.status:>6}{one.count:>7}  {more}"


def _defects(found: list[ReadDefect]) -> Iterator[str]:
    for one in found:
        yield f"{one.day}  {one.fingerprint}  {one.count:>6} times  {one.kind}"
        yield from (f"    {place}" for place in one.places)
    if not found:
        yield "No defect was met."
