"""The demo shop: a page of a make-believe customer on the second origin, carrying the one script line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatinbox.core.declared import Declared, Way

if TYPE_CHECKING:
    from chatinbox.core.installation import Installation


UI = Path(__file__).parents[3] / "ui"
GLAZES = ("Moss", "Ash", "Chalk", "Peat")


@dataclass(frozen=True)
class Product:
    """One thing the shop sells."""

    path: str
    name: str
    price: str
    glaze: str
    made: str
    words: str

    @property
    def drawing(self) -> str:
        """The name of its drawing."""
        return self.path.replace("-", "_")

    @property
    def small(self) -> bool:
        """All drawings but the first are made for a small frame."""
        return self.path != PRODUCTS[0].path


PRODUCTS = (
    Product(
        "moss-bowl",
        "Moss bowl, set of six",
        "€186.00",
        "Moss",
        "Stoneware, thrown in Halden",
        "Fourteen centimetres, deep enough for soup, flat enough for figs. "
        "Each one takes the glaze a little differently.",
    ),
    Product(
        "ash-cup",
        "Ash cup",
        "€24.00",
        "Ash",
        "Stoneware, thrown in Halden",
        "Holds a quarter of a litre and keeps it warm. The handle takes three fingers.",
    ),
    Product(
        "chalk-plate",
        "Chalk plate, 26 cm",
        "€38.00",
        "Chalk",
        "Stoneware, pressed and turned",
        "A wide rim and a quiet white. Goes into the oven and the dishwasher.",
    ),
    Product(
        "branch-vase",
        "Branch vase",
        "€72.00",
        "Clay",
        "Red clay, unglazed outside",
        "Made for one branch, not for a bouquet. Tight inside, so the table stays dry.",
    ),
    Product(
        "peat-bowl",
        "Peat bowl",
        "€31.00",
        "Peat",
        "Stoneware, thrown in Halden",
        "Dark as the ground it is named after. For salad, bread, or keys by the door.",
    ),
)


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    room = jinja2.Environment(
        loader=jinja2.FileSystemLoader(UI / "html/shop"), autoescape=True, trim_blocks=True
    )
    return room.get_template("product.html")


def page(public_url: str, key: str, path: str, basket: int) -> str:
    """One page of the shop."""
    product = next(item for item in PRODUCTS if item.path == path)
    others = [item for item in PRODUCTS if item is not product]
    return _template().render(
        product=product,
        others=others,
        glazes=GLAZES,
        basket=basket,
        key=key,
        public_url=public_url,
        home=f"/shop/{key}",
    )


def policy(public_url: str) -> str:
    """A strict policy for a site that carries the chat: two lines name our origin, nothing else is needed."""
    return (
        f"default-src 'none'; script-src {public_url}; frame-src {public_url}; style-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def routes(inst: Installation) -> list[Way]:
    """`/shop/<chat key>` and `/shop/<chat key>/<product>`; to be served on the second origin only."""
    public_url = inst.settings.public_url

    async def product(request: Request) -> Response:
        key, path = request.path_params["key"], request.path_params.get("product", PRODUCTS[0].path)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key) or path not in {item.path for item in PRODUCTS}:
            return Response("There is nothing here.", 404, media_type="text/plain")
        asked = request.query_params.get("basket", "1")
        basket = int(asked) if re.fullmatch(r"\d{1,2}", asked) else 1
        headers = {"content-security-policy": policy(public_url), "referrer-policy": "no-referrer"}
        return HTMLResponse(page(public_url, key, path, basket), headers=headers)

    async def sheet(request: Request) -> Response:
        return Response((UI / "css/shop.css").read_bytes(), media_type="text/css")

    to = Declared(("visitor", "customer"))
    return [
        Way("/shop/shop.css", sheet, to),
        Way("/shop/{key}", product, to),
        Way("/shop/{key}/{product}", product, to),
    ]
