"""An invited colleague gives the same few things. The invitation ends by itself, can be withdrawn, and works once."""

import re
from datetime import timedelta
from typing import Any

from chatinbox.accounts import invite, links
from chatinbox.accounts.staff import Staff
from chatinbox.core import clock
from chatinbox.web.entrance import invitation
from promises.stage import PASSWORD, Browser, Stage

CLAUSES = ("C21",)
FIELD = re.compile(r"<input[^>]*\bname=\"?(\w+)")
ASKED = {"name", "password"}


async def proof_that_it_ends(stage: Stage) -> str:
    """Used, withdrawn, declined or three days old, an invitation is answered like one that never was, and its address is gone"""
    ada, _ = await stage.two_businesses()
    browser = await stage.browser()
    asked = set(
        FIELD.findall((await browser.get(f"/invitation/{await _invited(stage, ada, 'dora')}")).text)
    ) - {"do"}
    assert asked == ASKED, f"it asks for {', '.join(sorted(asked))}"
    never = await _told(browser, "B" * 43)
    for how in (_use, _withdraw, _decline, _grow_old):
        token = await _invited(stage, ada, how.__name__)
        assert (await _told(browser, token))[0] == 200, (
            "an open invitation cannot be used, so this shows nothing"
        )
        await how(stage, ada, browser, token)
        assert await _told(browser, token) == never, (
            f"{how.__name__.strip('_').replace('_', ' ')}: it can be told from one that never was"
        )
        left = [one.email for one in await invite.list_invitations(stage.inst, ada)]
        assert not [one for one in left if one.startswith(how.__name__.strip("_"))], (
            "an address was kept after its invitation ended"
        )
    return "Four invitations ended in four ways; each was answered like one that never was."


async def _invited(stage: Stage, by: Staff, name: str) -> str:
    return (await invite.invite(stage.inst, by, f"{name.strip('_')}@staff.example", "staff")).rpartition("/")[
        2
    ]


async def _told(browser: Browser, token: str) -> tuple[int, bytes]:
    answer = await browser.get(f"/invitation/{token}")
    return answer.status_code, answer.content


async def _use(stage: Stage, _by: Staff, _browser: Browser, token: str) -> None:
    await invite.accept(stage.inst, token, "Dora Lind", PASSWORD)


async def _withdraw(stage: Stage, by: Staff, _browser: Browser, _token: str) -> None:
    [one] = [one for one in await invite.list_invitations(stage.inst, by) if one.email.startswith("withdraw")]
    await invite.withdraw(stage.inst, by, one.id)


async def _decline(_stage: Stage, _by: Staff, browser: Browser, token: str) -> None:
    await browser.post(f"/invitation/{token}", data={"do": "decline"})


async def _grow_old(stage: Stage, by: Staff, browser: Browser, token: str) -> None:
    with clock.travel(timedelta(hours=72, minutes=1)):
        assert (await _told(browser, token))[0] != 200, "after three days it still works"
        await links.forget(stage.inst)


async def saboteur_never_ends_it(stage: Stage) -> None:
    """Makes invitations that are good for ten years"""
    stage.swap(links, "GOOD_FOR", {**links.GOOD_FOR, "invitation": timedelta(days=3650)})


async def saboteur_lets_it_be_used_again(stage: Stage) -> None:
    """Lets an invitation be used again"""

    async def again(_inst: Any, _token: str) -> None: ...

    stage.swap(invite, "take_invitation", again)


async def saboteur_asks_for_more(stage: Stage) -> None:
    """Asks the invited for a telephone number, too"""
    known = vars(invitation)["show"]

    def more(*given: Any, **words: Any) -> Any:
        answer = known(*given, **words)
        answer.body = bytes(answer.body).replace(b"</form>", b'<input name="phone"></form>')
        answer.headers["content-length"] = str(len(answer.body))
        return answer

    stage.swap(invitation, "show", more)
