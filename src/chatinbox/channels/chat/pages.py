"""The two things a website loads from us: the script with its launcher, and the frame of the open box."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import jinja2
import msgspec
from markupsafe import Markup

from chatinbox.accounts.opening_hours import opens_at
from chatinbox.accounts.workspace import Workspace
from chatinbox.channels.chat import assets
from chatinbox.channels.chat.look import Look
from chatinbox.core.clock import millis, now


def script(look: Look) -> bytes:
    """The loader with the channel's label and colours; everything it needs is inside."""
    box = msgspec.json.encode(
        {"label": look.label, "title": look.title, "brand": look.brand, "onBrand": look.on_brand}
    ).decode()
    return assets.load().loader.replace("__BOX__", box).encode()


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    room = jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.UI / "html/chat"), autoescape=True, trim_blocks=True
    )
    return room.get_template("frame.html")


def frame(
    look: Look, key: str, limit: int, privacy: Workspace | None = None, takes: Collection[str] = ()
) -> str:
    """The frame's page. `limit` is the largest file a visitor may send, in bytes, `takes` what the channel takes in; `privacy`
    says who the business is, when it answers, and where one asks about privacy.
    """
    opens = opens_at(privacy.hours, now()) if privacy else None
    known = {"key": key, "brand": look.brand, "onBrand": look.on_brand, "limit": limit}
    boot = msgspec.json.encode(known | ({"opens": millis(opens)} if opens else {})).decode()
    loaded = assets.load()
    return _template().render(
        box=look,
        files="files" in takes,
        traces="traces" in takes,
        privacy=privacy or Workspace(),
        boot=Markup(boot.replace("<", "\\u003c")),  # noqa: S704 — JSON without a single angle bracket
        assets=f"/chat/assets/{loaded.version}",
        modules=assets.MODULES[:-1],
    )


def frame_policy(look: Look, files_url: str) -> str:
    """The frame's Content-Security-Policy; who may frame it is the business's choice, anyone by default."""
    ancestors = " ".join(look.origins) or "*"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src {files_url}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
