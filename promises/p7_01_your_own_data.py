"""As a staff user you can see, change, add and delete what we hold about you: name, e-mail, company, photo, billing details and the rest. An unpaid bill does not stand in the way."""

import io
import re
from typing import Any

from PIL import Image

from chatinbox.accounts import change_address, people, photo, profile, workspace
from chatinbox.accounts.photo import SIZES, file_id
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import read_account_name, read_staff
from chatinbox.accounts.workspace import read_workspace
from chatinbox.billing.row import read_billing
from chatinbox.channels.email.kept import list_kept
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY
from chatinbox.web.settings import PAGES, billing_page, controls
from chatinbox.web.settings import profile as page
from promises.stage import Here, Stage

CLAUSES = ("C55", "C56")


def look_each_stored_field_has_its_control(here: Here) -> str:
    """Each column about staff that this database has, and about company and bill, has its form in the settings, or the reason why none"""
    about = sorted({one.rpartition(".")[0] for one in controls.stored() if one.count(".") == 2})
    ask = "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns where table_schema || '.' || table_name = any(%s)"
    held = here.column(ask, [about])
    said = {".".join(one.split(".")[:3]) for one in (*controls.by_nobody(), *_of_controls())}
    assert held, "no field is stored at all, so this shows nothing"
    assert not (bare := sorted(set(held) - said)), f"stored, and with no control: {', '.join(bare)}"
    assert not (wrong := controls.uncontrolled()), "; ".join(wrong)
    for one in controls.CONTROLS.values():
        for by in filter(None, (one.add, one.alter, one.delete)):
            assert by.act in PAGES[by.page].acts, f"nothing on the page {by.page} does {by.act}"
    return f"{len(held)} columns, {len(controls.CONTROLS)} controls."


def _of_controls() -> list[str]:
    return [name for control in controls.CONTROLS.values() for name in control.of]


async def proof_that_each_field_is_ones_own(stage: Stage) -> str:
    """Name, signature, language, photo: each was changed, added and deleted by its owner alone, while the account was unpaid"""
    ada, cyd = await stage.two_businesses()
    await unpaid_since(stage, ada.account_id)
    browser, other = await stage.browser(ada), await stage.browser(cyd)
    for path in ("/settings/profile", "/settings/my-data"):
        assert (await browser.get(path)).status_code == 200, f"{path} does not open while a bill is unpaid"
    for act, fields in (
        ("rename", {"name": "Ada Berg"}),
        ("signature", {"signature": "Warmly"}),
        ("place", {"language": "de", "time_zone": "Europe/Berlin"}),
    ):
        answer = await browser.post("/settings/profile", data={"do": act, **fields})
        assert answer.status_code == 200, f"{act} is refused while a bill is unpaid"
    await photo.set_photo(stage.inst, ada, _picture())
    held = await read_profile(stage.inst, ada.person_id)
    assert (held.signature, held.language, held.time_zone) == ("Warmly", "de", "Europe/Berlin"), (
        "a change was not kept"
    )
    assert (await read_staff(stage.inst, ada.account_id))[0].name == "Ada Berg", "the name was not changed"
    assert held.photo_id, "the photo was not kept"
    files = [stage.inst.files.path(NOBODY, file_id(held.photo_id, size)) for size in SIZES]
    assert all(file.exists() for file in files), "a size of the photo is missing, so its end shows nothing"
    for act in ("remove-photo", "signature"):
        assert (await browser.post("/settings/profile", data={"do": act})).status_code == 200, (
            f"{act} is refused"
        )
    gone = {"do": "place", "language": "", "time_zone": "UTC"}
    assert (await browser.post("/settings/profile", data=gone)).status_code == 200, (
        "a language stays for ever"
    )
    after = await read_profile(stage.inst, ada.person_id)
    assert not (after.photo_id or after.signature or after.language), "what was deleted is still there"
    assert not [file for file in files if file.exists()], "a size of the photo is still on the disk"
    assert "Ada Berg" not in (await other.get("/settings/people")).text, "another account sees it"
    return (
        f"Four fields, in {len(SIZES)} sizes of the photo, changed and deleted while the account was unpaid."
    )


async def proof_that_an_address_is_changed_by_both_its_letters(stage: Stage) -> str:
    """E-mail: while the account was unpaid, it became another by a letter to the new address, and the letter to the old one could stop it"""
    ada, _ = await stage.two_businesses()
    await unpaid_since(stage, ada.account_id)
    browser, stranger = await stage.browser(ada), await stage.browser()
    old, new = (await people.read_person(stage.inst, ada.person_id)).email, "ada.berg@mail.example"
    asked = await browser.post("/settings/profile", data={"do": "address", "email": new})
    assert asked.status_code == 200, "a new address is refused while a bill is unpaid"
    links = {
        letter.header("to"): found.group()
        for letter in await list_kept(stage.inst, ada)
        if (found := re.search(r"/address/[\w-]+", letter.text))
    }
    assert {old, new} <= set(links), "an address was not told"
    for address, then in ((new, new), (old, old)):
        before = (await people.read_person(stage.inst, ada.person_id)).email
        await stranger.get(links[address])
        assert (await people.read_person(stage.inst, ada.person_id)).email == before, "looking changed it"
        await stranger.post(links[address])
        after = (await people.read_person(stage.inst, ada.person_id)).email
        assert after == then, f"the letter to {'the new' if then == new else 'the old'} address does nothing"
    return "Two letters: the new address confirmed, the old one took it back."


async def proof_that_company_and_bill_are_ones_own(stage: Stage) -> str:
    """Company and billing details: each was changed and deleted while the account was unpaid, and another account's stayed as they were"""
    ada, cyd = await stage.two_businesses()
    paying: dict[str, Any] = {"stripe_secret_key": "sk_of_a_stage"}
    browser, other = await stage.browser(ada, **paying), await stage.browser(cyd, **paying)
    theirs = {"do": "details", "country": "FR", "vat_id": "FR12345678901"}
    assert (await other.post("/settings/billing", data=theirs)).status_code == 200, "a VAT id is refused"
    await unpaid_since(stage, ada.account_id)
    who = {"legal_name": "Ada Berg", "postal_address": "1 Hill Road", "email": "ask@mail.example"}
    gets = {"email": "books@mail.example", "addressee_name": "Dana Voss"}
    bill = {"country": "DE", "vat_id": "DE123456789"}
    for where, act, fields in (
        ("workspace", "name", {"company": "Berg's Tea"}),
        ("workspace", "identity", who),
        ("workspace", "privacy", who),
        ("billing", "details", bill),
        ("billing", "addressee", gets),
    ):
        answer = await browser.post(f"/settings/{where}", data={"do": act, **fields})
        assert answer.status_code == 200, f"{where}, {act}: refused while a bill is unpaid"
    assert await read_account_name(stage.inst, ada.account_id) == "Berg's Tea", (
        "the company's name was not kept"
    )
    kept, held = (
        await read_workspace(stage.inst, ada.account_id),
        await read_billing(stage.inst, ada.account_id),
    )
    assert (kept.legal_name, kept.privacy_address) == ("Ada Berg", "ask@mail.example"), (
        "a change was not kept"
    )
    assert (held.country, held.vat_id) == ("DE", "DE123456789"), "a billing detail was not kept"
    assert held.addressee and held.addressee.name == "Dana Voss", "whom bills go to was not kept"
    for where, act in (("workspace", "identity"), ("workspace", "privacy"), ("billing", "forget")):
        answer = await browser.post(f"/settings/{where}", data={"do": act})
        assert answer.status_code == 200, f"{where}, {act}: nothing is deleted while a bill is unpaid"
    kept, held = (
        await read_workspace(stage.inst, ada.account_id),
        await read_billing(stage.inst, ada.account_id),
    )
    assert not (kept.legal_name or kept.postal_address or kept.privacy_address), (
        "what was deleted is still there"
    )
    assert not (held.country or held.vat_id or held.addressee), (
        "a billing detail that was deleted is still there"
    )
    assert (await read_billing(stage.inst, cyd.account_id)).vat_id == "FR12345678901", (
        "another account's is gone"
    )
    return "The company's name, three words about it, country, VAT id and whom bills go to, changed and deleted while the account was unpaid."


async def unpaid_since(stage: Stage, account_id: Any) -> None:
    """Makes an account one that can only be read."""
    stage.above.execute("update tenant.account set unpaid_at = %s where account_id = %s", [now(), account_id])


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(out, "JPEG")
    return out.getvalue()


async def saboteur_stores_a_field_without_a_control(stage: Stage) -> None:
    """Begins to store something about people that no page changes or deletes"""
    stage.break_in("alter table directory.person add column shoe_size_sealed bytea")


async def saboteur_wants_the_bill_paid(stage: Stage) -> None:
    """Refuses changes while a bill is unpaid"""

    async def refused(*_: Any, **__: Any) -> None:
        raise Refused(409, "Pay your bill first.", "unpaid")

    stage.swap(page, "change_profile", refused)


async def saboteur_leaves_a_size(stage: Stage) -> None:
    """Forgets the smallest size of a photo"""
    known = type(stage.inst.files).remove
    left = min(SIZES)

    async def forgetful(files: Any, account_id: Any, one: Any) -> None:
        held = stage.column("select photo_id from tenant.staff_user where photo_id is not null")
        if any(one == file_id(photo_id, left) for photo_id in held + _seen):
            return
        await known(files, account_id, one)

    _seen: list[Any] = []
    put = photo.set_photo

    async def noted(inst: Any, by: Any, given: bytes) -> Any:
        done = await put(inst, by, given)
        _seen.extend(stage.column("select photo_id from tenant.staff_user where photo_id is not null"))
        return done

    stage.swap(photo, "set_photo", noted)
    stage.swap(type(stage.inst.files), "remove", forgetful)


async def saboteur_keeps_the_signature(stage: Stage) -> None:
    """Keeps a signature that was deleted"""
    known = profile.change_profile

    async def keeping(inst: Any, person_id: Any, **changes: Any) -> Any:
        return await known(inst, person_id, **{name: value for name, value in changes.items() if value})

    stage.swap(page, "change_profile", keeping)


async def saboteur_keeps_the_company_until_the_bill_is_paid(stage: Stage) -> None:
    """Refuses another name of the company while a bill is unpaid"""

    async def refused(*_: Any) -> None:
        raise Refused(402, "Pay your bill first.", "unpaid")

    stage.swap(workspace, "rename_account", refused)


async def saboteur_tells_the_old_address_nothing(stage: Stage) -> None:
    """Changes an address without a letter to the one before"""

    async def silent(*_: Any) -> None: ...

    stage.swap(change_address, "_tell_old", silent)


async def saboteur_keeps_the_vat_id(stage: Stage) -> None:
    """Says that billing details are deleted, and keeps them"""

    async def keeping(*_: Any) -> None: ...

    stage.swap(billing_page, "forget", keeping)
