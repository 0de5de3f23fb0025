"""Addresses that last: whoever signs in by one that ends in ten minutes, and is read by everybody, loses the way back or shares it.

Known by the domains of a list that its keepers publish (disposable-email-domains). A service that forwards to somebody's own
mailbox is no such thing: it is how people give away less of themselves.
"""

from disposable_email_domains import blocklist

from chatinbox.core.addresses import normal_email
from chatinbox.core.errors import Refused

FORWARDS = frozenset({
    "addy.io", "anonaddy.com", "anonaddy.me", "duck.com", "mozmail.com", "passmail.net", "privaterelay.appleid.com",
    "relay.firefox.com", "simplelogin.com", "simplelogin.co", "simplelogin.io", "aleeas.com", "slmails.com", "8alias.com",
})  # fmt: skip


def need_lasting(email: str) -> None:
    """Raises a sentence for an address at a service of throw-away mailboxes, or below it."""
    labels = normal_email(email).rpartition("@")[2].split(".")
    domains = {".".join(labels[at:]) for at in range(len(labels) - 1)}
    if not domains.isdisjoint(blocklist) and domains.isdisjoint(FORWARDS):
        raise Refused(
            422,
            "This is an address that ends soon and that others can read. Use one that is yours and that you keep.",
            "email",
        )
