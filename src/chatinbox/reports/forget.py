"""Forget: what is older than thirteen months goes, every day; without lines per person, what was recorded of persons."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.accounts.staff_record import KINDS, OF_PERSON
from chatinbox.accounts.workspace import change_workspace, read_workspace
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.reports.period import kept_since

_OF_PERSON = [kind for kind in OF_PERSON if kind != "active"]


async def forget_old(inst: Installation, account_id: UUID) -> None:
    """Removes what is older than thirteen months, and what must not be there without lines per person."""
    before, kinds = kept_since(), list(KINDS)
    await inst.db.run(
        account_id,
        (
            "delete from staff_record where account_id = %s and kind = any(%s) and at < %s",
            [account_id, kinds, before],
        ),
        (
            "delete from staff_activity where account_id = %s and began_at < %s and last_at < %s",
            [account_id, before, before],
        ),
        ("delete from report_view where account_id = %s and at < %s", [account_id, before]),
    )
    try:
        if (await read_workspace(inst, account_id)).individual_reports == "off":
            await _forget_persons(inst, account_id)
    except Erased:
        return


async def count_of_persons(inst: Installation, account_id: UUID) -> tuple[int, int]:
    """How many sign-ins and ends of sessions, and how many intervals, would be removed by switching off."""
    [[(records,)], [(intervals,)]] = await inst.db.run(
        account_id,
        (
            "select count(*) from staff_record where account_id = %s and kind = any(%s)",
            [account_id, _OF_PERSON],
        ),
        ("select count(*) from staff_activity where account_id = %s", [account_id]),
    )
    return records, intervals


async def switch_off(inst: Installation, by: Staff) -> None:
    """No lines per person any more: recording of sign-ins and activity stops, what there is of it is removed.

    Raises unless `by` may.
    """
    await change_workspace(inst, by, individual_reports="off")
    await _forget_persons(inst, by.account_id)


async def switch_on(inst: Installation, by: Staff) -> None:
    """Lines per person, from now on. Raises unless `by` may."""
    await change_workspace(inst, by, individual_reports="on")


async def _forget_persons(inst: Installation, account_id: UUID) -> None:
    await inst.db.run(
        account_id,
        ("delete from staff_record where account_id = %s and kind = any(%s)", [account_id, _OF_PERSON]),
        ("delete from staff_activity where account_id = %s", [account_id]),
    )
