"""Single sign-on: the company's provider, its domains, and who may come in by it."""

from typing import Any

from starlette.requests import Request

from chatinbox.accounts.sessions import Session
from chatinbox.accounts.sso import connection, domains, oidc, our_key, saml, saml_metadata, scim_token
from chatinbox.accounts.throttle import Throttle
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.web.forms import Form, which
from chatinbox.web.settings.page import Act, SettingsPage

letters = Throttle(20, 3600)  # what one account may have sent to postmasters


async def _show(inst: Installation, session: Session, _request: Request) -> dict[str, Any]:
    account_id = session.staff.account_id
    return {
        "connection": await connection.read_connection(inst, account_id),
        "domains": await domains.read_domains(inst, account_id),
        "back_url": connection.place(inst, account_id, "back"),
        "scim_url": f"{inst.settings.public_url}/scim/v2",
        "scim_since": await scim_token.token_since(inst, session.staff),
        "saml_url": connection.place(inst, account_id, "saml"),
        "signed_out_url": connection.place(inst, account_id, "signed-out"),
        "backchannel_url": connection.place(inst, account_id, "backchannel-logout"),
        "logout_url": connection.place(inst, account_id, "logout"),
        "metadata_url": connection.place(inst, account_id, "metadata"),
    }


async def _oidc(inst: Installation, session: Session, form: Form) -> str:
    words = [form.get(name, "") for name in ("issuer", "client_id", "secret")]
    provider = await oidc.discover(inst, session.staff, *words)
    await connection.connect(inst, session.staff, "oidc", provider)
    return "The provider answered and is connected. Try it in a private window before you rely on it."


async def _saml(inst: Installation, session: Session, form: Form) -> str:
    words = [form.get(name, "") for name in ("entity_id", "sign_in_url", "certificate")]
    await connection.connect(inst, session.staff, "saml", saml.checked_provider(inst, *words))
    return "The provider is connected. Try it in a private window before you rely on it."


async def _saml_metadata(inst: Installation, session: Session, form: Form) -> str:
    provider = saml_metadata.theirs(inst, form.get("their_metadata", ""))
    await connection.connect(inst, session.staff, "saml", provider)
    return "The provider is connected. Try it in a private window before you rely on it."


async def _ways(inst: Installation, session: Session, form: Form) -> str:
    logout_url = saml.checked_logout(inst, form.get("logout_url", ""))
    await connection.change_ways(inst, session.staff, logout_url, "signs" in form, "ends_there" in form)
    return "This is how we speak with your provider from now on. Hand our metadata to it again."


async def _ends_there(inst: Installation, session: Session, form: Form) -> str:
    connected = await connection.read_connection(inst, session.staff.account_id)
    if connected is None or connected.kind != "oidc":
        raise not_found()
    url, ends_there = "", "ends_there" in form
    if ends_there:
        url = await oidc.find_logout(inst, session.staff, connected.provider)
    await connection.change_ways(inst, session.staff, url, signs=False, ends_there=ends_there)
    return (
        "Who signs out here is signed out there too."
        if ends_there
        else "Who signs out here stays signed in there."
    )


async def _disconnect(inst: Installation, session: Session, _form: Form) -> str:
    await connection.disconnect(inst, session.staff)
    return "The connection has ended, and its secret is forgotten here."


async def _new_key(inst: Installation, session: Session, _form: Form) -> str:
    await our_key.renew(inst, session.staff)
    return "There is a new key. Hand our metadata to your provider again; what it encrypts for the old one opens nothing."


async def _rules(inst: Installation, session: Session, form: Form) -> str:
    role = next((one for one in connection.JOIN if one == form.get("join_role")), None)
    await connection.set_rules(inst, session.staff, role, form.get("compulsory") == "yes")
    return "This is how people come in from now on."


async def _claim(inst: Installation, session: Session, form: Form) -> str:
    letters.take(str(session.staff.account_id))
    to = await domains.claim(inst, session.staff, form.get("domain", ""))
    return (
        f"A letter is on its way to {to}. The domain counts as soon as its link was opened and said yes to."
    )


async def _let_go(inst: Installation, session: Session, form: Form) -> str:
    await domains.let_go(inst, session.staff, which(form))
    return "The domain is no longer listed here."


async def _scim(inst: Installation, session: Session, _form: Form) -> str:
    token = await scim_token.make_token(inst, session.staff)
    return f"Copy this token to your provider now; it is not shown again: {token}"


async def _end_scim(inst: Installation, session: Session, _form: Form) -> str:
    await scim_token.end_token(inst, session.staff)
    return "The token has ended. Your provider can change nothing here any more."


PAGE = SettingsPage(
    "single-sign-on",
    "Single sign-on",
    "people",
    _show,
    {
        "oidc": Act(_oidc, proof=True),
        "saml": Act(_saml, proof=True),
        "saml-metadata": Act(_saml_metadata, proof=True),
        "ways": Act(_ways, proof=True),
        "ends-there": Act(_ends_there, proof=True),
        "disconnect": Act(_disconnect, proof=True),
        "new-key": Act(_new_key, proof=True),
        "rules": Act(_rules, proof=True),
        "claim": Act(_claim, proof=True),
        "scim": Act(_scim, needs="staff", proof=True),
        "end-scim": Act(_end_scim, proof=True),
        "let-go": Act(_let_go, proof=True),
    },
    needs="integrations",
)
