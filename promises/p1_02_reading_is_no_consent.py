"""Reading our pages is not consent to anything. An acceptance is stored only when somebody opens an account or takes up an invitation, together with the versions in force at that moment."""

from typing import Any

from chatinbox.accounts import agreements, documents
from chatinbox.app import wiring
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.web.site import LEGAL
from promises.means import change_each_page, set_a_cookie
from promises.stage import Stage

CLAUSES = ("C02",)
PAGES = sorted(
    {path for room in LEGAL for path in room.PAGES if "{" not in path} | {"/", "/sign-up", "/pricing"}
)


async def proof_that_looking_stores_nothing(stage: Stage) -> str:
    """Every public page was read: no row, no cookie; opening an account stored one acceptance"""
    visitor = await stage.browser()
    before = stage.contents()
    for path in PAGES:
        answer = await visitor.get(path)
        assert answer.status_code == 200, f"{path} cannot be read"
        assert "set-cookie" not in answer.headers, f"{path} sets a cookie"
    changed = [name for name, rows in stage.contents().items() if rows != before[name]]
    assert not changed, f"reading pages wrote into {', '.join(changed)}"
    ada, _ = await stage.two_businesses()
    [one] = await agreements.read_acceptances(stage.inst, ada.account_id)
    assert one.privacy == documents.in_force("privacy", now()).seal, (
        "another version was accepted than the one in force"
    )
    return f"{len(PAGES)} public pages were read without a row or a cookie."


async def saboteur_takes_a_visit_for_consent(stage: Stage) -> None:
    """Stores an acceptance when a page is looked at"""
    ada = await stage.people.owner("Eve", "Eve's Eggs")

    class Counting:
        def __init__(self, *_: Any) -> None: ...

        def count(self, *_: Any, **__: Any) -> None:
            stage.above.execute(
                "insert into tenant.acceptance select account_id, %s, staff_user_id, terms_seal, %s, at"
                " from tenant.acceptance where account_id = %s limit 1",
                [new_id(), str(new_id()), ada.account_id],
            )

    stage.swap(wiring, "Visits", Counting)


async def saboteur_sets_a_cookie(stage: Stage) -> None:
    """Gives every visitor a cookie"""
    change_each_page(stage, set_a_cookie)
