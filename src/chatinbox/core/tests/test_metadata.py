"""What devices write into pictures goes; what is seen stays as it was."""

import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from chatinbox.core.metadata import without_metadata

CANARY = b"Canary 47.3769N 8.5417E"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + CANARY + b"</x:xmpmeta>"


def drawn() -> Image.Image:
    return Image.linear_gradient("L").resize((24, 16)).convert("RGB")


def exif(side: int = 1) -> bytes:
    written = Image.Exif()
    written[0x010F] = CANARY.decode()
    written[0x0112] = side
    written.get_ifd(0x8825)[2] = (47.0, 22.0, 36.0)
    return written.tobytes()


def saved(kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    drawn().save(out, kind, **more)  # type: ignore[arg-type]
    return out.getvalue()


def png() -> bytes:
    words = PngInfo()
    words.add_text("Author", CANARY.decode())
    words.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return saved("PNG", pnginfo=words, exif=exif())


def gif() -> bytes:
    frames = [drawn().convert("P"), drawn().rotate(90).convert("P")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=CANARY)
    return out.getvalue()


PICTURES = {
    "jpeg": saved("JPEG", exif=exif(), xmp=XMP, comment=CANARY) + b"\x00\x00\x00\x18ftypmp42" + CANARY,
    "progressive": saved("JPEG", exif=exif(), xmp=XMP, progressive=True),
    "png": png() + CANARY,
    "webp": saved("WEBP", exif=exif(), xmp=XMP),
    "gif": gif() + CANARY,
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_says_no_more_where_and_with_what_it_was_taken_and_looks_the_same(kind: str) -> None:
    before = PICTURES[kind]
    assert CANARY in before
    after = without_metadata(before)
    assert CANARY not in after and b"xmp" not in after
    was, now = Image.open(io.BytesIO(before)), Image.open(io.BytesIO(after))
    assert was.tobytes() == now.tobytes() and getattr(now, "n_frames", 1) == getattr(was, "n_frames", 1)
    assert dict(now.getexif()) == {} and not now.getexif().get_ifd(0x8825)
    assert without_metadata(after) == after


def test_which_side_is_up_stays_because_a_picture_would_lie_on_its_side_without() -> None:
    after = without_metadata(saved("JPEG", exif=exif(side=6)))
    assert dict(Image.open(io.BytesIO(after)).getexif()) == {0x0112: 6}
    assert CANARY not in after


def test_colours_stay_what_they_are() -> None:
    profile = b"a profile of colours" * 20
    for kind in ("JPEG", "PNG", "WEBP"):
        after = without_metadata(saved(kind, icc_profile=profile, exif=exif()))
        assert Image.open(io.BytesIO(after)).info["icc_profile"] == profile and CANARY not in after


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", 8 + len(content), kind) + content


def heic(words: bytes, length: int | None = None, in_data: bool = False, times: int = 1) -> bytes:
    """The least that a HEIC has: two items, of which one is Exif, both in `mdat` or, with `in_data`, the Exif in `idat`.

    `length` is what is told of the Exif's length, `times` how often its place is told.
    """
    seen = b"what is seen"
    told = len(words) if length is None else length

    def whole(start: int) -> bytes:
        infe = [
            box(b"infe", struct.pack(">LHH4sx", 2 << 24, number, 0, kind))
            for number, kind in ((1, b"hvc1"), (2, b"Exif"))
        ]
        iinf = box(b"iinf", struct.pack(">LH", 0, 2) + b"".join(infe))
        places = [(1, 0, 1, start, len(seen))]
        places += [(2, int(in_data), times, 0 if in_data else start + len(seen), told)]
        iloc = box(
            b"iloc",
            struct.pack(">LBBH", 1 << 24, 0x44, 0, 2)
            + b"".join(
                struct.pack(">HHHH", one, method, 0, count) + struct.pack(">LL", at, size) * count
                for one, method, count, at, size in places
            ),
        )
        data = box(b"idat", words) + box(b"iref", b"stays") if in_data else b""
        meta = box(b"meta", b"\0\0\0\0" + iinf + iloc + data)
        mdat = box(b"mdat", seen + (b"" if in_data else words))
        return box(b"ftyp", b"heicmif1") + meta + mdat + box(b"free", b"behind")

    return whole(whole(0).index(seen))


@pytest.mark.parametrize("length", [None, 0, 10_000])
@pytest.mark.parametrize("in_data", [False, True])
def test_a_phones_picture_loses_its_exif_and_nothing_moves(length: int | None, in_data: bool) -> None:
    before = heic(CANARY, length, in_data)
    after = without_metadata(before)
    assert CANARY in before and after == before.replace(CANARY, bytes(len(CANARY)))


def test_a_place_that_is_told_thousands_of_times_costs_no_more_time_than_once() -> None:
    before = heic(CANARY + bytes(20_000_000), times=5_000)
    began = time.thread_time()
    assert CANARY not in without_metadata(before)
    assert time.thread_time() - began < 2


def test_a_film_loses_its_place_and_its_time() -> None:
    place = box(b"udta", box(b"\xa9xyz", CANARY))
    when = box(b"mvhd", struct.pack(">LLL", 0, 3_900_000_000, 3_900_000_001) + b"the rest")
    film = (
        box(b"ftyp", b"qt  ")
        + box(b"moov", when + place + box(b"trak", box(b"meta", CANARY)))
        + box(b"mdat", b"seen")
    )
    after = without_metadata(film)
    assert (
        CANARY not in after
        and len(after) == len(film)
        and after.endswith(b"mdatseen")
        and b"the rest" in after
    )
    assert struct.pack(">L", 3_900_000_000) not in after


@pytest.mark.parametrize("kind", [b"mvhd", b"tkhd", b"mdhd"])
@pytest.mark.parametrize(
    "content", [b"", b"\x01", b"\0\0\0\0", b"\x01\0\0\0\xff\xff", b"\0\0\0\0" + b"\xff" * 7]
)
def test_a_box_too_short_for_its_dates_costs_its_neighbour_nothing(kind: bytes, content: bytes) -> None:
    short, place = box(kind, content), box(b"udta", CANARY)
    blank = box(kind, content[:4] + bytes(len(content[4:])))
    begun, gone = box(b"ftyp", b"qt  "), box(b"free", bytes(len(CANARY)))
    assert without_metadata(begun + box(b"moov", short + box(b"seen", b"stays") + place)) == begun + box(
        b"moov", blank + box(b"seen", b"stays") + gone
    )
    assert without_metadata(begun + box(b"moov", place + short)) == begun + box(b"moov", gone + blank)


@given(st.sampled_from(sorted(PICTURES)), st.data())
def test_a_broken_picture_is_given_back_and_nothing_fails(kind: str, data: st.DataObject) -> None:
    whole = bytearray(PICTURES[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(without_metadata(bytes(whole[: data.draw(st.integers(4, len(whole)))])), bytes)


@given(st.binary(max_size=200))
def test_what_is_no_picture_stays_as_it_is(content: bytes) -> None:
    assert without_metadata(b"%PDF" + content) == b"%PDF" + content
    for begun in (
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"GIF89a",
        b"\0\0\0\x0cftypmeta",
        b"\0\0\0\x08ftyp",
    ):
        assert isinstance(without_metadata(begun + content), bytes)
