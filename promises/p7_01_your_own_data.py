"""As a staff user you can see, change, add and delete what we hold about you: name, e-mail, company, photo, billing details and the rest. An unpaid bill does not stand in the way."""

import io
from typing import Any

from PIL import Image

from chatinbox.accounts import photo, profile
from chatinbox.accounts.photo import SIZES, file_id
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import read_staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY
from chatinbox.web.settings import profile as page
from promises.stage import Stage

CLAUSES = ("C55", "C56")


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


async def unpaid_since(stage: Stage, account_id: Any) -> None:
    """Makes an account one that can only be read."""
    stage.above.execute("update tenant.account set unpaid_at = %s where account_id = %s", [now(), account_id])


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(out, "JPEG")
    return out.getvalue()


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
