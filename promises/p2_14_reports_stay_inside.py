"""When staff users sign in and what they do in the inbox may be shown in reports, to permitted colleagues of the same account and to the person concerned. Nobody outside that account sees it, the operator included. No keystrokes, no screens."""

import re

from chatinbox.accounts import staff_record
from chatinbox.accounts.staff import Staff
from chatinbox.core.ids import new_id
from chatinbox.privacy.access.read import Filter, read_looked
from chatinbox.reports import views
from promises.means import lift
from promises.stage import Here, Stage

CLAUSES = ("C22", "C23")


def look_at_what_may_be_recorded(here: Here) -> str:
    """What is recorded about staff is a closed list, and each record belongs to an account"""
    kept = here.column(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'tenant.staff_record'::regclass and contype = 'c'"
    )
    listed = [set(re.findall(r"'(\w+)'", one)) for one in kept if "kind = ANY" in one]
    assert set(staff_record.KINDS) - {"active"} in listed, (
        "the database takes other kinds than staff are told of"
    )
    open_to = here.column(
        "select rolname from pg_roles where not rolsuper and rolname not like 'pg\\_%' and rolname <> 'chatinbox_owner'"
        " and has_table_privilege(oid, 'tenant.staff_record', 'select')"
    )
    assert open_to == ["chatinbox_app"], f"records are read by {', '.join(open_to)}"
    forced = here.column(
        "select relrowsecurity and relforcerowsecurity from pg_class where oid = 'tenant.staff_record'::regclass"
    )
    assert forced == [True], "records of all accounts lie open to the program"
    policies = here.column("select count(*) from pg_policy where polrelid = 'tenant.staff_record'::regclass")
    assert policies == [1], "records have no policy of their account"
    return "A closed list of kinds, one account at a time."


async def proof_that_others_find_nothing(stage: Stage) -> str:
    """Another account's report, a colleague's without permission and a made-up one are answered alike; one's own is there; who looked is noted"""
    ada, cyd = await stage.two_businesses()
    bea: Staff = await stage.people.colleague(ada, "Bea")
    inside, colleague, outside = await stage.browser(ada), await stage.browser(bea), await stage.browser(cyd)
    of_bea, of_ada = f"/reports/person/{bea.staff_user_id}", f"/reports/person/{ada.staff_user_id}"
    assert (await inside.get(of_bea)).status_code == 200, "the owner cannot see it, so this shows nothing"
    assert (await colleague.get(of_bea)).status_code == 200, "one's own report is not shown"
    made_up = await outside.get(f"/reports/person/{new_id()}")
    foreign = await outside.get(of_bea)
    assert (foreign.status_code, foreign.content) == (made_up.status_code, made_up.content), (
        "another account can tell that it is there"
    )
    assert foreign.status_code == 404, "another account sees it"
    assert (await colleague.get(of_ada)).status_code in (403, 404), "a colleague without permission sees it"
    looked = await read_looked(stage.inst, ada, Filter(deed="report"))
    assert [(one.staff_user_id, one.subject_id) for one in looked] == [
        (ada.staff_user_id, bea.staff_user_id)
    ], "who looked at a report does not stand in the account's ledger, or somebody who saw nothing does"
    assert await read_looked(stage.inst, cyd, Filter()) == [], "another account reads who looked"
    return "Seen by its owner and by the person concerned; answered to others as one that never was."


async def saboteur_drops_the_policy(stage: Stage) -> None:
    """Opens the records of all accounts"""
    stage.break_in("alter table tenant.staff_record disable row level security")


async def saboteur_records_anything(stage: Stage) -> None:
    """Records whatever comes, keystrokes too"""
    lift(stage, "tenant.staff_record")


async def saboteur_shows_reports_to_colleagues(stage: Stage) -> None:
    """Shows everybody's report to every colleague"""

    def anything(_staff: Staff, _permission: str) -> None: ...

    stage.swap(Staff, "need", anything)


async def saboteur_forgets_who_looked(stage: Stage) -> None:
    """Shows a report without noting who looked at it"""
    stage.swap(views, "looked", lambda *_, **__: None)
