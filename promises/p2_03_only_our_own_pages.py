"""Such counts are used to see which of our pages help and to tell people about our product, and for nothing else. Visits to a business’s own pages or chat box are not ours to count."""

from typing import Any

from chatinbox.app.wiring import App
from chatinbox.conversations.channels import read_channels
from promises.stage import Stage

CLAUSES = ("C09",)


async def proof_that_a_business_is_not_counted(stage: Stage) -> str:
    """Our first page was counted; a chat box, a shop's page, the inbox, settings and the sign-in were not"""
    ada, _ = await stage.two_businesses()
    visitor, staff = await stage.browser(), await stage.browser(ada)
    key = next(one.address for one in await read_channels(stage.inst, ada.account_id) if one.kind == "chat")
    for browser, paths in (
        (staff, ("/inbox", "/settings/profile", "/api/list")),
        (
            visitor,
            (
                f"/chat/{key}/frame",
                f"/chat/{key}/box.js",
                "/sign-in",
                f"{stage.settings.files_url}/shop/{key}",
            ),
        ),
    ):
        for path in paths:
            assert (await browser.get(path)).status_code == 200, f"{path} cannot be asked for"
    assert await _counted(stage, visitor, staff) == [], "what is not a page of ours was counted"
    await visitor.get("/")
    assert await _counted(stage, visitor) == ["/"], "our own page is not counted, so the proof shows nothing"
    return "A chat box, the inbox, settings and the sign-in were asked for: none was counted; our own first page was."


async def _counted(stage: Stage, *browsers: Any) -> list[str]:
    for browser in browsers:
        await browser.app.visits.write(stage.inst.db)
    return stage.column("select route from watch.visit")


async def saboteur_counts_everything(stage: Stage) -> None:
    """Counts every request that is answered"""
    known = App._answer

    async def counting(app: App, scope: Any, receive: Any, send: Any) -> None:
        app.visits.count(scope["path"][:100], "Mozilla/5.0", "", "own.example", "10.0.0", signal=False)
        await known(app, scope, receive, send)

    stage.swap(App, "_answer", counting)
