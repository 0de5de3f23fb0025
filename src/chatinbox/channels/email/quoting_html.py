"""The same for HTML, by what mail programs mark and by what their quotations begin with."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from chatinbox.channels.email.quoting import begins_head, is_original, says_who
from chatinbox.core.cleaning import TooWild, tree_of

_BLOCKS = ("p", "div", "td", "blockquote", "body")
MOST_ELEMENTS = 50_000
_CONTAINERS = {
    "gmail_quote", "gmail_extra", "gmail_quote_container", "yahoo_quoted", "protonmail_quote", "zmail_extra", "tutanota_quote",
    "zoho_quote", "freshdesk_quote", "front-blockquote", "mailru-blockquote", "superhuman_quote", "nylas_quote",
}  # fmt: skip
_CLASSES = _CONTAINERS | {"moz-cite-prefix", "OutlookMessageHeader", "ms-outlook-mobile-reference-message"}
_IDS = {
    "divRplyFwdMsg", "appendonsend", "reply-intro", "OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container",
    "stopSpelling", "zwchr", "oriMsgHtmlSeperator", "isForwardContent",
}  # fmt: skip


def fold_html(raw: str) -> tuple[str, str | None]:
    """One's own words and what is folded, as HTML; None when nothing is."""
    try:
        document = tree_of(raw)
    except TooWild:  # shown whole
        return raw, None
    if document is None:
        return raw, None
    body = document.find("body")
    mark = _mark(body) if body is not None else None
    if body is None or mark is None:
        return raw, None
    folded = _fold(body, mark)
    if folded is None or not (_words(body) or body.find(".//img") is not None):
        return raw, None
    sheets = "".join(
        lxml_html.tostring(sheet, encoding="unicode", with_tail=False)
        for sheet in document.iterfind("head//style")
    )
    return sheets + lxml_html.tostring(body, encoding="unicode"), sheets + folded


def _mark(body: HtmlElement) -> HtmlElement | None:
    """The first element that is quoted, or that begins what is quoted to the end."""
    for number, element in enumerate(body.iter()):
        if number > MOST_ELEMENTS:
            return None
        if not isinstance(element.tag, str) or element is body:
            continue
        if _is_marked(element) or (element.tag == "blockquote" and says_who(_line_before(element))):
            return element
        head = _head_block(element)
        if head is not None:
            return head
    return None


def _names(element: HtmlElement) -> set[str]:
    return {name.removeprefix("x_").removeprefix("ecx") for name in element.get("class", "").split()}


def _is_marked(element: HtmlElement) -> bool:
    if _CLASSES & _names(element):
        return True
    if element.get("id", "").removeprefix("x_") in _IDS:
        return True
    return element.tag == "blockquote" and (element.get("type") == "cite" or bool(element.get("cite")))


def _head_block(element: HtmlElement) -> HtmlElement | None:
    """The block that begins here with From:, Sent:, To:, Subject:, when there is one."""
    first = (element.text or "").strip()
    if not 2 <= len(first) <= 200 or not (begins_head([first, first, first]) or is_original(first)):
        return None
    block = next((one for one in (element, *element.iterancestors()) if one.tag in _BLOCKS), element)
    lines = list(_lines(block))
    if len([line for line in lines if line.strip()]) < 3 and block.tag != "body":
        for sibling in list(block.itersiblings())[:6]:
            lines += list(_lines(sibling)) if isinstance(sibling.tag, str) else []
    lines = [line for line in lines if line.strip()]
    if block.tag == "body" or not (begins_head(lines) or (lines and is_original(lines[0]))):
        return None
    return _with_frame(block)


def _with_frame(block: HtmlElement) -> HtmlElement:
    """A rule above, or a box around the headers alone (as Outlook draws it), goes with them."""
    parent = block.getparent()
    while (
        parent is not None and parent.tag == "div" and not (parent.text or "").strip() and parent[0] is block
    ):
        block, parent = parent, parent.getparent()
    before = block.getprevious()
    if before is not None and before.tag == "hr" and not (before.tail or "").strip():
        return before
    return block


def _lines(block: HtmlElement) -> Iterator[str]:
    """The first lines of a block, as they are shown."""
    line, length = "", 0
    for event, element in etree.iterwalk(block, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        if event == "start":
            if element.tag in ("br", "p", "div", "tr", "li") and line.strip():
                yield line
                line = ""
            line += element.text or ""
        elif element is not block:
            line += element.tail or ""
        length += 1
        if length > 200:
            break
    yield line


def _line_before(element: HtmlElement) -> str:
    """The words that stand directly before an element."""
    told, node = "", element
    for _ in range(20):
        before = node.getprevious()
        if before is None:
            parent = node.getparent()
            told = (parent.text or "") + told if parent is not None else told
            break
        told = (before.tail or "") + told
        if before.tag != "br":
            if before.tag == "p" or before.tag == "div":
                told = told if told.strip() else (list(_lines(before)) or [""])[-1]
                break
            told = (before.text_content() if isinstance(before.tag, str) else "") + told
        elif told.strip():
            break
        node = before
    return told[-600:]


def _words(element: HtmlElement) -> str:
    return "".join(element.text_content().split())


def _words_after(body: HtmlElement, mark: HtmlElement) -> bool:
    """Whether somebody wrote below what is quoted."""
    node: HtmlElement | None = mark
    while node is not None and node is not body:
        if (node.tail or "").strip() or any(
            (isinstance(one.tag, str) and _words(one)) or (one.tail or "").strip()
            for one in node.itersiblings()
        ):
            return True
        node = node.getparent()
    return False


def _fold(body: HtmlElement, mark: HtmlElement) -> str | None:
    """Takes the quotation out of the body; its HTML. None when answers stand between quotations."""
    mark_end: HtmlElement | None = mark
    if _names(mark) & {"moz-cite-prefix"}:
        mark_end = mark.getnext()
    container = mark_end is not None and (
        mark_end.tag == "blockquote" or bool(_names(mark_end) & _CONTAINERS)
    )
    if container and mark_end is not None and _words_after(body, mark_end):
        later = [one for one in _following(body, mark_end) if _is_marked(one)]
        if later:
            return None
        taken = _announcement(mark) + lxml_html.tostring(mark, encoding="unicode", with_tail=False)
        if mark_end is not mark:
            taken += lxml_html.tostring(mark_end, encoding="unicode", with_tail=False)
            _remove(mark_end)
        _remove(mark)
        return taken
    return _announcement(mark) + _cut_from(body, mark)


def _following(body: HtmlElement, mark: HtmlElement) -> Iterator[HtmlElement]:
    node: HtmlElement | None = mark
    while node is not None and node is not body:
        for sibling in node.itersiblings():
            yield from (one for one in sibling.iter() if isinstance(one.tag, str))
        node = node.getparent()


def _remove(element: HtmlElement) -> None:
    """Takes one element out; the words after it stay."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    elif parent is not None:
        parent.text = (parent.text or "") + tail
    element.tail = None
    if parent is not None:
        parent.remove(element)


def _announcement(mark: HtmlElement) -> str:
    """Takes the line before the quotation that announces it (“On Monday, Ada wrote:”) out of its place; its HTML."""
    nodes: list[HtmlElement] = []
    node = mark.getprevious()
    while node is not None and len(nodes) < 12:
        tail = node.tail or ""
        nodes.append(node)
        if node.tag in ("p", "div") and not tail.strip():
            if node.find(".//br") is None and says_who(node.text_content()):
                break
            return _last_line_of(node)
        if says_who(tail):
            node.tail = None
            taken = re.sub(r"[<>&]", lambda one: f"&#{ord(one[0])};", tail)
            later = "".join(lxml_html.tostring(one, encoding="unicode") for one in reversed(nodes[:-1]))
            for one in nodes[:-1]:
                _drop(one)
            return f"<p>{taken}{later}</p>"
        if node.tag != "br" and tail.strip():
            return ""
        node = node.getprevious()
    if node is None or not nodes or node.tag not in ("p", "div"):
        return ""
    taken = "".join(lxml_html.tostring(one, encoding="unicode") for one in reversed(nodes))
    for one in nodes:
        _drop(one)
    return taken


def _drop(element: HtmlElement) -> None:
    """Takes an element out with the words after it."""
    parent = element.getparent()
    if parent is not None:
        element.tail = None
        parent.remove(element)


def _last_line_of(block: HtmlElement) -> str:
    """The same, when it is the last line of a paragraph."""
    children = list(block)
    last = next((at for at in range(len(children) - 1, -1, -1) if children[at].tag == "br"), None)
    if last is None:
        return ""
    line = (children[last].tail or "") + "".join(
        one.text_content() + (one.tail or "") for one in children[last + 1 :]
    )
    if not says_who(line):
        return ""
    taken = "".join(lxml_html.tostring(one, encoding="unicode") for one in children[last:])
    for one in children[last:]:
        one.tail = None
        block.remove(one)
    return f"<p>{taken}</p>"


def _cut_from(body: HtmlElement, mark: HtmlElement) -> str:
    """Takes the mark and all that follows it out of the body; the HTML of what was taken."""
    taken: list[str] = []
    node = mark
    while node is not body:
        parent = node.getparent()
        if parent is None:
            break
        following = [node, *node.itersiblings()] if node is mark else list(node.itersiblings())
        if node is not mark:
            taken.append("<br>")
        if node is not mark and node.tail:
            taken.append(re.sub(r"[<>&]", lambda one: f"&#{ord(one[0])};", node.tail))
            node.tail = None
        for sibling in following:
            taken.append(lxml_html.tostring(sibling, encoding="unicode"))
            sibling.tail = None
            parent.remove(sibling)
        node = parent
    return "".join(taken)
