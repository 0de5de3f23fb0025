"""Set-up: the link with which the first owner of an empty installation begins; no mail is needed."""

from chatinbox.accounts.links import gone, look, make_link, use_setup
from chatinbox.accounts.passwords import check_strength
from chatinbox.accounts.sign_up import SignedUp, checked, sign_up
from chatinbox.core.installation import Installation


async def setup_link(inst: Installation) -> str | None:
    """A fresh set-up address while nobody has signed up here; None afterwards."""
    if not await _is_empty(inst):
        return None
    return f"{inst.settings.public_url}/setup/{await make_link(inst, 'setup')}"


async def look_setup(inst: Installation, token: str) -> None:
    """Raises when a set-up link is no longer good."""
    await look(inst, "setup", token)
    if not await _is_empty(inst):
        raise gone()


async def set_up(
    inst: Installation,
    token: str,
    name: str,
    email: str,
    company: str,
    password: str,
    origin: str | None = None,
) -> SignedUp:
    """Makes the first owner with a set-up link. What cannot be kept is said before the link is used up."""
    await look_setup(inst, token)
    check_strength(password, *checked(name, email, company))
    await use_setup(inst, token)
    made = await sign_up(inst, name, email, company, password, confirmed=True, origin=origin)
    assert made
    return made


async def _is_empty(inst: Installation) -> bool:
    [[empty]] = await inst.db.directory("select directory.is_empty()")
    return bool(empty)
