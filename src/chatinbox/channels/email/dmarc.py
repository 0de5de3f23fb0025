"""DMARC (RFC 9989): whether what was proven is proven for the domain that a reader sees, and what that domain wants else.

Which domains are of one owner is found by asking up the tree, as the RFC has it, and not from a list that grows old.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from chatinbox.channels.email.dkim import read_tags
from chatinbox.conversations.checked import Dmarc
from chatinbox.core.egress.names import Inquiry

MOST_LABELS = 8


class Proven(NamedTuple):
    """A domain that SPF or DKIM proved."""

    domain: str
    way: Literal["spf", "dkim"]


class Policy(NamedTuple):
    """What the domain of From says of its letters, and whose it is."""

    author: str
    owner: str
    tags: dict[str, str]
    is_own: bool

    def could_vouch(self, domain: str) -> bool:
        """Whether a domain may be of the same owner."""
        return is_at(domain, self.owner) or is_at(self.author, domain)


class Found(NamedTuple):
    """What came out, and the domain that vouched."""

    word: Dmarc
    domain: str | None


async def find(author: str, inquiry: Inquiry) -> Policy:
    """The policy for a domain of From. Raises NotAnswered."""
    records = await _walk(author, inquiry)
    owner = _owner(author, records)
    tags = records.get(author) or records.get(owner) or next(iter(records.values()), {})
    return Policy(author, owner, tags, author in records)


async def check(policy: Policy, proven: Sequence[Proven], inquiry: Inquiry) -> Found:
    """Without a record of its own, its own domain or one above it may vouch. Raises NotAnswered."""
    author, tags = policy.author, policy.tags
    if not tags:
        return Found("none", next((one.domain for one in proven if is_at(author, one.domain)), None))
    for one in proven:
        strict = tags.get("aspf" if one.way == "spf" else "adkim", "r").lower() == "s"
        if one.domain == author or (not strict and await _is_same_owner(one.domain, policy.owner, inquiry)):
            return Found("pass", one.domain)
    wanted = tags.get("p", "none") if policy.is_own else tags.get("sp", tags.get("p", "none"))
    return Found(_WANTED.get(wanted.lower(), "fail"), None)


_WANTED: dict[str, Dmarc] = {"quarantine": "quarantine", "reject": "reject"}


def is_at(author: str, domain: str) -> bool:
    """Whether a domain is the author's, or one above it."""
    return author == domain or ("." in domain and author.endswith(f".{domain}"))


async def _is_same_owner(domain: str, owner: str, inquiry: Inquiry) -> bool:
    return _owner(domain, await _walk(domain, inquiry)) == owner


async def _walk(domain: str, inquiry: Inquiry) -> dict[str, dict[str, str]]:
    """The records from a domain upwards (RFC 9989 §4.10); two at one name count as none."""
    labels, records = domain.split("."), dict[str, dict[str, str]]()
    names = [labels[at:] for at in range(len(labels))]
    for name in [one for one in names if len(one) < MOST_LABELS or one is names[0]]:
        found = await inquiry.texts(f"_dmarc.{'.'.join(name)}", "v=DMARC1")
        tags = read_tags(found[0]) if len(found) == 1 else {}
        if tags.get("v") != "DMARC1":
            continue
        records[".".join(name)] = tags
        if tags.get("psd") in ("y", "n"):
            break
    return records


def _owner(domain: str, records: dict[str, dict[str, str]]) -> str:
    """The organisation's domain among those that have records, from the longest to the shortest."""
    for name, tags in records.items():
        if tags.get("psd") == "n":
            return name
        if tags.get("psd") == "y" and name != domain:
            below = domain.removesuffix(f".{name}").rpartition(".")[2]
            return f"{below}.{name}"
    return list(records)[-1] if records else domain
