"""How often a provider is asked for the keys by which its logout tokens are checked, whatever comes in."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from oidc_provider_mock import run_server_in_thread

from chatinbox.accounts.sso import oidc_logout
from chatinbox.accounts.sso.connection import place
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.app.wiring import App
from chatinbox.conftest import Browser
from chatinbox.core import clock
from chatinbox.core.installation import Installation
from chatinbox.privacy.left.read import read_ledger
from chatinbox.web.entrance import company_out
from chatinbox.web.tests.oidc import Idp, idp, key_of, same, says, storage_of, token, with_eva
from chatinbox.web.tests.test_sso import another, browser, come, is_in, near, near_app, patient, with_company

__all__ = ["browser", "idp", "near", "near_app", "patient"]


async def test_however_many_tokens_come_the_provider_is_asked_for_its_keys_once(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser
) -> None:
    await with_company(near, idp, ada)
    fake = RSAKey.generate_key(2048)
    for n in range(4):
        await says(browser, ada, token(idp, sid=f"s{n}"))
        await says(browser, ada, token(idp, fake, sid=f"s{n}"))
    asked = [one.instruction for one in await read_ledger(near, ada)]
    assert asked.count("keys of the provider") == 1
    assert await read_ledger(near, cyd) == [] or "keys" not in str(await read_ledger(near, cyd))


async def test_keys_that_a_provider_changed_are_asked_for_again(
    near: Installation, ada: Staff, cyd: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_server_in_thread() as server:
        storage = storage_of(server)
        one = Idp(f"http://localhost:{server.server_port}", key_of(storage))
        await come(browser, one, await with_eva(near, one, ada), sid="s1")
        await come(outsider := another(browser), one, await with_eva(near, one, cyd), sid="s1")
        assert (await says(browser, ada, token(one, sid="s9"))).status_code == 200
        storage.jwk = type(storage.jwk).generate_key(is_private=True)
        one.key = key_of(storage)
        assert (
            await says(browser, ada, token(one, sid="s1"))
        ).status_code == 400  # it was asked this very moment
        monkeypatch.setattr(oidc_logout, "_SOONEST", 0.0)
        assert (await says(browser, ada, token(one, sid="s1"))).status_code == 200 and not await is_in(
            browser
        )
        assert await is_in(outsider), "whose session there is called the same"


async def test_each_time_keys_are_asked_for_in_vain_the_next_is_twice_as_far_and_a_day_has_one_row(
    near: Installation, idp: Idp, ada: Staff, cyd: Staff, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_company(near, idp, ada)
    fake, asked, read_keys = RSAKey.generate_key(2048), [0.0], oidc_logout.read_keys
    clock_there = SimpleNamespace(moment=100_000.0)
    monkeypatch.setattr(oidc_logout, "time", SimpleNamespace(monotonic=lambda: clock_there.moment))

    async def counted(*words: Any, **more: Any) -> Any:
        asked.append(clock_there.moment)
        return await read_keys(*words, **more)

    monkeypatch.setattr(oidc_logout, "read_keys", counted)

    async def nonsense() -> int:
        before = len(asked)
        assert (await says(browser, ada, token(idp, fake, sid="s1"))).status_code == 400
        return len(asked) - before

    assert (await says(browser, ada, token(idp, sid="s9"))).status_code == 200
    pauses = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    for pause in pauses:
        clock_there.moment += pause - 1
        assert await nonsense() == 0, pause
        clock_there.moment += 1
        assert await nonsense() == 1 and await nonsense() == 0, pause
    # One that holds has fresh keys asked for, and the pause is short again.
    clock_there.moment += 60
    assert (await says(browser, ada, token(idp, sid="s9"))).status_code == 200
    assert asked[-1] == clock_there.moment
    clock_there.moment += 5
    assert await nonsense() == 1

    async def rows(by: Staff) -> list[str]:
        return [
            one.outcome for one in await read_ledger(near, by) if one.instruction == "keys of the provider"
        ]

    assert len(asked) > len(pauses) and await rows(ada) == ["taken"] and await rows(cyd) == []
    with clock.travel(timedelta(days=1)):
        clock_there.moment += 3600
        assert await nonsense() == 1
    assert await rows(ada) == ["taken", "taken"] and await rows(cyd) == []


async def test_tokens_from_one_place_have_keys_asked_for_so_often_only_and_are_answered_alike(
    near: Installation,
    idp: Idp,
    ada: Staff,
    cyd: Staff,
    browser: Browser,
    near_app: App,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await with_company(near, idp, ada)
    await with_company(near, idp, cyd)
    monkeypatch.setattr(company_out, "asking", Throttle(1, 600))
    monkeypatch.setattr(oidc_logout, "_SOONEST", 0.0)
    fake, asked, read_keys = RSAKey.generate_key(2048), [], oidc_logout.read_keys

    async def counted(inst: Any, account_id: Any, *words: Any, **more: Any) -> Any:
        asked.append(account_id)
        return await read_keys(inst, account_id, *words, **more)

    monkeypatch.setattr(oidc_logout, "read_keys", counted)
    for whose in (ada, cyd):
        assert (await says(browser, whose, token(idp, sid="s9"))).status_code == 200
    assert asked == [ada.account_id, cyd.account_id]
    answers = [same(await says(browser, whose, token(idp, fake, sid="s1"))) for whose in (ada, ada, cyd)]
    assert asked[2:] == [ada.account_id]
    assert answers[0] == answers[1] == answers[2] and answers[0][0] == 400
    # What holds is heard from there all the same, and elsewhere counts for itself.
    assert (await says(browser, ada, token(idp, sid="s9"))).status_code == 200
    elsewhere = httpx.ASGITransport(near_app, client=("203.0.113.9", 4000))
    door = place(near, cyd.account_id, "backchannel-logout")
    async with httpx.AsyncClient(transport=elsewhere, base_url=near.settings.public_url) as there:
        assert (await there.post(door, data={"logout_token": token(idp, fake, sid="s1")})).status_code == 400
    assert asked[3:] == [cyd.account_id]
