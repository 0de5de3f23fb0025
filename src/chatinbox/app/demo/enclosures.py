"""What is attached to the demo's letters: pictures, a page as PDF, a list, a date for the calendar, plain words."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import PurePath

from chatinbox.app.demo.pictures import picture
from chatinbox.conversations.incoming import NewFile


@cache
def enclosure(name: str) -> NewFile:
    """The file of that name, made from it: its ending says what it is."""
    kind, make = _KINDS[PurePath(name).suffix]
    return NewFile(name, kind, make(name))


def _page(name: str) -> bytes:
    title = PurePath(name).stem.replace("-", " ").capitalize()
    lines = [
        "Halden Ceramics",
        "",
        title,
        "",
        "2 pieces, stoneware          62.00",
        "packing and post              9.50",
    ]
    return pdf(
        [
            *lines,
            "                             -----",
            "total                         71.50",
            "",
            "A page of the demo.",
        ]
    )


def pdf(lines: Sequence[str]) -> bytes:
    """One page of plain lines (ISO 32000-1)."""
    words = "".join(
        f"({line.replace(chr(92), '').replace('(', '').replace(')', '')}) Tj T*\n" for line in lines
    )
    stream = f"BT /F1 12 Tf 18 TL 72 760 Td\n{words}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def _words(name: str) -> bytes:
    return _TEXTS[name].encode()


def _table(_name: str) -> bytes:
    rows = ["room;cups;teapots;small bowls", *(f"{room};2;1;1" for room in range(1, 19)), "total;36;18;18"]
    return "\n".join(rows).encode()


def _date(_name: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Halden Ceramics//Workshop//EN", "BEGIN:VEVENT"]
    lines += ["UID:workshop-16@haldenceramics.example", "DTSTAMP:20261101T090000Z"]
    lines += ["DTSTART:20261216T090000Z", "DTEND:20261216T140000Z", "SUMMARY:Workshop at Halden Ceramics"]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()


_KINDS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    ".png": ("image/png", picture),
    ".pdf": ("application/pdf", _page),
    ".txt": ("text/plain", _words),
    ".csv": ("text/csv", _table),
    ".ics": ("text/calendar", _date),
}

_TEXTS = {
    "checkout.txt": "POST /checkout/pay -> 502 Bad Gateway (31.2 s)\nPOST /checkout/pay -> 502 Bad Gateway (30.8 s)\n"
    "order HC-20440, basket 124.00 EUR\nbrowser: the fox one, three tabs open\n",
    "questions.txt": "1. What is your clay body made of, roughly?\n2. Where does the clay come from?\n"
    "3. How high do you fire?\n4. How long do you hold?\n5. Electric, gas or wood?\n"
    "6. How many firings a month?\n7. What goes wrong most often?\n8. What would you not change?\n",
    "nine-years.txt": "Dear café,\n\nnine years ago I walked out with a cup of yours in my coat. I was not well that\n"
    "winter and it was the only warm thing I owned. I am well now. Here it is. It has\n"
    "one chip, which was my fault too.\n\nThank you for the loan.\n",
}
