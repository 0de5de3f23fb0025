"""Small PNG pictures of pots, drawn row by row: light, steady, and nobody's photograph (PNG, ISO/IEC 15948)."""

import struct
import zlib
from collections.abc import Callable
from math import sqrt

WIDTH, HEIGHT = 480, 360
_GLAZES = {
    "moss": (0x6F, 0x8A, 0x72),
    "ash": (0xA9, 0xA6, 0x9B),
    "chalk": (0xEA, 0xE4, 0xD8),
    "peat": (0x5A, 0x4C, 0x42),
    "clay": (0xB9, 0x79, 0x5B),
    "paper": (0xC9, 0xA9, 0x7C),
}
_WALLS = ((0xD9, 0xCF, 0xC0), (0xC9, 0xC4, 0xBB), (0xCF, 0xD6, 0xD4), (0xE4, 0xDA, 0xCB), (0xBF, 0xC7, 0xBE))
_WALL, _TABLE, _INSIDE, _BODY, _LINE, _SHADE = (
    0,
    48,
    80,
    88,
    152,
    153,
)  # where each colour begins in the palette

Rows = list[bytearray]


def picture(name: str) -> bytes:
    """The picture that belongs to a file's name: the same name gives the same picture."""
    seed = zlib.crc32(name.encode())
    glaze = next((glaze for glaze in _GLAZES if glaze in name), list(_GLAZES)[seed % 5])
    rows = _room()
    _shape(name, seed)(rows, WIDTH // 2 + seed // 7 % 80 - 40, 225 + seed // 11 % 30, 80 + seed // 13 % 40)
    if any(word in name for word in _CRACKED):
        _crack(rows, 200 + seed % 90)
    return _png(rows, _palette(_GLAZES["paper" if _is_box(name) else glaze], _WALLS[seed % len(_WALLS)]))


_CRACKED = ("rim", "chip", "talerz", "broken", "asa", "kande", "schaal", "photo", "nara")


def _is_box(name: str) -> bool:
    return any(word in name for word in ("colis", "pallet", "parcel", "inhalt", "order"))


def _shape(name: str, seed: int) -> Callable[[Rows, int, int, int], None]:
    if _is_box(name):
        return _box
    if any(word in name for word in ("logo", "stamp", "boceto", "rivka", "tracing")):
        return _stones
    if "talerz" in name or "plate" in name:
        return _plate
    return (_bowl, _cup, _bowl, _vase, _plate)[seed % 5]


def _room() -> Rows:
    horizon = 235
    wall = [bytearray([_WALL + y * 48 // horizon]) * WIDTH for y in range(horizon)]
    return wall + [
        bytearray([_TABLE + (y - horizon) * 32 // (HEIGHT - horizon)]) * WIDTH for y in range(horizon, HEIGHT)
    ]


def _span(rows: Rows, y: int, left: float, right: float, colour: int | None = None) -> None:
    """One row of a round body, lit from the left; or of one colour."""
    start, end = max(0, round(left)), min(WIDTH, round(right))
    if not 0 <= y < HEIGHT or end <= start:
        return
    if colour is not None:
        rows[y][start:end] = bytes([colour]) * (end - start)
        return
    width = end - start
    rows[y][start:end] = bytes(_BODY + min(63, abs(x * 100 // width - 30) * 63 // 70) for x in range(width))


def _ellipse(rows: Rows, x: int, y: int, a: float, b: float, colour: int) -> None:
    for step in range(-int(b), int(b) + 1):
        half = a * sqrt(max(0.0, 1 - (step / b) ** 2))
        _span(rows, y + step, x - half, x + half, colour)


def _bowl(rows: Rows, x: int, y: int, size: int) -> None:
    _ellipse(rows, x, y + int(size * 0.78), size * 0.8, size * 0.16, _SHADE)
    for step in range(int(size * 0.8)):
        half = size * sqrt(1 - (step / (size * 0.95)) ** 2)
        _span(rows, y + step, x - half, x + half)
    _ellipse(rows, x, y, size, size * 0.24, _LINE)
    _ellipse(rows, x, y + 1, size - 4, size * 0.24 - 3, _INSIDE)


def _cup(rows: Rows, x: int, y: int, size: int) -> None:
    size = int(size * 0.62)
    _ellipse(rows, x + 6, y + int(size * 1.25), size * 1.15, size * 0.24, _SHADE)
    _ellipse(rows, x + size, y + int(size * 0.5), size * 0.5, size * 0.46, _LINE)
    _ellipse(rows, x + size, y + int(size * 0.5), size * 0.32, size * 0.28, _WALL + 40)
    for step in range(int(size * 1.3)):
        half = size * (1 - 0.12 * (step / size) ** 2)
        _span(rows, y + step, x - half, x + half)
    _ellipse(rows, x, y, size, size * 0.25, _LINE)
    _ellipse(rows, x, y + 1, size - 4, size * 0.25 - 3, _INSIDE)


def _plate(rows: Rows, x: int, y: int, size: int) -> None:
    size = int(size * 1.5)
    _ellipse(rows, x, y + 26, size * 0.95, size * 0.25, _SHADE)
    _ellipse(rows, x, y + 14, size, size * 0.27, _BODY + 50)
    _ellipse(rows, x, y + 6, size, size * 0.27, _BODY + 6)
    _ellipse(rows, x, y + 9, size * 0.68, size * 0.16, _BODY + 18)


def _vase(rows: Rows, x: int, y: int, size: int) -> None:
    top = y - size
    _ellipse(rows, x, y + int(size * 0.85), size * 0.55, size * 0.12, _SHADE)
    for step in range(int(size * 1.85)):
        part = step / (size * 1.85)
        half = size * (0.14 + 0.46 * max(0.0, part - 0.18) ** 0.6 - 0.34 * max(0.0, part - 0.55) ** 1.3)
        _span(rows, top + step, x - half, x + half)
    _ellipse(rows, x, top, size * 0.15, size * 0.05, _LINE)


def _box(rows: Rows, x: int, y: int, size: int) -> None:
    for step in range(size + 30):
        _span(rows, y - 50 + step, x - size * 1.3, x + size * 0.5, _BODY + 12)
        _span(rows, y - 50 + step, x + size * 0.5, x + size * 1.25, _BODY + 36)
    for step in range(34):
        _span(rows, y - 84 + step, x - size * 1.3 + 34 - step, x + size * 1.25 - step * 0.7, _BODY + 2)
    for step in range(size + 64):
        _span(rows, y - 84 + step, x - size * 0.5, x - size * 0.34, _INSIDE)


def _stones(rows: Rows, x: int, y: int, size: int) -> None:
    for line in range(30, HEIGHT - 30):
        _span(rows, line, 70, WIDTH - 70, _WALL)
    for part, a, b in ((-0.7, 0.9, 0.6), (0.75, 0.55, 0.42)):
        _ellipse(rows, int(x + size * part), int(170 + y % 20), size * a, size * b, _LINE)
        _ellipse(rows, int(x + size * part), int(170 + y % 20), size * a - 5, size * b - 5, _INSIDE)


def _crack(rows: Rows, x: int) -> None:
    for step in range(46):
        x += (step * 7919 >> 3) % 5 - 2
        _span(rows, 214 + step, x, x + 3 - step / 20, _SHADE)


def _palette(glaze: tuple[int, int, int], wall: tuple[int, int, int]) -> bytes:
    colours = [_mix(wall, (255, 255, 255), 0.35 - at / 160) for at in range(48)]
    colours += [_mix((0x9C, 0x84, 0x6A), (0x6E, 0x58, 0x42), at / 40) for at in range(32)]
    colours += [_mix(glaze, (30, 34, 30), 0.35)] * 8
    colours += [_mix(_mix(glaze, (255, 255, 255), 0.28), (20, 22, 20), at / 90) for at in range(64)]
    colours += [_mix(glaze, (255, 255, 255), 0.45), (0x4E, 0x44, 0x38)]
    return b"".join(bytes(colour) for colour in colours)


def _mix(one: tuple[int, int, int], other: tuple[int, int, int], part: float) -> tuple[int, int, int]:
    red, green, blue = (max(0, min(255, round(a + (b - a) * part))) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _png(rows: Rows, palette: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    parts = [(b"IHDR", head), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in parts)
