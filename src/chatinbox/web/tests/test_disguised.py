"""Staff see an address that looks like another for what it is, wherever it is shown; who else has it is nobody's to see."""

from collections.abc import Callable
from typing import Any

from chatinbox.accounts import invite
from chatinbox.accounts.add_staff import add_staff
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import PASSWORD, Browser, Say
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Sender
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.web.tests.test_api import of

FALSE, TRUE = "casey@аррӏе.example", "casey@apple.example"
SHOWN = "casey@xn--80ak6aa92e.example (“аррӏе” is in Cyrillic letters)"


async def letter(say: Say, staff: Staff, email: str) -> Any:
    body = Body(text="Please pay to this account", from_address=email, to=[email], cc=[email])
    return await say(staff, body=body, sender=Sender(email, "Casey Customer"))


async def test_a_letter_and_its_customer_say_in_which_letters_an_address_is(
    client: Browser, new_browser: Callable[[], Browser], say: Say, ada: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    for email, expected in ((TRUE, TRUE), (FALSE, SHOWN), ("casey@xn--80ak6aa92e.example", SHOWN)):
        got = await letter(say, ada, email)
        opened = await of(client, got.conversation_id)
        entry = next(one for one in opened["entries"] if one["id"] == str(got.message_id))
        assert (entry["from_address"], entry["to"], entry["cc"]) == (expected, [expected], [expected])
        assert entry["disguised"] is (expected == SHOWN)
        assert [one["value"] for one in opened["customer"]["addresses"]] == [expected]
        stranger = await (await new_browser().as_(cyd)).get(f"/api/conversations/{got.conversation_id}")
        assert stranger.status_code == 404 and "apple" not in stranger.text


async def test_both_are_two_customers_and_what_is_kept_is_the_address_as_it_came(
    inst: Installation, say: Say, ada: Staff
) -> None:
    false, true, again = [await letter(say, ada, one) for one in (FALSE, TRUE, FALSE)]
    assert false.customer_id == again.customer_id != true.customer_id
    key = await inst.vault.customer_key(ada.account_id, false.customer_id)
    ask = "select id, value_sealed from address where account_id = %s and customer_id = %s"
    [[(row_id, sealed)]] = await inst.db.run(ada.account_id, (ask, [ada.account_id, false.customer_id]))
    assert key.open_text(sealed, ada.account_id, "address", "value", row_id) == FALSE


async def test_settings_show_colleagues_and_whoever_is_invited_so(
    inst: Installation, client: Browser, new_browser: Callable[[], Browser], ada: Staff, cyd: Staff
) -> None:
    mark = new_id().hex[-8:]
    await add_staff(inst, ada.account_id, "Eva", f"{mark}@аррӏе.example", "staff", PASSWORD)
    await invite.invite(inst, ada, f"i{mark}@pаypal.example", "staff")
    for page, expected in (
        ("people", f"{mark}@xn--80ak6aa92e.example (“аррӏе” is in Cyrillic letters)"),
        ("people", f"i{mark}@xn--pypal-4ve.example (“pаypal” is in Cyrillic and Latin letters)"),
        ("sign-in-rules", f"{mark}@xn--80ak6aa92e.example (“аррӏе” is in Cyrillic letters)"),
    ):
        assert expected in (await (await client.as_(ada)).get(f"/settings/{page}")).text
        assert mark not in (await (await new_browser().as_(cyd)).get(f"/settings/{page}")).text
