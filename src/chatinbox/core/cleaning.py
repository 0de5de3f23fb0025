"""Cleaning of HTML that strangers wrote: an allow-list, so that what is left can do nothing but be read.

No scripts, forms, frames, SVG or style sheets; pictures of other servers are not loaded (they would tell that the
letter was read), pictures of the letter itself (`cid:`, RFC 2392) stay. Done once, when a letter is stored.

Two parsers, one after the other: libxml2 makes a balanced tree of bounded depth, which is weighed before html5ever
(nh3) meets it, because unbalanced HTML can make an HTML5 parser write a thousand times what it read.
"""

import html
import re
from dataclasses import dataclass
from urllib.parse import unquote

import nh3
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree
from lxml import html as lxml_html

from chatinbox.core.css import safe_style, write_into_elements

LARGEST = 1_000_000
DEEPEST = 200
HEAVIEST = 300_000
MOST_WORDS_IN_A_TAG = 2_000

_TAGS = {
    "a", "abbr", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col",
    "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_GONE = {
    "script", "style", "title", "template", "noscript", "iframe", "frame", "frameset", "noframes", "noembed", "object",
    "embed", "applet", "svg", "math", "textarea", "select", "xmp", "plaintext", "listing", "audio", "video", "canvas", "link",
    "meta", "base",
}  # fmt: skip
# What an HTML5 parser opens again after a block that closed around it (HTML, 13.2.4.3).
_FORMATTING = {
    "a",
    "b",
    "big",
    "code",
    "em",
    "font",
    "i",
    "nobr",
    "s",
    "small",
    "strike",
    "strong",
    "tt",
    "u",
}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"style", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor"},
    "a": {"href"},
    "img": {"src", "alt", "border", "data-remote-src"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start", "type"},
    "blockquote": {"type"},
}
_NUMBERS = {"width", "height", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "start", "size"}
_OWN_PICTURE = re.compile(r"(?i)data:image/(?:png|jpe?g|gif|webp);base64,[a-z0-9+/=\s]{1,60000}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT = ParserConfig(css=CSS_PROFILES["strict"], display_links=False, display_images=False)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Inert HTML, and how many pictures of other servers it would have loaded."""

    html: str
    remote_pictures: int


class TooWild(Exception):
    """HTML that is too large, too deep or too tangled to be shown as it was meant."""


def clean_html(text: str) -> Cleaned:
    """Cleans HTML. What is too wild for that becomes plain text, so that nothing is lost and nobody waits."""
    try:
        document = tree_of(text)
    except TooWild:
        return Cleaned(f"<pre>{html.escape(_CONTROL.sub('', _without_tags(text)))}</pre>", 0)
    if document is None:
        return Cleaned("", 0)
    write_into_elements(document)
    etree.strip_elements(document, *_GONE, with_tail=False)
    for picture in document.iter("img"):
        _name_source(picture)
    kept = nh3.clean(
        lxml_html.tostring(document, encoding="unicode"),
        tags=_TAGS,
        clean_content_tags={"script", "style", "head", "svg", "math"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        strip_comments=True,
    )
    kept = _CONTROL.sub("", kept)
    return Cleaned(kept, len(re.findall(r"<img\b[^<>]*\sdata-remote-src=\"", kept)))


def tree_of(text: str) -> lxml_html.HtmlElement | None:
    """The letter's tree, balanced and weighed; None when there is nothing in it. Raises TooWild."""
    if len(text) > LARGEST or _crowded(text):
        raise TooWild
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        document = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    if any("depth" in entry.message for entry in parser.error_log) or _weight(document) > HEAVIEST:
        raise TooWild
    return document


def _crowded(text: str) -> bool:
    """A tag with thousands of attributes: parsers compare each with each."""
    return any(
        len(tag[0].split()) > MOST_WORDS_IN_A_TAG for tag in re.finditer(r"<[a-zA-Z][^<>]{8000,}", text)
    )


def _weight(document: lxml_html.HtmlElement) -> int:
    """How many elements an HTML5 parser may have to open again, all in all. Raises TooWild when it is too deep."""
    weight = depth = formatting = 0
    for event, element in etree.iterwalk(document, events=("start", "end")):
        step = 1 if event == "start" else -1
        depth += step
        if depth > DEEPEST:
            raise TooWild
        if element.tag in _FORMATTING:
            formatting += step
        weight += formatting if step > 0 else 0
    return weight


def _name_source(picture: lxml_html.HtmlElement) -> None:
    """Takes the source from a picture of another server, and says beside it what it was."""
    source = "".join(picture.get("src", "").split())
    if source.startswith("//"):
        source = f"https:{source}"
    if re.match(r"(?i)https?://", source):
        del picture.attrib["src"]
        picture.set("data-remote-src", source[:4000])


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What becomes of one attribute; None takes it away."""
    if name == "style":
        return safe_style(value) or None
    if name == "href":
        link = re.sub(r"[\x00-\x20]+", "" if re.match(r"(?i)\s*(https?|tel):", value) else " ", value).strip()
        return link if re.match(r"(?i)(https?://|mailto:|tel:)", link) else None
    if name == "src":
        if value.lower().startswith("cid:"):
            return "cid:" + unquote(value[4:])
        return value if tag == "img" and _OWN_PICTURE.fullmatch(value) else None
    if name == "data-remote-src":
        return value if re.match(r"(?i)https?://", value) else None
    if name in _NUMBERS:
        return value if re.fullmatch(r"\+?\d{1,4}(px|%)?", value.strip()) else None
    return value


def to_text(text: str) -> str:
    """HTML as plain text; falls back to dropping tags when the HTML is too wild to be read."""
    try:
        document = tree_of(text)
        if document is None:
            return ""
        etree.strip_elements(document, *_GONE, "head", with_tail=False)
        _flatten_tables(document)
        told = Inscriptis(document, _TEXT).get_text()
    except (TooWild, RecursionError, ValueError, AttributeError, KeyError, IndexError):
        told = _without_tags(text)
    told = _CONTROL.sub("", told)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in told.splitlines())).strip()


def _flatten_tables(document: lxml_html.HtmlElement) -> None:
    """Rows become lines: columns that are padded to equal width would make megabytes of blanks."""
    for element in document.iter(
        "table", "tbody", "thead", "tfoot", "tr", "caption", "td", "th", "col", "colgroup"
    ):
        if element.tag in ("td", "th"):
            element.tail = f" {element.tail or ''}"
            element.tag = "span" if element.find(".//*[@style]") is None and not len(element) else "div"
        else:
            element.tag = "div"


def _without_tags(text: str) -> str:
    """Words alone, in linear time whatever the HTML is."""
    bare = re.sub(r"(?is)<(script|style|title)\b.*?</\1\s*>", "", text[:LARGEST])
    bare = re.sub(r"(?i)<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]*>", "\n", bare)
    return html.unescape(re.sub(r"<[a-zA-Z/!?][^<>]*>?", " ", bare)).strip()


_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}']")


def to_html(text: str) -> str:
    """Plain text as HTML for a letter: paragraphs, lines, links."""
    parts = []
    for paragraph in re.split(r"\n{2,}", text.replace("\r\n", "\n").strip("\n")):
        lines = "<br>\n".join(_linked(line) for line in paragraph.split("\n"))
        parts.append("<p>" + lines + "</p>")
    return "\n".join(parts)


def _linked(line: str) -> str:
    """One line, escaped, its links made links. The link is found before it is escaped, so an & in it stays its own."""
    told, last = [], 0
    for found in _LINK.finditer(line):
        link = html.escape(found[0])
        told += [html.escape(line[last : found.start()]), f'<a href="{link}">{link}</a>']
        last = found.end()
    return "".join([*told, html.escape(line[last:])])
