"""Addresses at the provider, as an owner writes them or the provider itself tells them: where browsers and requests are sent."""

from urllib.parse import urlsplit

from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation

MOST = 2000


def need_address(inst: Installation, url: str, field: str, what: str) -> None:
    """Raises for what is no whole address of the provider, or could not stand in a header (RFC 3986 §2: ASCII alone)."""
    schemes = ("https", "http") if inst.settings.inside_targets else ("https",)
    try:
        parts = urlsplit(url)
        right = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    plain = url.isascii() and url.isprintable() and not set(url) & set(" #\\")
    if not right or not plain or len(url) > MOST:
        raise Refused(422, f"Write the whole address of its {what}; it begins with https://.", field)
