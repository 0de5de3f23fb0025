"""Settings: defaults, then the environment (`CHATINBOX_PORT`, …), then the command line."""

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from chatinbox.core.mail_server import read_mail_server
from chatinbox.core.trouble import Trouble

CLONE = Path(__file__).resolve().parents[3]
SYSTEM_DATA = Path("/var/lib/chatinbox")
_IMPLIED = {"http": 80, "https": 443}
_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_DOMAIN = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Sizes in bytes; addresses without a slash at the end."""

    host: str = "127.0.0.1"
    port: int = 8000
    mail_port: int = 2525
    data: Path = CLONE / "data"
    public_url: str = ""
    files_url: str = ""
    database_url: str | None = None
    destroyed_ledger: str = ""
    keyholder_url: str = ""
    keyholder_key: str = "chatinbox"
    keyholder_mount: str = "transit"
    keyholder_namespace: str = ""
    keyholder_token_file: str = ""
    keyholder_role_id: str = ""
    keyholder_secret_file: str = ""
    keyholder_login: str = "approle"
    keyholder_ca: str = ""
    sign_up: Literal["open", "invitation", "closed"] = "invitation"
    demo: bool = False
    smtp_url: str | None = None
    mail_domain: str = "chatinbox.localhost"
    mail_relay: str = ""
    resolver: str = "system"
    max_message_bytes: int = 26_214_400
    max_upload_bytes: int = 26_214_400
    trust_proxy: bool = False
    as_root: bool = False
    inside_targets: bool = False
    operator_name: str = ""
    operator_address: str = ""
    operator_country: str = ""
    operator_email: str = ""
    operator_privacy_email: str = ""
    operator_register: str = ""
    hosting: str = ""
    hosting_region: str = ""
    hosting_certificates: str = ""
    own_hosts: str = ""
    website: bool = False
    website_channel: str = ""
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_price_monthly: str | None = None
    stripe_price_yearly: str | None = None
    stripe_api_base: str = "https://api.stripe.com"
    plans_file: str | None = None
    prove: bool = True
    analytics: str | None = None
    google_measurement_id: str | None = None
    google_api_secret: str | None = field(default=None, repr=False)
    google_analytics_base: str = "https://www.google-analytics.com"

    @property
    def has_website(self) -> bool:
        """Whether visitors who are signed out find the public website, rather than the sign-in."""
        return self.website or self.demo or bool(getattr(self, "operator_name", ""))

    @property
    def no_reply(self) -> str:
        """The address that letters of the house itself come from."""
        return f"no-reply@{self.mail_domain}"

    def with_addresses(self, port: int, mail_port: int) -> "Settings":
        """The settings once the ports are known: the addresses that were not given are made from them."""
        ours = self.public_url or _origin("http", _spoken(self.host), port)
        files = self.files_url or _second_origin(ours)
        return replace(self, port=port, mail_port=mail_port, public_url=ours, files_url=files)


def _spoken(host: str) -> str:
    """The name under which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def _origin(scheme: str, host: str, port: int | None) -> str:
    """An origin as browsers write it (RFC 6454 §6.2): without the port that the scheme implies."""
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}" + (f":{port}" if port not in (None, _IMPLIED[scheme]) else "")


def _second_origin(ours: str) -> str:
    """`localhost` beside `127.0.0.1`; an operator's own domain names its second origin by `CHATINBOX_FILES_URL`."""
    parts = urlsplit(ours)
    beside = {"127.0.0.1": "localhost", "::1": "localhost", "localhost": "127.0.0.1"}.get(
        parts.hostname or ""
    )
    return _origin(parts.scheme, beside, parts.port) if beside else ours


def read_settings(given: Any, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this start. Raises Trouble for a value that cannot be."""
    found: dict[str, Any] = {}
    for one in fields(Settings):
        said = getattr(given, one.name, None)
        named = environment.get(_variable(one.name))
        if said is not None and said is not False:
            found[one.name] = said
        elif named:
            found[one.name] = _convert(one.name, named)
    if "data" not in found:
        found["data"] = _usual_data()
    return _checked(replace(Settings(), **found))


def _variable(name: str) -> str:
    return "DATABASE_URL" if name == "database_url" else f"CHATINBOX_{name.upper()}"


def _convert(name: str, text: str) -> Any:
    kind = type(getattr(Settings(), name))
    if kind is bool:
        if text.lower() not in _YES | _NO:
            raise Trouble(f"{_variable(name)} should be yes or no, but is “{text}”.")
        return text.lower() in _YES
    try:
        return kind(text) if issubclass(kind, int | Path) else text
    except ValueError:
        raise Trouble(f"{_variable(name)} should be a number, but is “{text}”.") from None


def _checked(settings: Settings) -> Settings:
    for name in ("port", "mail_port"):
        if not 0 <= getattr(settings, name) <= 65535:
            raise Trouble(f"The {name.replace('_', ' ')} is a number from 0 to 65535.")
    for name in ("max_message_bytes", "max_upload_bytes"):
        if getattr(settings, name) < 1:
            raise Trouble(f"{_variable(name)} is a number of bytes, 1 or more.")
    if settings.sign_up not in ("open", "invitation", "closed"):
        raise Trouble("CHATINBOX_SIGN_UP is one of: open, invitation, closed.")
    if not _DOMAIN.fullmatch(settings.mail_domain):
        raise Trouble(
            f"CHATINBOX_MAIL_DOMAIN is a domain, such as mail.example.com, but is “{settings.mail_domain}”."
        )
    _check_smtp(settings.smtp_url)
    _check_resolver(settings.resolver)
    _check_stripe(settings)
    _check_analytics(settings)
    _check_keyholder(settings)
    return replace(
        settings,
        data=settings.data.absolute(),
        public_url=_read_origin(settings.public_url, "--public-url"),
        files_url=_read_origin(settings.files_url, "CHATINBOX_FILES_URL"),
        keyholder_url=_read_origin(settings.keyholder_url, "CHATINBOX_KEYHOLDER_URL"),
        stripe_api_base=_read_origin(settings.stripe_api_base, "CHATINBOX_STRIPE_API_BASE"),
        google_analytics_base=_read_origin(settings.google_analytics_base, "CHATINBOX_GOOGLE_ANALYTICS_BASE"),
    )


def _read_origin(text: str, option: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        if (
            parts.scheme in _IMPLIED
            and parts.hostname
            and parts.path in ("", "/")
            and not parts.query
            and not parts.username
        ):
            return _origin(parts.scheme, parts.hostname, parts.port)
    except ValueError:
        pass
    raise Trouble(
        f"{option} is an address such as https://inbox.example.com, without a path, but is “{text}”."
    )


def _check_smtp(url: str | None) -> None:
    if url is None:
        return
    try:
        read_mail_server(url)
    except ValueError:  # it may hold a password, so it is not repeated
        raise Trouble(
            "CHATINBOX_SMTP_URL cannot be read. It looks like smtp://user:password@mail.example.com:587, where a server has no"
            " TLS and wants no password like smtp://mail.example.com?tls=optional."
        ) from None


def _check_resolver(text: str) -> None:
    servers = [] if text in ("system", "off") else [one.strip() for one in text.split(",")]
    for one in servers:
        with contextlib.suppress(ValueError):
            parts = urlsplit(f"//[{one}]" if one.count(":") > 1 and "[" not in one else f"//{one}")
            if parts.hostname and parts.port != 0 and ip_address(parts.hostname):
                continue
        raise Trouble(
            "CHATINBOX_RESOLVER is system, off, or addresses of name servers with a comma between them, such as"
            f" 127.0.0.1:5353, but is “{text}”."
        )


def _check_stripe(settings: Settings) -> None:
    names = ("stripe_secret_key", "stripe_webhook_secret", "stripe_price_monthly", "stripe_price_yearly")
    missing = [_variable(name) for name in names if not getattr(settings, name)]
    if 0 < len(missing) < len(names):
        raise Trouble(f"To take payments, also set {' and '.join(missing)}; to take none, set none of them.")


def _check_analytics(settings: Settings) -> None:
    if settings.analytics and settings.analytics != "google":
        raise Trouble(
            "CHATINBOX_ANALYTICS is google, or not set. The privacy policy names that company and no other:"
            " to use another, the policy has to change first."
        )
    given = (settings.google_measurement_id, settings.google_api_secret)
    if settings.analytics and not all(given):
        raise Trouble(
            "To pass counts on, also set CHATINBOX_GOOGLE_MEASUREMENT_ID and CHATINBOX_GOOGLE_API_SECRET."
        )
    if not settings.analytics and any(given):
        raise Trouble(
            "CHATINBOX_GOOGLE_MEASUREMENT_ID does nothing alone. Set CHATINBOX_ANALYTICS=google, or unset it."
        )


def _check_keyholder(settings: Settings) -> None:
    if not settings.keyholder_url:
        return
    parts = urlsplit(settings.keyholder_url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Trouble(
            "CHATINBOX_KEYHOLDER_URL begins with https://: what opens everything does not travel in the clear."
        )
    by_role = bool(settings.keyholder_role_id and settings.keyholder_secret_file)
    if bool(settings.keyholder_token_file) == by_role:
        raise Trouble(
            "To sign in to the keyholder, set either CHATINBOX_KEYHOLDER_TOKEN_FILE, or both"
            " CHATINBOX_KEYHOLDER_ROLE_ID and CHATINBOX_KEYHOLDER_SECRET_FILE."
        )


def _usual_data() -> Path:
    """`data` in the clone; as root below a folder others may not enter, /var/lib/chatinbox: the database is not root."""
    closed = not all(folder.stat().st_mode & 0o001 for folder in (CLONE, *CLONE.parents))
    return SYSTEM_DATA if os.geteuid() == 0 and closed else CLONE / "data"
