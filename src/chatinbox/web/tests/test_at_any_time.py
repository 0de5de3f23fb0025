"""Whatever stands with the account, unpaid for long or closed: what is about somebody is changed, taken along and deleted by them."""

import io
import zipfile
from collections.abc import Callable

import pytest

from chatinbox.accounts import leave, people, sessions, sign_in
from chatinbox.accounts.profile import Notify, read_profile
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.unpaid import set_unpaid
from chatinbox.accounts.workspace import read_workspace
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.web.tests.test_closing import close
from chatinbox.web.tests.test_my_profile import do, fresh, links_in_letters

NewBrowser = Callable[[], Browser]
either = pytest.mark.parametrize("stands", ["unpaid", "closed"])


async def make(inst: Installation, ada: Staff, stands: str) -> None:
    """Has the account stand so."""
    await (set_unpaid(inst, ada.account_id) if stands == "unpaid" else close(inst, ada))
    sessions.look_again(ada.account_id)


@either
async def test_a_new_address_is_confirmed_by_both_letters(
    inst: Installation, patient: None, client: Browser, new_browser: NewBrowser, ada: Staff, stands: str
) -> None:
    await make(inst, ada, stands)
    await client.as_(ada)
    old, new = (await people.read_person(inst, ada.person_id)).email, fresh()
    assert "Open the link" in await do(client, "address", email=new)
    links, stranger = await links_in_letters(inst, ada), new_browser()
    assert {old, new} <= set(links)
    assert (await people.read_person(inst, ada.person_id)).email == old
    assert "is changed" in (await stranger.post(links[new])).text
    assert await sign_in.sign_in(inst, new, PASSWORD, "tests")
    assert "stays" in (await stranger.post(links[old])).text
    assert await sign_in.sign_in(inst, old, PASSWORD, "tests")


@either
async def test_what_one_is_told_is_chosen_and_a_change_of_address_taken_back(
    inst: Installation, patient: None, client: Browser, ada: Staff, bea: Staff, stands: str
) -> None:
    await make(inst, ada, stands)
    await client.as_(bea)
    for chosen in ({"answered": "on"}, {}, {"assigned": "on", "answered": "on"}):
        assert "choices are saved" in await do(client, "notify", **chosen)
        kept = (await read_profile(inst, bea.person_id)).notify
        assert kept == Notify(assigned="assigned" in chosen, answered="answered" in chosen)
    await do(client, "address", email=fresh())
    assert "stays as it is" in await do(client, "keep-address")


@either
async def test_what_is_about_oneself_is_taken_along_and_the_sign_in_deleted(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, stands: str
) -> None:
    await make(inst, ada, stands)
    await client.as_(bea)
    email = (await people.read_person(inst, bea.person_id)).email
    mine = await client.post("/settings/my-data", data={"do": "download"})
    assert email in zipfile.ZipFile(io.BytesIO(mine.content)).read("data.json").decode()
    gone = await client.post("/settings/my-data", data={"do": "delete", "typed": leave.TYPED})
    assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in")
    with pytest.raises(Erased):
        await inst.vault.person_key(bea.person_id)
    with pytest.raises(Refused):
        await sign_in.sign_in(inst, email, PASSWORD, "tests")


@either
async def test_the_last_owner_hands_over_and_deletes_theirs_too(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, stands: str
) -> None:
    await make(inst, ada, stands)
    await client.as_(ada)
    words = {"do": "hand-over", "id": str(bea.staff_user_id), "stays": "admin"}
    assert (await client.post("/settings/people", data=words)).status_code == 200
    gone = await client.post("/settings/my-data", data={"do": "delete", "typed": leave.TYPED})
    assert gone.headers["location"] == "/sign-in"
    with pytest.raises(Erased):
        await inst.vault.person_key(ada.person_id)


async def test_while_unpaid_the_company_is_renamed_and_what_is_said_of_it_deleted_and_no_more(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    said = {"legal_name": "Ada Lund, sole trader", "postal_address": "1 Home Road", "in_letters": "on"}
    await do(client, "identity", "workspace", **said)
    await do(client, "privacy", "workspace", email="ada@mail.example")
    await make(inst, ada, "unpaid")
    before = await read_workspace(inst, ada.account_id)
    assert "name is saved" in await do(client, "name", "workspace", company="Lund's Tea")
    assert await read_account_name(inst, ada.account_id) == "Lund's Tea"
    assert 'role="status"' in await do(client, "identity", "workspace", legal_name="Lund Tea AS")
    assert (await read_workspace(inst, ada.account_id)).legal_name == "Lund Tea AS"
    for act in ("identity", "privacy"):
        assert 'role="status"' in await do(client, act, "workspace")
    after = await read_workspace(inst, ada.account_id)
    assert (after.legal_name, after.postal_address, after.privacy_address) == ("", "", "")
    for act, words in (("answering", {"answers_in": "Norsk"}), ("languages", {"language-german": "on"})):
        assert "can only be read" in await do(client, act, "workspace", **words)
    assert (await read_workspace(inst, ada.account_id)).answers_in == before.answers_in
    await client.as_(bea)
    assert (await client.post("/settings/workspace", data={"do": "name", "company": "B"})).status_code == 403
    assert await read_account_name(inst, cyd.account_id) == "Cyd's Coffee"


async def test_a_closed_account_keeps_its_name_until_it_is_opened_again(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await make(inst, ada, "closed")
    await client.as_(ada)
    for act in ("name", "identity", "privacy"):
        told = await client.post("/settings/workspace", data={"do": act, "company": "Other"})
        assert told.status_code == 409 and "This account is closed" in told.text
    assert "everything is as it was" in await do(client, "undo", "closing")
    assert "name is saved" in await do(client, "name", "workspace", company="Other")
