"""Controls: with which form of the settings each stored field about staff, and about the business, is added, altered and deleted.

Every such field of the data map stands here once: with its control, or in `controls.toml`, with why nobody alters it by hand.
A field with neither, or with both, fails a test. What can be done here waits for no bill (C55).
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chatinbox.accounts.profile import Profile
from chatinbox.accounts.workspace import Workspace
from chatinbox.billing.row import Addressee, Card
from chatinbox.privacy.data_map import Table, read

_BY_NOBODY = Path(__file__).with_name("controls.toml")
_WHOSE = frozenset({"person", "staff user"})
_OF_THE_BUSINESS = frozenset({"tenant.account", "tenant.billing"})  # the policy names company and bill (C56)


@dataclass(frozen=True, slots=True)
class By:
    """A form of the settings: its page, what it does, and the field of it where there is one."""

    page: str
    act: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """What its owner does with a field. `of`: its columns, `schema.table.column`, and within what is sealed as one its fields.
    Without `alter`, `why` says how it becomes another.
    """

    of: tuple[str, ...]
    add: By | None
    alter: By | None
    delete: By
    why: str = ""


_LEAVE = By("my-data", "delete", "typed")
_NAME, _ADDRESS = By("profile", "rename", "name"), By("profile", "address", "email")
_PASSWORD, _FIRST = By("security", "password", "password"), By("security", "first-password", "password")


def _of(at: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{at}.{name}" for name in names)


def _one(at: str, name: str, page: str, act: str, field: str = "") -> Control:
    """A field that is deleted by leaving it empty."""
    by = By(page, act, field or name)
    return Control(_of(at, name), by, by, by)


_PERSON, _PROFILE = "directory.person", "directory.person_profile.profile_sealed"
_ACCOUNT, _BILLING = "tenant.account.settings_sealed", "tenant.billing"

CONTROLS: dict[str, Control] = {
    # What a sign-in cannot be without is deleted with it.
    "name": Control((f"{_PERSON}.name_sealed", "tenant.staff_user.name_sealed"), _NAME, _NAME, _LEAVE),
    "address": Control(
        (*_of(_PERSON, "email_blind", "email_sealed"), "tenant.staff_user.email_sealed"), _ADDRESS, _ADDRESS, _LEAVE
    ),
    "new address": Control(
        _of("directory.address_change", "new_blind", "new_sealed", "old_blind", "old_sealed"), _ADDRESS, _ADDRESS,
        By("profile", "keep-address"),
    ),
    "password": Control((f"{_PERSON}.password_sealed",), _FIRST, _PASSWORD, _LEAVE),
    "signature": _one(_PROFILE, "signature", "profile", "signature"),
    "language": _one(_PROFILE, "language", "profile", "place"),
    "time zone": _one(_PROFILE, "time_zone", "profile", "place"),
    "told of assignments": _one(_PROFILE, "notify.assigned", "profile", "notify", "assigned"),
    "told of answers": _one(_PROFILE, "notify.answered", "profile", "notify", "answered"),
    "photo": Control(
        (f"{_PROFILE}.photo_id", "tenant.staff_user.photo_id", "file.photo.content_sealed"), By("profile", "photo", "photo"),
        By("profile", "photo", "photo"), By("profile", "remove-photo"),
    ),
    "shown to visitors": _one("tenant.staff_user", "photo_shown_at", "profile", "show-photo", "shown"),
    "passkey": Control(
        _of("directory.passkey", "credential_blind", "credential_sealed", "public_key_sealed", "name_sealed"),
        By("security", "add-passkey", "name"), By("security", "rename-passkey", "name"), By("security", "remove-passkey"),
    ),
    "authenticator app": Control(
        ("directory.authenticator.secret_sealed",), By("security", "scan"), None, By("security", "turn-off"),
        "It is turned off, and on with another secret.",
    ),
    "recovery codes": Control(
        ("directory.recovery_code.code_hash",), By("security", "new-codes"), By("security", "new-codes"),
        By("security", "turn-off"),
    ),
    "device": Control(
        ("directory.session.device_sealed",), None, None, By("sessions", "end"),
        "It is what the browser said of itself; signing in again says it anew.",
    ),
    "company": Control(
        ("tenant.account.name_sealed",), By("workspace", "name", "company"), By("workspace", "name", "company"),
        By("closing", "close"), "An account is called something for as long as it is there.",
    ),
    "legal name": _one(_ACCOUNT, "legal_name", "workspace", "identity"),
    "postal address": _one(_ACCOUNT, "postal_address", "workspace", "identity"),
    "foot of letters": _one(_ACCOUNT, "foot_of_letters", "workspace", "identity", "in_letters"),
    "privacy address": _one(_ACCOUNT, "privacy_address", "workspace", "privacy", "email"),
    "privacy page": _one(_ACCOUNT, "privacy_page", "workspace", "privacy", "page"),
    "country of the bill": Control(
        (f"{_BILLING}.country",), By("billing", "details", "country"), By("billing", "details", "country"),
        By("billing", "forget"),
    ),
    "VAT id": Control(
        (f"{_BILLING}.vat_sealed",), By("billing", "details", "vat_id"), By("billing", "details", "vat_id"),
        By("billing", "details", "vat_id"),
    ),
    "whom bills go to": Control(
        _of(f"{_BILLING}.addressee_sealed", "email", "name"), By("billing", "addressee", "email"),
        By("billing", "addressee", "addressee_name"), By("billing", "addressee", "email"),
    ),
    "card": Control(
        _of(f"{_BILLING}.card_sealed", "brand", "last4", "ends"), By("billing", "subscribe"), By("billing", "card"),
        By("billing", "forget"),
    ),
}  # fmt: skip

# What is sealed as one and holds many fields.
_INSIDE: dict[str, type[msgspec.Struct]] = {
    _PROFILE: Profile,
    _ACCOUNT: Workspace,
    f"{_BILLING}.addressee_sealed": Addressee,
    f"{_BILLING}.card_sealed": Card,
}


def by_nobody() -> dict[str, str]:
    """The fields that nobody alters by hand, each with why."""
    reasons: dict[str, dict[str, list[str]]] = tomllib.loads(_BY_NOBODY.read_text())
    return {
        f"{at}.{name}": why
        for why, fields in reasons.items()
        for at, names in fields.items()
        for name in names
    }


def stored(tables: dict[str, Table] | None = None) -> list[str]:
    """Every stored field about staff and, where the policy says so, about the business."""
    return [
        field
        for name, table in (tables or read()).items()
        if table.plane == "T" and (table.subject in _WHOSE or name in _OF_THE_BUSINESS)
        for column in table.columns
        for field in _within(f"{name}.{column}", _INSIDE.get(f"{name}.{column}"))
    ]


def uncontrolled(tables: dict[str, Table] | None = None) -> list[str]:
    """What is wrong with this list: a field without control or reason, with both, or one that is stored no more."""
    held, with_control = stored(tables), [one for control in CONTROLS.values() for one in control.of]
    listed = [*with_control, *by_nobody()]
    neither = [f"{one}: no control, and no reason why not" for one in held if one not in listed]
    twice = [f"{one}: said twice" for one in sorted(set(listed)) if listed.count(one) > 1]
    return neither + twice + [f"{one}: not stored" for one in listed if one not in held]


def _within(at: str, struct: type[msgspec.Struct] | None) -> Iterator[str]:
    if struct is None:
        yield at
        return
    for field in msgspec.structs.fields(struct):
        inner = (
            field.type if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) else None
        )
        yield from _within(f"{at}.{field.name}", inner)
