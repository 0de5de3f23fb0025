"""My profile over the real pages: whatever is personal can be changed, added and deleted by its owner alone."""

import asyncio
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chatinbox.accounts import people, sign_in
from chatinbox.accounts.add_staff import join
from chatinbox.accounts.photo import SIZES, draw, file_id
from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import read_staff
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.throttle import Throttle
from chatinbox.channels.email.kept import list_kept
from chatinbox.conftest import PASSWORD, Browser
from chatinbox.core.clock import now, travel
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY, new_id
from chatinbox.core.installation import Installation
from chatinbox.web.settings import profile as page

NewBrowser = Callable[[], Browser]


@pytest.fixture(autouse=True)
def patient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "letters", Throttle(30, 3600))


def fresh() -> str:
    return f"p{new_id().hex[-12:]}@mail.example"


def picture(kind: str = "JPEG", size: tuple[int, int] = (300, 200)) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "CANARY at 52.5200 N"
    Image.new("RGB", size, "teal").save(out, kind, exif=exif)
    return out.getvalue()


async def do(browser: Browser, act: str, page: str = "profile", **fields: str) -> str:
    answer = await browser.post(f"/settings/{page}", data={"do": act, **fields})
    return answer.text


async def links_in_letters(inst: Installation, staff: Staff) -> dict[str, str]:
    """The newest link to each address."""
    found: dict[str, str] = {}
    for letter in await list_kept(inst, staff):
        link = re.search(r"/address/[\w-]+", letter.text)
        if link:
            found.setdefault(letter.header("to"), link.group())
    return found


async def upload(browser: Browser, content: bytes) -> str:
    answer = await browser.post(
        "/settings/profile", data={"do": "photo"}, files={"photo": ("me.png", content, "image/png")}
    )
    return answer.text


async def test_each_field_can_be_added_changed_and_deleted_by_its_owner_alone(
    inst: Installation, client: Browser, ada: Staff, bea: Staff
) -> None:
    await client.as_(ada)
    assert "Ada Lovely" in await do(client, "rename", name="Ada Lovely")
    assert "Kind regards" in await do(client, "signature", signature="Kind regards\nAda")
    await do(client, "place", language="de", time_zone="Europe/Berlin")
    await do(client, "notify", assigned="on")
    mine = await read_profile(inst, ada.person_id)
    assert (mine.signature, mine.language, mine.time_zone) == ("Kind regards\nAda", "de", "Europe/Berlin")
    assert (mine.notify.assigned, mine.notify.answered) == (True, False)
    assert "without a signature" in await do(client, "signature", signature="  \n")
    assert (await read_profile(inst, ada.person_id)).signature == ""
    assert (await read_profile(inst, bea.person_id)).time_zone == "UTC"


async def test_a_language_is_chosen_changed_and_taken_back_also_while_the_account_is_unpaid_or_closed(
    inst: Installation, client: Browser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    assert (await read_profile(inst, ada.person_id)).language == "", (
        "nothing is stored of what a browser asks for"
    )
    assert '<option value="" selected>' in (await client.get("/settings/profile")).text
    for state in ("unpaid_at", "closed_at"):
        set_ = f"update account set {state} = now() where account_id = %s"
        await inst.db.run(ada.account_id, (set_, [ada.account_id]))
        for language in ("de", "en", "de", ""):
            await do(client, "place", language=language, time_zone="UTC")
            assert (await read_profile(inst, ada.person_id)).language == language
    await do(client, "place", language="de", time_zone="UTC")
    assert '<option value="de" selected>Deutsch' in (await client.get("/settings/profile")).text
    for other in (bea, cyd):
        assert (await read_profile(inst, other.person_id)).language == ""


async def test_a_language_that_is_no_longer_offered_is_kept_for_its_owner_and_troubles_nobody(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    """Any language could once be chosen; a catalogue may be taken away as well."""
    key = await inst.vault.person_key(ada.person_id)
    raw = b'{"language":"nl","signature":"Ada"}'
    sealed = key.seal(raw, NOBODY, "person_profile", "profile", ada.person_id)
    await inst.db.directory("select directory.set_profile(%s, %s, %s)", [ada.person_id, sealed, now()])
    await client.as_(ada)
    assert (await client.get("/settings/profile")).status_code == 200
    assert "signature is saved" in await do(client, "signature", signature="Ada Lund")
    assert (await read_profile(inst, ada.person_id)).signature == "Ada Lund"


async def test_what_cannot_be_kept_is_refused_with_a_sentence_and_changes_nothing(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    assert "at most 12 lines" in await do(client, "signature", signature="x\n" * 30)
    assert "from the list" in await do(client, "place", language="en", time_zone="../../etc/passwd")
    assert "from the list" in await do(client, "place", language="xx", time_zone="UTC")
    await do(client, "signature", signature="Ada \u202egnihton\u0007")
    assert (await read_profile(inst, ada.person_id)).signature == "Ada gnihton"


async def test_a_photo_is_seen_by_colleagues_only_and_deleting_it_leaves_no_size_anywhere(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, bea: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    assert "/photos/" in await upload(client, picture())
    photo_id = (await read_profile(inst, ada.person_id)).photo_id
    assert photo_id and {one.photo for one in await read_staff(inst, ada.account_id)} == {photo_id, None}
    colleague, outsider, nobody = await new_browser().as_(bea), await new_browser().as_(cyd), new_browser()
    for size in SIZES:
        path = f"/photos/{photo_id}/{size}"
        shown = await colleague.get(path)
        assert shown.status_code == 200 and shown.headers["content-type"] == "image/webp"
        assert b"CANARY" not in shown.content and Image.open(io.BytesIO(shown.content)).size == (size, size)
        made_up = await outsider.get(f"/photos/{new_id()}/{size}")
        for stranger in (await outsider.get(path), await nobody.get(path)):
            assert stranger.status_code == 404 and stranger.content == made_up.content
        assert b"WEBP" not in inst.files.path(NOBODY, file_id(photo_id, size)).read_bytes()
    assert "deleted" in await do(client, "remove-photo")
    for size in SIZES:
        assert (await colleague.get(f"/photos/{photo_id}/{size}")).status_code == 404
        assert not inst.files.path(NOBODY, file_id(photo_id, size)).exists()
    assert all(one.photo is None for one in await read_staff(inst, ada.account_id))


async def test_another_photo_replaces_every_size_of_the_one_before(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    await upload(client, picture())
    before = (await read_profile(inst, ada.person_id)).photo_id
    await upload(client, picture("PNG"))
    after = (await read_profile(inst, ada.person_id)).photo_id
    assert before and after and before != after
    assert [inst.files.path(NOBODY, file_id(before, size)).exists() for size in SIZES] == [False] * 3


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"GIF89a" + b"\0" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
    ],
)
async def test_a_file_that_is_no_picture_is_refused_whatever_it_is_called(
    inst: Installation, client: Browser, ada: Staff, lie: bytes
) -> None:
    await client.as_(ada)
    assert 'role="alert"' in await upload(client, lie)
    assert (await read_profile(inst, ada.person_id)).photo_id is None


def test_a_picture_that_explodes_when_it_is_opened_is_refused_before_that() -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    assert len(out.getvalue()) < 200_000
    with pytest.raises(Refused, match="photo"):
        draw(out.getvalue())


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(0, 600), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_a_damaged_picture_is_drawn_or_refused_but_never_breaks(noise: bytes, at: int, kind: str) -> None:
    whole = picture(kind, (40, 30))
    try:
        drawn = draw(whole[:at] + noise + whole[at + len(noise) :])
    except Refused as refused:
        assert refused.code == "photo"
    else:
        assert sorted(drawn) == sorted(SIZES)


async def test_a_new_address_is_confirmed_by_it_and_signs_in_everywhere(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, cyd: Staff
) -> None:
    await join(inst, cyd.account_id, ada.person_id, "staff")
    await client.as_(ada)
    old, new = (await people.read_person(inst, ada.person_id)).email, fresh()
    await do(client, "address", email=new)
    assert (await people.read_person(inst, ada.person_id)).email == old
    link = (await links_in_letters(inst, ada))[new]
    stranger = new_browser()
    assert (await stranger.get(link)).status_code == 200
    assert (await people.read_person(inst, ada.person_id)).email == old, "looking is not confirming"
    assert "is changed" in (await stranger.post(link)).text
    assert (await stranger.post(link)).status_code == 410
    assert await sign_in.sign_in(inst, new.upper(), PASSWORD, "tests")
    with pytest.raises(Refused):
        await sign_in.sign_in(inst, old, PASSWORD, "tests")
    for account_id in (ada.account_id, cyd.account_id):
        assert new in {one.email for one in await read_staff(inst, account_id)}


@pytest.mark.parametrize("confirmed", [False, True])
async def test_the_old_address_can_stop_it_before_and_for_a_week_after(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff, confirmed: bool
) -> None:
    await client.as_(ada)
    old, new = (await people.read_person(inst, ada.person_id)).email, fresh()
    await do(client, "address", email=new)
    links, stranger = await links_in_letters(inst, ada), new_browser()
    if confirmed:
        await stranger.post(links[new])
        assert await people.add_person(inst, "Squatter", old, PASSWORD, confirmed=False) is None
    with travel(timedelta(days=6) if confirmed else timedelta(days=2)):
        assert "stays" in (await stranger.post(links[old])).text
    assert (await people.read_person(inst, ada.person_id)).email == old
    assert old in {one.email for one in await read_staff(inst, ada.account_id)}
    assert (await stranger.post(links[new])).status_code == 410
    assert (await client.get("/settings/profile")).status_code == 303, "every session has ended"


async def test_after_a_week_it_can_no_longer_be_stopped(
    inst: Installation, client: Browser, new_browser: NewBrowser, ada: Staff
) -> None:
    await client.as_(ada)
    old, new = (await people.read_person(inst, ada.person_id)).email, fresh()
    await do(client, "address", email=new)
    links, stranger = await links_in_letters(inst, ada), new_browser()
    await stranger.post(links[new])
    with travel(timedelta(days=8)):
        assert (await stranger.post(links[old])).status_code == 410
    assert (await people.read_person(inst, ada.person_id)).email == new


async def test_an_address_that_is_taken_gets_the_same_answer_and_changes_nothing(
    inst: Installation, client: Browser, ada: Staff, cyd: Staff
) -> None:
    await client.as_(ada)
    taken, free = (await people.read_person(inst, cyd.person_id)).email, fresh()

    def bare(text: str, email: str) -> str:
        return re.sub(r'nonce="[^"]*"', "", text).replace(email, "?")

    first = bare(await do(client, "address", email=free), free)
    assert first == bare(await do(client, "address", email=taken), taken)
    await asyncio.sleep(0)
    assert taken not in await links_in_letters(inst, ada)
    assert await people.find_person(inst, taken) == cyd.person_id


async def test_a_change_of_address_asks_again_who_it_is(
    inst: Installation, client: Browser, ada: Staff
) -> None:
    await client.as_(ada)
    with travel(timedelta(minutes=20)):
        new = fresh()
        assert "Is it you?" in await do(client, "address", email=new)
        assert "Is it you?" in await do(client, "address", email=new, proof="wrong")
        assert new not in await links_in_letters(inst, ada)
        assert "Open the link" in await do(client, "address", email=new, proof=PASSWORD)
