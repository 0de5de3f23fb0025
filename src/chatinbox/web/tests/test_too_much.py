"""Names of five megabytes, and pictures that explode or lie, through the doors by which people and providers send them: a sentence,
soon, and nothing is kept.
"""

import io
import resource
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from PIL import Image

from chatinbox.accounts import invite, people
from chatinbox.accounts.photo import MOST_BYTES
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.sso.scim_token import make_token
from chatinbox.accounts.staff import Staff
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.installation import Installation
from chatinbox.web import forms
from chatinbox.web.tests.test_accounts import NewBrowser
from chatinbox.web.tests.test_names import fresh
from chatinbox.web.tests.test_saml import Company, idp
from chatinbox.web.tests.test_scim import Provider, own
from chatinbox.web.tests.test_sso import Idp as Oidc
from chatinbox.web.tests.test_sso import browser as near_browser
from chatinbox.web.tests.test_sso import come, near, near_app, with_company
from chatinbox.web.tests.test_sso import idp as oidc

__all__ = ["idp", "near", "near_app", "near_browser", "oidc"]

HUGE = 5_000_000
# Each is of that size: plain, and with the signs that turn the direction, join, or take no room, which are looked at one by one.
NAMES = {"plain": "a" * HUGE, "turned": "\u202e\u2066" * (HUGE // 6), "joined": "\u200d\u0627" * (HUGE // 5)}
# What a form of the size that is read may hold of them.
LONG = {"plain": "a" * 18_000, "turned": "\u202ea" * 1_500, "joined": "\u0627\u200d" * 1_000}
SECONDS = 3.0


@contextmanager
def soon() -> Iterator[None]:
    """However large: it takes no longer than this."""
    begun = time.perf_counter()
    yield
    assert time.perf_counter() - begun < SECONDS


@pytest.fixture
def kept(above: psycopg.Connection[Any]) -> Callable[[], list[int]]:
    """How much is stored of people, accounts, invitations and letters."""
    tables = (
        "directory.person",
        "tenant.staff_user",
        "tenant.account",
        "directory.link",
        "tenant.person_letter",
        "tenant.kept_mail",
    )

    def count() -> list[int]:
        return [above.execute(f"select count(*) from {one}".encode()).fetchall()[0][0] for one in tables]

    return count


def said(answer: httpx.Response, status: int) -> None:
    """A sentence, in the page or in the answer to a program, and never what was sent."""
    assert answer.status_code == status, answer.text[:300]
    assert "." in answer.text and "Something went wrong" not in answer.text and len(answer.content) < 100_000


@pytest.mark.parametrize("field", ["name", "company", "email"])
@pytest.mark.parametrize("size", ["huge", "long"])
@pytest.mark.parametrize("kind", NAMES)
async def test_a_name_of_any_size_signs_nobody_up(
    guest: NewBrowser, kept: Callable[[], list[int]], kind: str, size: str, field: str
) -> None:
    words = {"name": "Ada", "company": "Co", "email": fresh(), "password": PASSWORD}
    browser, before = guest(), kept()
    with soon():
        answer = await browser.post(
            "/sign-up", data=words | {field: (NAMES if size == "huge" else LONG)[kind]}
        )
    said(answer, 413 if size == "huge" else 422)
    await forms.settle()
    assert kept() == before


@pytest.mark.parametrize("kind", NAMES)
async def test_nobody_is_renamed_or_invited_by_a_name_of_any_size(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, kept: Callable[[], list[int]], kind: str
) -> None:
    await client.as_(ada)
    before, called = kept(), (await people.read_person(inst, ada.person_id)).name
    for page, form, field in (
        ("profile", {"do": "rename"}, "name"),
        ("profile", {"do": "address"}, "email"),
        ("workspace", {"do": "name"}, "company"),
        ("workspace", {"do": "identity"}, "legal_name"),
        ("teams", {"do": "create"}, "team"),
        ("roles", {"do": "create"}, "role"),
        ("people", {"do": "invite", "role": "staff"}, "email"),
    ):
        for value, status in ((NAMES[kind], 413), (LONG[kind], 422)):
            with soon():
                said(await client.post(f"/settings/{page}", data=form | {field: value}), status)
        with soon():  # and as a form that could carry a file
            parts = {field: (None, NAMES[kind]), **{name: (None, one) for name, one in form.items()}}
            said(await client.post(f"/settings/{page}", files=parts), 413)
    assert kept() == before and await invite.list_invitations(inst, ada) == []
    assert (await people.read_person(inst, ada.person_id)).name == called
    assert await read_account_name(inst, ada.account_id) == "Ada's Tea"
    assert await read_account_name(inst, cyd.account_id) == "Cyd's Coffee"


@pytest.mark.parametrize("kind", NAMES)
async def test_whoever_was_invited_joins_by_no_name_of_any_size(
    inst: Installation, client: Browser, ada: Staff, kept: Callable[[], list[int]], kind: str
) -> None:
    link = await invite.invite(inst, ada, fresh(), "staff")
    path, before = "/" + link.split("/", 3)[3], kept()
    for value, status in ((NAMES[kind], 413), (LONG[kind], 422)):
        with soon():
            said(await client.post(path, data={"name": value, "password": PASSWORD}), status)
    assert kept() == before
    assert "session" not in client.cookies


@pytest.mark.parametrize("kind", NAMES)
async def test_a_provider_brings_nobody_by_a_name_of_any_size(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff, kept: Callable[[], list[int]], kind: str
) -> None:
    domain = await own(inst, ada)
    provider, before = Provider(client, await make_token(inst, ada)), kept()
    for body in (
        {"userName": f"eva@{domain}", "displayName": NAMES[kind]},
        {"userName": f"{NAMES[kind]}@{domain}"},
        {"userName": f"eva@{domain}", "name": {"givenName": NAMES[kind]}},
    ):
        with soon():
            status, told = await provider.ask("POST", "/Users", body)
        assert status == 413 and "too large" in told["detail"]
    with soon():
        assert (await provider.ask("POST", "/Users", {"userName": f"{LONG[kind]}@{domain}"}))[0] == 400
    assert kept() == before


async def test_an_openid_provider_brings_nobody_by_a_name_of_five_megabytes(
    near: Installation, oidc: Oidc, ada: Staff, near_browser: Browser
) -> None:
    domain = await with_company(near, oidc, ada)
    await invite.invite(near, ada, f"eva@{domain}", "staff")
    with soon():
        answer = await come(near_browser, oidc, f"eva@{domain}", name="e" * HUGE)
    said(answer, 422)
    assert "session" not in near_browser.cookies and await people.find_person(near, f"eva@{domain}") is None


async def test_a_saml_provider_brings_nobody_by_a_name_of_five_megabytes(
    inst: Installation, idp: Any, ada: Staff, client: Browser, new_browser: NewBrowser
) -> None:
    at = await Company(inst, idp, ada, new_browser).set_up()
    await invite.invite(inst, ada, f"eva@{at.domain}", "staff")
    raw, relay = await at.answer(client)
    with soon():
        answer = await at.post(client, raw.replace(b"Eva Corp", b"e" * HUGE), relay)
    said(answer, 413)
    assert await people.find_person(inst, f"eva@{at.domain}") is None


def png(width: int, height: int, rows: bytes, extra: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chunked(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def drawn(kind: str, size: tuple[int, int] = (64, 64), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


BOMBS = {
    "four hundred million pixels": lambda: drawn("PNG", (20_000, 20_000), "1"),
    "a head that says more than there is": lambda: png(60_000, 60_000, zlib.compress(b"\0" * 99)),
    "a length beyond counting": lambda: png(2**31 - 1, 2**31 - 1, b""),
    "words that explode": lambda: png(
        64, 64, zlib.compress(b"\0" * (64 * 193)), chunked(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 300_000_000))
    ),
    "a colour profile that explodes": lambda: png(
        64, 64, zlib.compress(b"\0" * (64 * 193)), chunked(b"iCCP", b"p\0\0" + zlib.compress(b"x" * 300_000_000))
    ),
    "a GIF that is called a PNG": lambda: drawn("GIF"),
    "a bitmap": lambda: drawn("BMP"),
    "a TIFF": lambda: drawn("TIFF"),
    "a page": lambda: b"<!doctype html><script>alert(1)</script>" * 20,
    "a drawing with a script": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "half of one": lambda: drawn("JPEG", (800, 800))[:400],
    "too thin": lambda: drawn("PNG", (4_000, 1)),
    "an archive": lambda: b"PK\x03\x04" + b"\0" * 400,
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
async def test_a_picture_that_explodes_or_lies_is_refused_on_the_profile_page_and_the_one_before_stays(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, bea: Staff, what: str
) -> None:
    await client.as_(ada)

    async def upload(content: bytes) -> httpx.Response:
        files = {"photo": ("me.png", content, "image/png")}
        return await client.post("/settings/profile", data={"do": "photo"}, files=files)

    assert (await upload(drawn("PNG"))).status_code == 200
    before, files = await read_profile(inst, ada.person_id), _files(inst)
    content, held = BOMBS[what](), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with soon():
        answer = await upload(content)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
    said(answer, 422)
    assert 'role="alert"' in answer.text and grown < 150_000, f"{grown} kB more memory"
    assert await read_profile(inst, ada.person_id) == before and _files(inst) == files
    colleague = await new_browser().as_(bea)
    assert (await colleague.get(f"/photos/{before.photo_id}/48")).status_code == 200
    assert (await read_profile(inst, bea.person_id)).photo_id is None


def _files(inst: Installation) -> set[str]:
    return {str(one) for one in inst.settings.data.rglob("*") if one.is_file() and "files" in one.parts}


async def test_a_file_above_the_limit_is_not_read_and_what_hangs_on_a_picture_is_not_kept(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    page = drawn("JPEG") + b"<script>alert('canary')</script>"
    for content, status in (
        (b"\xff" * (MOST_BYTES + 200_000), 413),
        (b"\xff" * (MOST_BYTES + 1), 413),
        (page, 200),
    ):
        files = {"photo": ("me.html", content, "text/html")}
        with soon():
            answer = await client.post("/settings/profile", data={"do": "photo"}, files=files)
        assert answer.status_code == status, answer.text[:300]
    photo_id = (await read_profile(inst, ada.person_id)).photo_id
    shown = await client.get(f"/photos/{photo_id}/96")
    assert shown.headers["content-type"] == "image/webp" and b"canary" not in shown.content
