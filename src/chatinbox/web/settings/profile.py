"""My profile: everything one is called and shown as, and what one wants to be told."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts import change_address, photo
from chatinbox.accounts.profile import Notify, change_profile, read_profile, time_zones
from chatinbox.accounts.rename import rename_self
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.throttle import Throttle
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.core.translation.language import languages
from chatinbox.web.forms import Form
from chatinbox.web.settings.page import Act, SettingsPage

letters = Throttle(6, 3600)  # letters to addresses that somebody only claims to have


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    person_id = session.staff.person_id
    return {
        "profile": await read_profile(inst, person_id),
        "waiting": await change_address.open_change(inst, person_id),
        "shown": await photo.is_shown(inst, session.staff),
        "languages": [
            ("", "As my browser asks for"),
            *((code, one.name) for code, one in languages().items()),
        ],
        "time_zones": [(name, name.replace("_", " ")) for name in time_zones()],
    }


async def _rename(inst: Installation, session: Session, form: Form) -> str:
    await rename_self(inst, session.staff, form.get("name", ""))
    return "Your name is changed."


async def _photo(inst: Installation, session: Session, form: Form) -> str:
    given = getattr(form, "files", {}).get("photo", b"")
    if not given:
        raise Refused(422, "Choose a picture first.", "photo")
    await photo.set_photo(inst, session.staff, given)
    return "Your photo is changed. Nothing but the picture itself was kept of the file."


async def _show_photo(inst: Installation, session: Session, form: Form) -> str:
    await photo.show_to_visitors(inst, session.staff, "shown" in form)
    return "Visitors may see your photo." if "shown" in form else "Only colleagues see your photo."


async def _remove_photo(inst: Installation, session: Session, _form: Form) -> str:
    await photo.remove_photo(inst, session.staff.person_id)
    return "Your photo is deleted, in every size."


async def _address(inst: Installation, session: Session, form: Form) -> str:
    letters.take(str(session.staff.person_id))
    await change_address.ask_change(inst, session.staff, form.get("email", ""))
    return "Open the link in the letter to the new address. Until then you sign in with the present one, which was told too."


async def _keep_address(inst: Installation, session: Session, _form: Form) -> str:
    await change_address.withdraw_change(inst, session.staff.person_id)
    return "Your address stays as it is."


async def _signature(inst: Installation, session: Session, form: Form) -> str:
    after = await change_profile(inst, session.staff.person_id, signature=form.get("signature", ""))
    return "Your signature is saved." if after.signature else "Your letters go without a signature."


async def _place(inst: Installation, session: Session, form: Form) -> str:
    words = {name: form.get(name, "") for name in ("language", "time_zone")}
    await change_profile(inst, session.staff.person_id, **words)
    return "Language and time zone are saved."


async def _notify(inst: Installation, session: Session, form: Form) -> str:
    notify = Notify(**{name: name in form for name in Notify.__struct_fields__})
    await change_profile(inst, session.staff.person_id, notify=notify)
    return "Your choices are saved."


PAGE = SettingsPage(
    "profile",
    "My profile",
    "you",
    _show,
    {
        "rename": Act(_rename),
        "photo": Act(_photo),
        "show-photo": Act(_show_photo),
        "remove-photo": Act(_remove_photo),
        "address": Act(_address, proof=True),
        "keep-address": Act(_keep_address),
        "signature": Act(_signature),
        "place": Act(_place),
        "notify": Act(_notify),
    },
)
