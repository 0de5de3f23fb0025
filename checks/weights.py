"""What the browser has to fetch, compressed: the inbox's first visit, the website's first view, the chat's launcher and its open box."""

import gzip
import sys
from pathlib import Path

sys.path.insert(0, "src")

from chatinbox.channels.chat import assets as chat
from chatinbox.web.assets import load

UI = Path("ui")
ROW = 700  # a row of the first list in the page's own data, before compression


def packed(text: bytes) -> int:
    return len(gzip.compress(text, 9))


def inbox() -> int:
    _, files = load()
    sheets = ("css/tokens.css", "css/components.css", "css/inbox.css", "css/letter.css")
    loaded = [
        f
        for path, f in files.items()
        if path.startswith(("js/inbox/", "js/vendor/")) and path.endswith(".js")
    ]
    loaded += [files[name] for name in (*sheets, "icons/icons.svg", "icons/mark.svg")]
    page = (UI / "html" / "inbox.html").read_bytes() + b'{"row": "some words of a conversation"}' * (
        50 * ROW // 40
    )
    return sum(len(file.packed) for file in loaded) + packed(page)


def launcher() -> int:
    return packed(chat.load().loader.encode())


def open_box() -> int:
    box = chat.load()
    return (
        launcher()
        + packed((UI / "html/chat/frame.html").read_bytes())
        + sum(len(f.packed) for f in box.files.values())
    )


def website() -> int:
    """The first page as a desktop sees it: its words, its two sheets, its mark, and the heavier of its pictures."""
    _, files = load()
    words = packed((UI / "html/site/home.html").read_bytes() + (UI / "html/site/_site.html").read_bytes())
    pictures = [
        len(file.plain)
        for path, file in files.items()
        if path.startswith("pictures/inbox-") and path.endswith(".avif")
    ]
    small = ("css/tokens.css", "css/site.css", "icons/mark.svg")
    return words + max(pictures) + sum(len(files[name].packed) for name in small)


LIMITS = [
    ("staff inbox, first visit", inbox, 100_000),
    ("website, first view", website, 60_000),
    ("chat launcher", launcher, 4_000),
    ("chat box, open", open_box, 20_000),
]


def main() -> int:
    heavy = False
    for name, weigh, limit in LIMITS:
        weight = weigh()
        heavy |= weight > limit
        print(
            f"{name}: {weight / 1000:.1f} KB of {limit / 1000:.0f} KB{'  TOO HEAVY' if weight > limit else ''}"
        )
    return heavy


if __name__ == "__main__":
    raise SystemExit(main())
