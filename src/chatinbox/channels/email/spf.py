"""SPF (RFC 7208): whether a domain lets the server that brought a letter send for it.

Some records want the sender's whole address inside a question. It is never put into one: what hangs on the answer is not known.
"""

import re
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote

from chatinbox.conversations.checked import Spf
from chatinbox.core.egress.addresses import Address
from chatinbox.core.egress.names import Inquiry, Kind, NotAnswered

MOST_TERMS = 10
MOST_VOID = 2
MOST_NAMES = 10
_RESULTS: dict[str, Spf] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(\S*))?", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(\S*)")
_MACRO = re.compile(r"%(?:([%_-])|\{([slodiphcrtv])(\d{0,3})(r?)([-.+,/_=]*)\}|(.?))", re.IGNORECASE)
_LENGTHS = re.compile(r"(.*?)(?:/(0|[1-9]\d{0,2}))?(?://(0|[1-9]\d{0,2}))?")
_NAME = re.compile(r"(?=.{1,253}\.?\Z)(?:[^.]{1,63}\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?")


class _Broken(Exception):
    """The record cannot be read (permerror)."""


@dataclass(slots=True)
class _Question:
    """One check under way, with what it has cost."""

    ip: Address
    sender: str
    helo: str
    inquiry: Inquiry
    terms: int = 0
    void: int = 0


async def check(ip: Address, domain: str, helo: str, inquiry: Inquiry) -> Spf:
    """Whether `ip` may send for a domain: that of MAIL FROM or, where it is empty, the one said at HELO."""
    plain = ip.ipv4_mapped if isinstance(ip, IPv6Address) and ip.ipv4_mapped else ip
    asked = _Question(plain, domain, helo, inquiry)
    try:
        return await _host(asked, domain)
    except NotAnswered:
        return "unknown"
    except _Broken:
        return "error"


async def _host(asked: _Question, domain: str) -> Spf:
    if not _is_name(domain):
        return "none"
    records = [
        one for one in await asked.inquiry.texts(domain, "v=spf1") if re.match(r"(?i)v=spf1(?: |\Z)", one)
    ]
    if not records:
        return "none"
    if len(records) > 1 or not records[0].isascii() or "\ufffd" in records[0]:
        raise _Broken
    terms, modifiers = _read(records[0])
    for qualifier, name, mark, told in terms:
        if await _matches(asked, domain, name, mark, told):
            return _RESULTS[qualifier or "+"]
    if "redirect" in modifiers:
        _count(asked)
        target = await _expanded(asked, domain, modifiers["redirect"])
        found = await _host(asked, target)
        if found == "none":
            raise _Broken
        return found
    return "neutral"


def _read(record: str) -> tuple[list[tuple[str, str, str, str]], dict[str, str]]:
    """The terms of a record and its modifiers. One that cannot be read breaks the whole."""
    terms: list[tuple[str, str, str, str]] = []
    modifiers: dict[str, str] = {}
    for one in record.split(" ")[1:]:
        if not one:
            continue
        if found := _TERM.fullmatch(one):
            qualifier, name, mark, told = found.groups(default="")
            _check_term(name.lower(), mark, told)
            terms.append((qualifier, name.lower(), mark, told))
        elif found := _MODIFIER.fullmatch(one):
            name = found[1].lower()
            if name in ("redirect", "exp") and (name in modifiers or not found[2]):
                raise _Broken
            _check_macros(found[2])
            if name in ("redirect", "exp") and not _may_end(found[2]):
                raise _Broken
            modifiers[name] = found[2]
        else:
            raise _Broken
    return terms, modifiers


def _check_term(name: str, mark: str, told: str) -> None:
    """What may stand behind a term (RFC 7208 §5)."""
    if name == "all" and mark:
        raise _Broken
    if name in ("include", "exists", "ip4", "ip6") and (mark != ":" or not told):
        raise _Broken
    if name in ("ip4", "ip6"):
        _network(name, told)
        return
    if name in ("include", "exists", "ptr") and mark == "/":
        raise _Broken
    spec = _lengths(mark, told)[0] if name in ("a", "mx") else told
    if mark == ":" and not spec:
        raise _Broken
    _check_macros(spec)
    if spec and not _may_end(spec):
        raise _Broken


def _check_macros(text: str) -> None:
    for found in _MACRO.finditer(text):
        if found[6] is not None or found[3] == "0" or (found[2] and found[2].lower() in "crt"):
            raise _Broken
    if re.search(r"[^!-~]", text):
        raise _Broken


def _may_end(spec: str) -> bool:
    """A name ends with a macro or with a top label (RFC 7208 §7.1)."""
    if re.search(r"(%\{[^}]*\}|%%|%_|%-)\Z", spec):
        return True
    label = spec.rstrip(".").rpartition(".") if not spec.endswith("..") else ("", "", "")
    return bool(label[1] and re.fullmatch(r"(?!\d+\Z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", label[2]))


def _lengths(mark: str, told: str) -> tuple[str, int, int]:
    """A name and the lengths of networks behind it, for IPv4 and IPv6."""
    found = _LENGTHS.fullmatch(f"/{told}" if mark == "/" else told)
    if found is None:
        raise _Broken
    four, six = int(found[2] or 32), int(found[3] or 128)
    if four > 32 or six > 128 or (mark == "/" and found[1]):
        raise _Broken
    if "/" in re.sub(r"%\{[^}]*\}", "", found[1]):
        raise _Broken
    return found[1], four, six


def _network(name: str, told: str) -> tuple[str, int]:
    address, slash, length = told.partition("/")
    if slash and not re.fullmatch(r"0|[1-9]\d{0,2}", length):
        raise _Broken
    try:
        version, longest = (4, 32) if name == "ip4" else (6, 128)
        if ip_address(address).version != version or int(length or longest) > longest:
            raise _Broken
    except ValueError:
        raise _Broken from None
    return address, int(length or longest)


async def _matches(asked: _Question, domain: str, name: str, mark: str, told: str) -> bool:
    if name == "all":
        return True
    if name in ("ip4", "ip6"):
        return _in(asked.ip, [_network(name, told)[0]], _network(name, told)[1], name == "ip4")
    _count(asked)
    spec, four, six = _lengths(mark, told) if name in ("a", "mx") else (told, 32, 128)
    target = await _expanded(asked, domain, spec) if spec else domain
    if name == "include":
        return await _included(asked, target)
    if name == "exists":
        return bool(await _ask(asked, target, "A"))
    if name == "ptr":
        return any(_is_below(one, target) for one in await _own_names(asked))
    length = four if asked.ip.version == 4 else six
    hosts = [target]
    if name == "mx":
        hosts = [one.decode() for one in await _ask(asked, target, "MX")]
        if len(hosts) > MOST_NAMES:
            raise _Broken
    for host in hosts:
        addresses = [one.decode() for one in await _ask(asked, host, _kind(asked), counts=name == "a")]
        if _in(asked.ip, addresses, length, asked.ip.version == 4):
            return True
    return False


async def _included(asked: _Question, target: str) -> bool:
    found = await _host(asked, target)
    if found in ("none", "error"):
        raise _Broken
    return found == "pass"


def _kind(asked: _Question) -> Kind:
    return "A" if asked.ip.version == 4 else "AAAA"


def _in(ip: Address, addresses: list[str], length: int, four: bool) -> bool:
    if (ip.version == 4) != four:
        return False
    return any(ip in ip_network((one, length), strict=False) for one in addresses)


def _count(asked: _Question) -> None:
    asked.terms += 1
    if asked.terms > MOST_TERMS:
        raise _Broken


async def _ask(asked: _Question, name: str, kind: Kind, counts: bool = True) -> list[bytes]:
    """A question of a term; a few may be in vain (RFC 7208 §4.6.4)."""
    found = await asked.inquiry.ask(name, kind) if _is_name(name) else []
    if not found and counts:
        asked.void += 1
        if asked.void > MOST_VOID:
            raise _Broken
    return found


async def _own_names(asked: _Question) -> list[str]:
    """The names of the server that brought the letter, as far as they lead back to it (RFC 7208 §5.5)."""
    own = []
    for name in (await asked.inquiry.ask(asked.ip.reverse_pointer, "PTR"))[:MOST_NAMES]:
        try:
            addresses = [one.decode() for one in await asked.inquiry.ask(name.decode(), _kind(asked))]
        except NotAnswered:
            continue
        if str(asked.ip) in addresses:
            own.append(name.decode().lower())
    return own


def _is_below(name: str, domain: str) -> bool:
    return name == domain.lower() or name.endswith(f".{domain.lower()}")


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and text.isascii()


async def _expanded(asked: _Question, domain: str, spec: str) -> str:
    """A name with its macros filled in (RFC 7208 §7), shortened from the left to what a name may be."""
    if re.search(r"(?i)%\{[sl]", spec):
        raise NotAnswered
    own = ""
    if re.search(r"(?i)%\{p", spec):
        names = await _own_names(asked)
        own = next((one for one in names if _is_below(one, domain)), names[0] if names else "unknown")

    def fill(found: re.Match[str]) -> str:
        if found[1]:
            return {"%": "%", "_": " ", "-": "%20"}[found[1]]
        letter = found[2].lower()
        told = _value(asked, letter, domain, own)
        parts = re.split(f"[{re.escape(found[5] or '.')}]", told)
        parts = parts[::-1] if found[4] else parts
        text = ".".join(parts[-int(found[3]) :] if found[3] else parts)
        return quote(text, safe="-._~") if found[2].isupper() else text

    name = _MACRO.sub(fill, spec).rstrip(".")
    while len(name) > 253 and "." in name:
        name = name.partition(".")[2]
    return name


def _value(asked: _Question, letter: str, domain: str, own: str) -> str:
    dotted = (
        str(asked.ip) if isinstance(asked.ip, IPv4Address) else ".".join(asked.ip.exploded.replace(":", ""))
    )
    return {
        "o": asked.sender, "d": domain, "i": dotted, "p": own,
        "h": asked.helo, "c": str(asked.ip), "r": "unknown", "t": str(int(time.time())),
        "v": "in-addr" if asked.ip.version == 4 else "ip6",
    }[letter]  # fmt: skip
