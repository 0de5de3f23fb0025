"""What is quoted is folded, never lost; what somebody wrote stays visible."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatinbox.channels.email.parse import parse
from chatinbox.channels.email.quoting import fold_text, says_who
from chatinbox.channels.email.quoting_html import fold_html
from chatinbox.channels.email.tests.corpora import corpus
from chatinbox.core.cleaning import to_text

ANNOUNCEMENTS = [
    "On Mon, 3 Nov 2025 at 10:15, Ada Lund <ada@tea.example> wrote:",
    "On Monday, Ada wrote:",
    "Am 3. November 2025 um 10:15 schrieb Ada Lund <ada@tea.example>:",
    "Am 03.11.25 um 10:15 schrieb Ada Lund:",
    "Le lun. 3 nov. 2025 à 10:15, Ada Lund <ada@tea.example> a écrit :",
    "El lun, 3 nov 2025 a las 10:15, Ada Lund (<ada@tea.example>) escribió:",
    "Il giorno lun 3 nov 2025 alle ore 10:15 Ada Lund <ada@tea.example> ha scritto:",
    "Em seg., 3 de nov. de 2025 às 10:15, Ada Lund <ada@tea.example> escreveu:",
    "Op ma 3 nov 2025 om 10:15 schreef Ada Lund <ada@tea.example>:",
    "Den mån 3 nov. 2025 kl 10:15 skrev Ada Lund <ada@tea.example>:",
    "man. 3. nov. 2025 kl. 10:15 skrev Ada Lund <ada@tea.example>:",
    "pon., 3 lis 2025 o 10:15 Ada Lund <ada@tea.example> napisał(a):",
    "W dniu 03.11.2025 o 10:15, Ada Lund pisze:",
    "пн, 3 нояб. 2025 г. в 10:15, Ada Lund <ada@tea.example>:",
    "03.11.2025 10:15, Ada Lund пишет:",
    "Ada Lund <ada@tea.example>, 3 Kas 2025 Pzt, 10:15 tarihinde şunu yazdı:",
    "po 3. 11. 2025 v 10:15 odesílatel Ada Lund <ada@tea.example> napsal:",
    "ma 3. marrask. 2025 klo 10.15 Ada Lund (ada@tea.example) kirjoitti:",
    "Ada Lund <ada@tea.example> ezt írta (időpont: 2025. nov. 3., H, 10:15):",
    "2025年11月3日(月) 10:15 Ada Lund <ada@tea.example>:",
    "Ada Lund <ada@tea.example> 于2025年11月3日周一 10:15写道：",
    "Vào Th 2, 3 thg 11, 2025 vào lúc 10:15 Ada Lund <ada@tea.example> đã viết:",
    "---- On Mon, 03 Nov 2025 10:15:00 +0100 ada@tea.example wrote ----",
]
HEADS = [
    "From: Ada Lund <ada@tea.example>\nSent: Monday, November 3, 2025 10:15\nTo: Frida\nSubject: Tea",
    "Von: Ada Lund\nGesendet: Montag, 3. November 2025 10:15\nAn: Frida\nBetreff: Tee",
    "De : Ada Lund\nEnvoyé : lundi 3 novembre 2025 10:15\nÀ : Frida\nObjet : Thé",
    "*De:* Ada Lund\n*Enviado:* lunes, 3 de noviembre de 2025\n*Para:* Frida\n*Asunto:* Té",
    "Da: Ada Lund\nInviato: lunedì 3 novembre 2025 10:15\nA: Frida\nOggetto: Tè",
    "От: Ada Lund\nОтправлено: 3 ноября 2025\nКому: Frida\nТема: Чай",
    "发件人: Ada Lund\n发送时间: 2025年11月3日\n收件人: Frida\n主题: 茶",
    "-----Original Message-----\nFrom: Ada\n",
    "-------- Ursprüngliche Nachricht --------\nVon: Ada\n",
    "---------- Forwarded message ---------\nFrom: Ada Lund <ada@tea.example>\nDate: Mon, 3 Nov 2025\n",
]


def lines(text: str) -> list[str]:
    return sorted(line.strip() for line in text.split("\n") if line.strip())


def assert_whole(text: str) -> None:
    visible, folded = fold_text(text)
    assert lines(visible + "\n" + (folded or "")) == lines(text)
    assert visible.strip() or not text.strip()


@pytest.mark.parametrize("line", ANNOUNCEMENTS)
@pytest.mark.parametrize("marked", [True, False])
def test_a_quotation_is_folded_from_the_line_that_announces_it(line: str, marked: bool) -> None:
    quoted = "> old words\n> more" if marked else "old words\nmore"
    text = f"My own words.\nAnd more.\n\n{line}\n{quoted}"
    if line == "On Monday, Ada wrote:" or marked or "@" in line:
        assert fold_text(text) == ("My own words.\nAnd more.", f"{line}\n{quoted}")
    assert_whole(text)


@pytest.mark.parametrize("head", HEADS)
def test_a_quoted_letter_is_folded_from_its_headers(head: str) -> None:
    text = f"My own words.\n\n{head}\n\nold words"
    visible, folded = fold_text(text)
    assert visible == "My own words." and folded and folded.startswith(head.split("\n")[0])
    assert fold_text(text.replace(head, f"________________________________\n{head}"))[0] == "My own words."


def test_an_announcement_broken_into_lines_takes_no_word_of_the_writer() -> None:
    text = "Fine with me.\nOn Mon, 3 Nov 2025 at 10:15, Somebody With A Long Name\n<somebody@long.example>\nwrote:\n> old"
    assert fold_text(text)[0] == "Fine with me."


def test_answers_between_quoted_lines_stay_where_they_are() -> None:
    text = "On Monday, Ada wrote:\n> one?\nYes.\n> two?\nNo."
    assert fold_text(text) == (text, None)
    text = "Hello\n\n> one?\nYes.\n\n> two?\nNo."
    assert fold_text(text) == (text, None)


def test_an_answer_below_the_quotation_is_what_is_shown() -> None:
    assert fold_text("On Monday, Ada wrote:\n> one\n> two\n\nMy answer.") == (
        "My answer.",
        "On Monday, Ada wrote:\n> one\n> two",
    )
    assert fold_text("> one\n\nMy answer.") == ("My answer.", "> one")


def test_a_signature_is_folded_and_a_letter_that_is_nothing_else_is_shown() -> None:
    assert fold_text("Words\n\n-- \nFrida\nMail Ltd") == ("Words", "-- \nFrida\nMail Ltd")
    assert fold_text("> only quoted\n> words") == ("> only quoted\n> words", None)
    assert fold_text("-- \nFrida") == ("-- \nFrida", None)
    assert fold_text("") == ("", None)


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote: nothing came back.\nPlease help.",
        "From: the beginning I liked it.\nBest",
        "Date: see below\nthe shop is closed",
        "My address is <frida@mail.example>\nthanks",
        "Options:\n----------\na) one\nb) two",
        "He wrote that at 10:15 it was fine. What do you think:\nA or B?",
    ],
)
def test_words_that_only_look_like_a_quotation_stay(text: str) -> None:
    assert fold_text(text) == (text, None)


@given(
    st.lists(
        st.sampled_from(
            [
                *ANNOUNCEMENTS,
                *HEADS,
                "> quoted",
                "",
                "own words",
                "-- ",
                "____________",
                "> > x",
                "From: x",
                "To: y",
                "\t",
                "a:",
            ]
        ),
        max_size=14,
    )
)
@settings(max_examples=400)
def test_both_parts_are_always_the_whole(parts: list[str]) -> None:
    assert_whole("\n".join(parts))


def test_folding_costs_little_whatever_is_folded() -> None:
    for piece in (
        "on on on on\n",
        "From: a\n",
        "> x\ny\n",
        "On 1:11 <a@b.example\n",
        "wrote ",
        "______________\n",
        "On a, wrote\n",
    ):
        spent = []
        for size in (50_000, 400_000):
            began = time.process_time()
            assert_whole(piece * (size // len(piece)))
            spent.append(time.process_time() - began)
        # Eight times as long a letter costs about eight times as much; where each line looks at all others, sixty-four times.
        assert spent[1] < 24 * max(spent[0], 0.02), piece


def test_letters_of_the_collections_stay_whole_and_show_something() -> None:
    for path in [*corpus("replies_*/*.txt"), *corpus("forwards/*_body*.txt")]:
        assert_whole(path.read_text("utf-8", "replace"))


# How many of the lines are the writer's own, as a person reads them.
OWN = {
    "replies_github": {
        "email_1_4": 1, "email_1_6": 2, "email_1_7": 1, "email_2_1": 1, "email_2_2": 1, "email_2_3": 1, "email_1_5": 12, "correct_sig": 1,
        "email_BlackBerry": 2, "email_one_is_not_on": 3, "greedy_on": 4, "pathological": 2, "email_sig_delimiter_in_middle_of_line": 4,
    },
    "replies_crisp": {
        **{f"email_{n}": 5 for n in (10, 11, 12, 13, 14, 16, 17, 18, 22, 23, 24, 25, 26, 7, 8, 9)},
        **{f"email_{name}": 5 for name in (
            "danish_dash_separator", "en_multiline_2", "finnish", "fr_multiline", "french_2", "french_dash_separator", "german", "german_2",
            "german_outlook", "gmail_split_line_from", "italian", "msn", "norwegian_gmail", "original_message", "original_message_2",
            "outlook_split_line_from", "portuguese", "russian", "tricky_10_special_chars_in_name", "tricky_12_no_space_after_header",
            "tricky_14_long_quote_header", "tricky_15_original_message_variations", "tricky_5_mixed_languages",
        )},
        "email_20": 1, "email_4": 1, "email_thread": 1, "email_unquoted_reply": 1, "email_zoho": 2, "email_tricky_17_forward_header": 1,
        "email_tricky_18_inline_reply": 7, "email_tricky_1_on_false_positive": 4, "email_tricky_4_from_in_body": 3, "email_tricky_9_nested_quotes": 1,
        "email_tricky_20_html_entities": 2, "email_with_from_headers": 2, "email_sent_from": 2, "email_custom_quote_header": 12,
    },
}  # fmt: skip


@pytest.mark.parametrize("folder", OWN)
def test_replies_of_the_collections_show_what_their_writers_wrote(folder: str) -> None:
    corpus(f"{folder}/*.txt")
    wrong = {}
    for name, own in OWN[folder].items():
        [path] = corpus(f"{folder}/{name}.txt")
        shown = len(lines(fold_text(path.read_text("utf-8", "replace"))[0]))
        if shown != own:
            wrong[name] = (shown, own)
    assert wrong == {}


def test_the_standard_replies_show_the_reply_in_text_and_html() -> None:
    for path in corpus("talon/standard_replies/*.eml"):
        parsed = parse(path.read_bytes())
        expected = path.with_name(path.stem + "_reply_text")
        told = expected.read_text().strip() if expected.exists() else "Hello"
        own = re.split(r"\n-- ?\n", told)[0].strip()  # a signature is folded here
        if parsed.text:
            assert " ".join(fold_text(parsed.text)[0].split()) == " ".join(own.split()), path.name
    for path in corpus("talon/html_replies/*.html"):
        raw = path.read_text("utf-8", "replace")
        visible, folded = fold_html(raw)
        assert folded and " ".join(to_text(visible).split()) == "Hi. I am fine. Thanks, Alex", path.name
        both = re.findall(r"\w+", to_text(visible) + " " + to_text(folded))
        assert sorted(both) == sorted(re.findall(r"\w+", to_text(raw))), path.name


HTML = {
    "gmail": '<div dir="ltr">own</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Ada wrote:<br></div><blockquote class="gmail_quote">old</blockquote></div>',
    "apple": '<div>own</div><div><blockquote type="cite"><div>On 3 Nov 2025, at 10:15, Ada wrote:</div>old</blockquote></div>',
    "thunderbird": '<p>own</p><div class="moz-cite-prefix">On 03.11.25 Ada wrote:</div><blockquote cite="mid:x">old</blockquote>',
    "plain blockquote": "<p>own</p><p>On Mon, 3 Nov 2025 10:15 Ada &lt;a@b.example&gt; wrote:</p><blockquote>old</blockquote>",
    "outlook": '<div>own</div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p><b>From:</b> Ada &lt;a@b.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> F<br><b>Subject:</b> x</p></div><p>old</p>',
    "outlook web": '<div>own</div><hr><div id="divRplyFwdMsg"><b>From:</b> Ada<br><b>Sent:</b> Monday<br></div><div>old</div>',
    "outlook in german": "<p>own</p><p><b>Von:</b> Ada<br><b>Gesendet:</b> Montag, 3. November<br><b>An:</b> F<br><b>Betreff:</b> x</p><p>old</p>",
    "bottom": '<div class="moz-cite-prefix">On 03.11.25 Ada wrote:</div><blockquote type="cite" cite="mid:x">old</blockquote><p>own</p>',
}


@pytest.mark.parametrize("name", HTML)
def test_html_quotations_are_folded_by_what_programs_mark(name: str) -> None:
    visible, folded = fold_html(HTML[name])
    assert to_text(visible) == "own" and folded and "old" in to_text(folded)
    assert not re.search(r"wrote|From|Von", to_text(visible))


def test_html_answers_between_quotations_and_ordinary_blockquotes_stay() -> None:
    between = '<p>own</p><blockquote type="cite">one?</blockquote><p>Yes</p><blockquote type="cite">two?</blockquote><p>No</p>'
    assert fold_html(between) == (between, None)
    citation = "<p>As Goethe said:</p><blockquote>Edel sei der Mensch</blockquote><p>Best</p>"
    assert fold_html(citation) == (citation, None)
    only = '<blockquote type="cite">old</blockquote>'
    assert fold_html(only) == (only, None)


def test_words_below_a_html_quotation_stay_visible() -> None:
    visible, folded = fold_html('<p>own</p><blockquote type="cite">old</blockquote><p>and below</p>')
    assert to_text(visible).split() == ["own", "and", "below"] and folded and "old" in folded


tags = st.sampled_from(["<p>", "</p>", "<div>", "</div>", '<blockquote type="cite">', "</blockquote>", "<br>", '<div class="gmail_quote">', "<b>From:</b> x@y.example", "Sent: 10:15", "To: z", "<table><tr><td>", "</table>", "On Mon 10:15 a &lt;b@c.example&gt; wrote:", "words", "<hr>", "<span>", "</span>", '<div class="moz-cite-prefix">'])  # fmt: skip


@given(st.lists(tags, max_size=20).map("".join))
@settings(max_examples=1000)
def test_no_word_of_a_html_letter_is_lost(raw: str) -> None:
    visible, folded = fold_html(raw)
    told = "".join((to_text(visible) + to_text(folded or "")).split())
    assert sorted(told) == sorted("".join(to_text(raw).split()))


def test_announcements_are_short() -> None:
    assert not says_who("On " + "x" * 1000 + " wrote:") and not says_who("") and not says_who("wrote:")
