"""Each language's catalogue is whole for the pages it offers: nothing missing, unsure, left over, or with other placeholders.

`--fix` writes what the pages and letters say now into every catalogue: new messages empty, those that are gone away. A new
language begins as an empty file.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, "src")

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po
from jinja2 import nodes

from chatinbox.core.translation.asked import ENGLISH
from chatinbox.core.translation.language import FOLDER, languages, read_catalogue
from chatinbox.privacy import attacks, limits, storage
from chatinbox.web.language import TRANSLATED, is_translated
from chatinbox.web.pages import UI, room

LETTERS = [
    "accounts/*.py", "accounts/sso/*.py", "billing/quote.py", "billing/vat.py", "channels/email/acknowledge.py",
    "core/intake.py", "privacy/package/share.py", "privacy/places.py", "privacy/records.py", "privacy/subprocessors.py",
    "privacy/requests/*.py", "web/forms.py", "web/entrance/*.py", "web/site/*.py",
]  # fmt: skip
IN_ENGLISH = {"web/site/seen.py"}  # on the privacy page, which binds as it is
REFUSED_IN = [
    "accounts/add_staff.py", "accounts/authenticator.py", "accounts/begin.py", "accounts/invite.py", "accounts/lasting.py",
    "accounts/links.py", "accounts/offers.py", "accounts/passkeys.py", "accounts/passwords.py", "accounts/rename.py",
    "accounts/second_step.py",
    "accounts/sign_in.py", "accounts/sign_up.py", "accounts/setup.py", "accounts/factors.py", "accounts/throttle.py",
    "accounts/sso/arrive.py", "accounts/sso/oidc.py", "accounts/sso/pending.py", "accounts/sso/saml.py",
    "accounts/sso/saml_encrypted.py", "accounts/sso/saml_xml.py", "accounts/sso/domains.py", "billing/vat.py",
    "core/addresses.py", "core/errors.py", "core/intake.py", "privacy/package/share.py", "privacy/places.py",
    "privacy/records.py", "privacy/subprocessors.py", "privacy/requests/copy.py", "privacy/requests/link.py",
    "web/forms.py", "web/entrance/*.py", "web/site/pricing.py", "web/site/write_to_us.py",
]  # fmt: skip
"""Where what is refused is told on a page that is offered. `said(…)` is found in all of `LETTERS`."""
SAID_AT = {"said": (0,), "Link": (2,), "Fact": (0, 2, 3)}
SENTENCE_AT = {"Refused": (1,), "bad_request": (0,), "failed": (1,)}
"""At which places of what is called a sentence stands."""
REGISTERS: dict[str, Callable[[], Iterable[str]]] = {
    "privacy/attacks.toml": lambda: (one.tried for one in attacks.read()),
    "privacy/limits.toml": lambda: (
        words for title, risks in limits.read().items() for words in (title, *risks)
    ),
    "privacy/storage.toml": lambda: (
        words
        for one in storage.read()
        for words in (one.kind, one.where, one.purpose, one.lifetime, one.when)
    ),
}
"""Short registers of ours whose words a page says with `|said`."""
UNEVEN = {"fr": re.compile(r" [;:?!%»]|« |\w[;?!](?=\s|$)|\w'\w")}
"""How a language does not set its marks. In French a space before them is there and does not break; its apostrophe is ’."""
NAMED = re.compile(r"%\(\w+\)s|%%")
TAG = re.compile(r"<[^>]+>")


def templates() -> set[str]:
    """The pages that a language may offer, with all they are made of."""
    every = (f"{path.relative_to(UI / 'html')}" for one in TRANSLATED for path in (UI / "html").glob(one))
    found, todo = set(), [name for name in every if is_translated(name)]
    english = room(languages()[ENGLISH])
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        tree = english.parse((UI / "html" / name).read_text("utf-8"))
        for node in tree.find_all((nodes.Extends, nodes.Include, nodes.FromImport, nodes.Import)):
            assert isinstance(node.template, nodes.Const), name  # type: ignore[attr-defined]
            todo.append(node.template.value)  # type: ignore[attr-defined]
    return found


def of_templates() -> Iterator[tuple[str, str]]:
    english = room(languages()[ENGLISH])
    for name in sorted(templates()):
        for _, _, message in english.extract_translations((UI / "html" / name).read_text("utf-8")):  # type: ignore[attr-defined]
            for one in message if isinstance(message, tuple) else (message,):
                if one:
                    yield name, one


def of_code() -> Iterator[tuple[str, str]]:
    root = Path("src/chatinbox")
    refusing = {path for pattern in REFUSED_IN for path in root.glob(pattern)}
    spoken = {path for pattern in LETTERS for path in root.glob(pattern)} | refusing
    for path in sorted(spoken - {root / one for one in IN_ENGLISH}):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                at = SAID_AT | (SENTENCE_AT if path in refusing else {})
                for place in at.get(node.func.id, ()):
                    words = node.args[place] if len(node.args) > place else None
                    if isinstance(words, ast.Constant) and isinstance(words.value, str) and words.value:
                        yield str(path.relative_to(root)), words.value


def of_registers() -> Iterator[tuple[str, str]]:
    for place, words in REGISTERS.items():
        yield from ((place, one) for one in words())


def said_now() -> Catalog:
    """Everything that pages and letters say, in English."""
    catalog = Catalog()
    for place, message in [*of_templates(), *of_code(), *of_registers()]:
        catalog.add(message, locations=[(place, None)])  # type: ignore[list-item]
    return catalog


def wrong(message: Message, code: str) -> str | None:
    """Why a translation cannot stand for its English; None where it can."""
    said, theirs = str(message.id), str(message.string)
    if not theirs:
        return "missing"
    if message.fuzzy:
        return "fuzzy"
    if Counter(NAMED.findall(said)).keys() != Counter(NAMED.findall(theirs)).keys():
        return "other placeholders"
    if Counter(TAG.findall(said)) != Counter(TAG.findall(theirs)):
        return "other tags"
    if said.count("\n") != theirs.count("\n"):
        return "other lines"
    if code in UNEVEN and UNEVEN[code].search(TAG.sub("x", NAMED.sub("x", theirs))):
        return "a mark set otherwise"
    return None


def fix(now: Catalog) -> None:
    for path in FOLDER.glob("*.po"):
        kept = read_catalogue(path)
        kept.update(now, no_fuzzy_matching=True)
        kept.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, kept, width=0, sort_output=False, include_lineno=False, omit_header=True)
        head = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {kept.plural_forms}\\n"\n\n'
        path.write_text(head + path.read_text("utf-8"), "utf-8")


def main() -> int:
    now, bad = said_now(), []
    if "--fix" in sys.argv:
        fix(now)
    wanted = {message.id for message in now if message.id}
    for path in sorted(FOLDER.glob("*.po")):
        catalog = read_catalogue(path)
        held = {message.id: message for message in catalog if message.id}
        found = [(wrong(one, path.stem), one.id) for one in held.values()]
        bad += [f"{path.name}: {why}: {message!r}" for why, message in found if why]
        bad += [f"{path.name}: missing: {one!r}" for one in wanted - held.keys()]
        bad += [f"{path.name}: said nowhere any more: {one!r}" for one in held.keys() - wanted]
    print("\n".join(bad[:40]))
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
