"""Opening an account asks for four things: your full name, your e-mail address, your company and a password. The network address is noted once, sealed, for the record of the account’s creation. A form with anything more is refused, and nobody else is asked about you."""

import asyncio
import contextlib
import re
import socket
from typing import Any

from chatinbox.web import forms
from chatinbox.web.entrance import sign_up
from promises.stage import PASSWORD, Stage

CLAUSES = ("C19",)
FORM = {"name": "Ada Lund", "email": "ada.lund@staff.example", "company": "Ada's Tea", "password": PASSWORD}
FIELD = re.compile(r"<input[^>]*\bname=\"?(\w+)")


async def proof_that_four_are_asked_for(stage: Stage) -> str:
    """The form has four fields; one more is refused and nothing kept; with four there is an account, one sealed address, and nobody was asked"""
    stage.swap(forms, "LATER_SECONDS", 0.0)
    browser = await stage.browser()
    page = (await browser.get("/sign-up")).text
    asked = set(FIELD.findall(page)) - {"passkey"}
    assert asked == set(FORM), f"the form asks for {', '.join(sorted(asked))}"
    more = await browser.post("/sign-up", data=FORM | {"phone": "+49 30 1234567"})
    assert more.status_code == 422, "a form with more was taken"
    assert not stage.rows("select 1 from tenant.account"), "and an account was made of it"
    asks = _listened(stage)
    assert (await browser.post("/sign-up", data=FORM)).status_code == 200
    for _ in range(200):
        if stage.rows("select 1 from tenant.account"):
            break
        await asyncio.sleep(0.02)
    kept = stage.column("select count(*) from tenant.sign_up_origin")
    assert kept == [1], f"the address was kept {kept[0]} times"
    assert not asks, f"somebody else was asked: {asks}"
    known = await browser.post("/sign-up", data=FORM | {"name": "Eve"})
    other = await browser.post("/sign-up", data=FORM | {"email": "new@staff.example"})
    assert known.content == other.content, "the answer tells whether an address is known"
    for _ in range(200):
        if len(stage.rows("select 1 from tenant.account")) > 1:
            break
        await asyncio.sleep(0.02)
    return "Four fields, one sealed address, nobody asked; a fifth field was refused."


def _listened(stage: Stage) -> list[Any]:
    """Every name that is looked up in the network from now on. Nobody is asked: a proof does not speak with strangers either."""
    asks: list[Any] = []

    def noted(*words: Any, **_: Any) -> Any:
        asks.append(words[0])
        raise socket.gaierror(socket.EAI_NONAME, "nobody is asked")

    stage.swap(socket, "getaddrinfo", noted)
    return asks


async def saboteur_takes_anything(stage: Stage) -> None:
    """Takes whatever a form brings"""
    stage.swap(sign_up, "only", lambda *_: None)


async def saboteur_asks_for_a_picture(stage: Stage) -> None:
    """Asks somebody else about the new person"""
    known = vars(sign_up)["checked"]

    def curious(name: str, email: str, company: str) -> Any:
        with contextlib.suppress(OSError):
            socket.getaddrinfo("pictures.invalid", 443)
        return known(name, email, company)

    stage.swap(sign_up, "checked", curious)


async def saboteur_tells_who_is_known(stage: Stage) -> None:
    """Says when an address is known already"""
    known = sign_up.post_sign_up

    async def telling(inst: Any, request: Any) -> Any:
        await request.body()  # kept, so that it can be read twice
        form = await forms.read_form(request)
        if stage.rows("select 1 from tenant.account") and form.get("email") == FORM["email"]:
            return forms.show(inst, request, "entrance/sign-up-closed")
        return await known(inst, request)

    sign_up.PAGES["/sign-up"] = (sign_up.get_sign_up, telling)
    stage.later(lambda: sign_up.PAGES.update({"/sign-up": (sign_up.get_sign_up, known)}))
