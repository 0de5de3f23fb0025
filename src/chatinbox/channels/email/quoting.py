"""What somebody wrote, and what their program quoted with it. Folded away, never thrown away: both parts together are
the whole letter, and the visible part is never empty when there are words of their own.
"""

import re

_WROTE = (
    r"wrote|writes|schrieb|schreibt|(?:a\s+)?écrit|escribió|escribi[oó]|ha\s+scritto|scrisse|escreveu|schreef|skrev|skrifaði|"
    r"napisał(?:\(a\)|a)?|pisze|пишет|писал(?:а|\(а\))?|написал(?:а|\(а\))?|написав|yazd[ıi]|şunu\s+yazdı|viết|đã\s+viết|menulis|"
    r"napsal(?:\(a\)|a)?|napísal(?:\(a\)|a)?|kirjoitti|írta|a\s+scris|έγραψε|写道|寫道|のメッセージ|さんは書きました|님이\s*작성|כתב|כתבה|كتب"
)
_ON = r"(?:on|am|le|el|il|em|op|den|d\.|dne|dňa|på|ma|w\s+dniu|dnia|на|в|vào|pada|tarihinde|pe|în|στις|בתאריך|في|在)"
_SAYS_WHO = re.compile(
    rf"(?:^|[\s\"'*_(>]){_ON}\b.{{0,400}}?(?:^|[\s>\"')]){'(?:'}{_WROTE}){'(?![a-z])'}.{{0,160}}$"
    rf"|(?:{_WROTE})(?![a-z]).{{0,80}}\d.{{0,60}}[:\uff1a]\s*$",
    re.I | re.S,
)
_WROTE_AT_END = re.compile(rf"(?:{_WROTE})\s*[:\uff1a]\s*$", re.I)
_MOMENT = re.compile(r"\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|年")
_PERSON = re.compile(r"<\s*[^<>\s]*@[^<>\s]*\s*>|\[mailto:|\(\S+@\S+\)|<\s*$", re.I)
_FROM = r"from|von|de|da|van|från|fra|od|от|od|lähettäjä|feladó|från|kimden|gönderen|dari|expediteur|expéditeur|mittente|发件人|寄件者|差出人|보낸\s*사람|מאת|من|від|από|forward(?:ed)?\s+by"
_OTHER = (
    r"message\s+du|copie\s+à|sujet|sent|date|gesendet|datum|envoyé|enviado(?:\s+el)?|enviada(?:\s+em)?|data|inviato|verzonden|skickat|sendt|dato|wysłano|отправлено|дата|"
    r"lähetetty|päivämäärä|küldve|dátum|odesláno|odoslané|tarih|gönderildi|fecha|发送时间|日期|送信日時|日時|보낸\s*날짜|תאריך|التاريخ|"
    r"to|an|à|para|a|aan|till|til|do|кому|vastaanottaja|címzett|komu|kime|kepada|收件人|宛先|받는\s*사람|אל|إلى|cc|kopie|copie|copia|"
    r"subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|тема|aihe|tárgy|předmět|predmet|konu|perihal|主题|件名|제목|נושא|الموضوع|re"
)
_HEAD_FROM = re.compile(rf"^[\s>*_|]*(?:{_FROM})[*_\s]*[:\uff1a]", re.I)
_HEAD_OTHER = re.compile(rf"^[\s>*_|]*(?:{_OTHER})[*_\s]*[:\uff1a]", re.I)
_ORIGINAL = re.compile(
    r"^[\s>*]*[-_=]{2,}\s*(?:original|ursprüngliche|message\s+d.origine|mensaje|messaggio|mensagem|oorspronkelijk|ursprung|oprindelig|"
    r"opprinnelig|wiadomość|исходное|пересылаемое|alkuperäinen|eredeti|původní|orijinal|pesan|forwarded|weitergeleitete|message\s+transféré|"
    r"reenviado|inoltrato|encaminhada|doorgestuurd|vidarebefordrat|videresendt|原始|元の|転送|원본|转发)[^\n]{0,60}[-_=]{2,}\s*$"
    r"|^\s*(?:begin\s+forwarded\s+message|anfang\s+der\s+weitergeleiteten|début\s+du\s+message)[^\n]{0,40}[:\uff1a]\s*$",
    re.I,
)
_RULE = re.compile(r"^\s*[-_=*]{4,}\s*$")
_BEGINS = re.compile(rf"^[\s*_\"'(-]*(?:{_ON}\b|\d)", re.I)
_MARKED = re.compile(r"^\s{0,3}>")
_SIGNATURE = re.compile(r"^-- ?$")
MOST_LINES = 20_000


def says_who(words: str) -> bool:
    """Whether words announce a quotation: “On Monday, Ada wrote:” in the languages and orders programs use."""
    words = " ".join(words.split())
    if not 6 <= len(words) <= 600:
        return False
    if _SAYS_WHO.search(words) and (words[-1] in ":\uff1a" or _MOMENT.search(words)):
        return True
    if _MOMENT.search(words) and _WROTE_AT_END.search(words):
        return True
    return bool(words[-1] in ":\uff1a>" and _MOMENT.search(words) and _PERSON.search(words))


def is_original(line: str) -> bool:
    """Whether a line divides: “-----Original Message-----” and its like."""
    return bool(_ORIGINAL.match(line))


_FORWARD = re.compile(
    r"(?i)^[\s>*]*[-_=]{2,}\s*(?:[^-_=\n]{0,40}\b)?(?:forward|weitergeleitete|transféré|reenviad|inoltrat|encaminhad|doorgestuurd|"
    r"vidarebefordra|videresend|videresendt|przekazan|przesłan|пересылаем|переслан|továbbított|přeposlan|iletilen|diteruskan|välitet|転送|转发|轉寄|전달)"
    r"[^\n]{0,60}[-_=]{2,}\s*$"
    r"|^[\s>]*(?:begin\s+forwarded\s+message|anfang\s+der\s+weitergeleiteten\s+nachricht|début\s+du\s+message\s+(?:réexpédié|transféré)|"
    r"inizio\s+messaggio\s+inoltrato|inicio\s+del\s+mensaje\s+reenviado|início\s+da\s+mensagem\s+(?:reencaminhada|encaminhada)|"
    r"begin\s+doorgestuurd\s+bericht|vidarebefordrat\s+(?:brev|meddelande)|начало\s+переадресованного\s+сообщения)\s*[:\uff1a]\s*$"
)


def is_forward_mark(line: str) -> bool:
    """Whether a line says that a forwarded letter begins below it."""
    return len(line) < 200 and bool(_FORWARD.match(line))


def is_from_line(line: str) -> bool:
    """Whether a line is the From of a quoted letter's head."""
    return bool(_HEAD_FROM.match(line[:200]))


def is_head_line(line: str) -> bool:
    """Whether a line is another field of a quoted letter's head."""
    return bool(_HEAD_OTHER.match(line[:200]))


def begins_head(lines: list[str]) -> bool:
    """Whether these lines begin with the headers of a quoted letter (From:, Sent:, To:, Subject: in any order)."""
    if not lines or not (_HEAD_FROM.match(lines[0]) or _HEAD_OTHER.match(lines[0])):
        return False
    near = [line for line in lines[:8] if line.strip()]
    heads = 0
    for line in near:
        if _HEAD_FROM.match(line) or _HEAD_OTHER.match(line):
            heads += 1
        elif heads > 1:
            break
    return (heads >= 3 and any(_HEAD_FROM.match(line) for line in near[:5])) or (
        heads >= 2 and bool(_HEAD_FROM.match(near[0])) and ("@" in near[0] or bool(_MOMENT.search(near[1])))
    )


def fold_text(text: str) -> tuple[str, str | None]:
    """The words of one's own, and what is folded (quoted letters and the signature), or None."""
    lines = text.strip("\n").split("\n")
    whole = "\n".join(lines)
    if len(lines) > MOST_LINES:
        return whole, None
    quote = _begin_of_quote(lines)
    end = len(lines) if quote is None else quote
    begin = _end_of_leading_quote(lines[:end])
    signature = next((at for at in range(begin + 1, end) if _SIGNATURE.match(lines[at])), end)
    if any(line.strip() for line in lines[begin:signature]):
        end = signature
    visible = "\n".join(lines[begin:end]).strip("\n")
    folded = [one for one in ("\n".join(lines[:begin]), "\n".join(lines[end:])) if one.strip()]
    if not visible.strip() or not folded:
        return whole, None
    return visible.rstrip(), "\n\n".join(one.strip("\n") for one in folded)


def _begin_of_quote(lines: list[str]) -> int | None:
    """Where the quoted end of a letter begins: only an end is folded, so answers between quoted lines stay visible."""
    last_own = _last_own_line(lines)
    for at, line in enumerate(lines):
        if not line.strip() or not any(one.strip() for one in lines[:at]):
            continue
        if _MARKED.match(line):
            if last_own < at:
                return _with_announcement(lines, at)
        elif is_original(line) or begins_head(lines[at : at + 9]):
            return _with_rule(lines, at)
        elif _announces(lines, at) and (
            not _is_marked_below(lines, at) or last_own <= (_end_of_announcement(lines, at) or 0)
        ):
            return at
    return None


def _last_own_line(lines: list[str]) -> int:
    """The last line that is neither empty nor marked nor part of a signature below marked lines."""
    at = len(lines) - 1
    while at >= 0 and (not lines[at].strip() or _MARKED.match(lines[at])):
        at -= 1
    return at


def _announces(lines: list[str], at: int) -> bool:
    return _end_of_announcement(lines, at) is not None


def _end_of_announcement(lines: list[str], at: int) -> int | None:
    """The last line of an announcement that begins here and may be broken into three lines; None when none does."""
    for last in range(at, min(at + 3, len(lines))):
        if not lines[last].strip() or (_MARKED.match(lines[last]) and lines[last].strip() != ">:"):
            return None
        if says_who(" ".join(lines[at : last + 1])):
            could = [one for one in range(at, last + 1) if says_who(" ".join(lines[one : last + 1]))]
            return last if at == max([one for one in could if _BEGINS.match(lines[one])] or could) else None
    return None


def _is_marked_below(lines: list[str], at: int) -> bool:
    """Whether the quotation that is announced here is marked with `>`, so that unmarked words below are an answer."""
    below = [line for line in lines[(_end_of_announcement(lines, at) or at) + 1 :] if line.strip()]
    return bool(below and _MARKED.match(below[0]))


def _with_announcement(lines: list[str], at: int) -> int:
    """Marked lines begin at `at`; the line that announces them, up to three above, goes with them."""
    above = [one for one in range(max(0, at - 5), at) if lines[one].strip()][-3:]
    for one in above:
        own = any(line.strip() for line in lines[:one])
        if own and says_who(" ".join(lines[one:at])):
            return one
    return at


def _with_rule(lines: list[str], at: int) -> int:
    """A line drawn above the headers of a quoted letter goes with them."""
    above = next((one for one in range(at - 1, max(-1, at - 4), -1) if lines[one].strip()), None)
    drawn = above is not None and _RULE.match(lines[above]) and any(line.strip() for line in lines[:above])
    return above if drawn and above is not None else at


def _end_of_leading_quote(lines: list[str]) -> int:
    """Where the answer begins when the whole quotation stands above it; 0 when it does not."""
    at = 0
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at < len(lines) and not _MARKED.match(lines[at]):
        if not (_announces(lines, at) and _is_marked_below(lines, at)):
            return 0
        at = (_end_of_announcement(lines, at) or at) + 1
    while at < len(lines) and (not lines[at].strip() or _MARKED.match(lines[at])):
        at += 1
    answered_between = any(_MARKED.match(line) for line in lines[at:])
    return 0 if answered_between else at
