"""Each entry has one purpose and can be refused alone. There is no wall and no banner."""

import re
from pathlib import Path

from chatinbox.app.wiring import App
from chatinbox.privacy import storage
from chatinbox.web.site import frame
from promises.stage import Here, Stage

CLAUSES = ("C31",)
ROOT = Path(__file__).resolve().parents[1]
WALL = re.compile(r"cookie-?(banner|wall|consent)|accept (all )?cookies", re.IGNORECASE)


def look_at_purposes(_here: Here) -> str:
    """Each entry has a purpose of its own, and no template is a banner"""
    told = [(one.purpose, one.name.removeprefix("__Host-")) for one in storage.read()]
    purposes = {purpose: {name for other, name in told if other == purpose} for purpose, _ in told}
    shared = [names for names in purposes.values() if len(names) > 1]
    assert not shared, f"one purpose for several: {shared}"
    several = [one.name for one in storage.read() if one.kind == "cookie" and " and " in one.purpose]
    assert not several, f"several purposes in one: {', '.join(several)}"
    walls = [page.name for page in (ROOT / "ui" / "html").rglob("*.html") if WALL.search(page.read_text())]
    assert not walls, f"a banner or a wall: {', '.join(walls)}"
    return f"{len(purposes)} purposes for {len({name for _, name in told})} entries; no banner."


async def proof_that_the_rest_works(stage: Stage) -> str:
    """Without the sign-in's cookie everything public works; with it alone the inbox does"""
    ada = await stage.people.owner("Ada", "Ada's Tea")
    visitor, staff = await stage.browser(), await stage.browser(ada)
    for path in sorted(frame.menu.paths()):
        answer = await visitor.get(path)
        assert answer.status_code == 200 and not visitor.cookies, f"{path} wants a cookie"
    assert list(staff.cookies) == ["session"], "the inbox needs another cookie"
    assert (await staff.get("/inbox")).status_code == 200, (
        "with the sign-in's cookie alone the inbox does not open"
    )
    assert (await staff.get("/api/list")).status_code == 200, (
        "with the sign-in's cookie alone nothing is listed"
    )
    return "Public pages need none; the inbox needs the sign-in's cookie and no other."


async def saboteur_puts_two_purposes_into_one(stage: Stage) -> None:
    """Uses the sign-in's cookie for something else, too"""
    known = storage.read()
    one = known[0]
    mixed = storage.Entry(
        one.name,
        one.kind,
        one.where,
        f"{one.purpose} and counts your visits",
        one.lifetime,
        one.when,
        one.seconds,
    )
    stage.swap(storage, "read", lambda: (mixed, *known[1:]))


async def saboteur_wants_a_second_cookie(stage: Stage) -> None:
    """Opens the inbox only to who brings a second cookie"""
    known = App._answer

    async def strict(app: App, scope: dict[str, object], receive: object, send: object) -> None:
        cookies = dict(scope["headers"]).get(b"cookie", b"")  # type: ignore[call-overload]
        if scope["path"] == "/inbox" and b"choice=" not in cookies:
            scope = scope | {"path": "/no-such-page"}
        await known(app, scope, receive, send)  # type: ignore[arg-type]

    stage.swap(App, "_answer", strict)
