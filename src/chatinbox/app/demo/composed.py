"""Ordinary conversations, composed from `phrases.toml`: the same ones every time, no two alike."""

import random
import tomllib
from collections import deque
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from chatinbox.app.demo.script import Step, Thread

PHRASES = Path(__file__).parent / "phrases.toml"
DOMAINS = ("mail.example", "post.example", "inbox.example", "letters.example", "home.example")
COUNT = 150
_APART = 30  # conversations between two that open alike
_SEED = 20261124
_STAFF = ("ana", "ben", "youssef", "freja", "freja", "youssef")
_ENDS = ("done",) * 7 + ("waiting",) * 5 + ("snooze",) * 4


def composed_threads(count: int = COUNT) -> list[Thread]:
    """`count` threads, the oldest first; every customer's name and every first letter differs."""
    phrases = tomllib.loads(PHRASES.read_text("utf-8"))
    return [thread for _, thread in zip(range(count), _compose(phrases), strict=False)]


def _compose(phrases: dict[str, Any]) -> Iterator[Thread]:
    dice = random.Random(_SEED)  # noqa: S311  (the same conversations at every start, nothing secret)
    pairs = [
        (topic, number, detail)
        for topic in phrases["topic"]
        for number, detail in product(range(len(topic["open"])), topic["more"])
    ]
    people = {lang: _people(dice, names) for lang, names in phrases["names"].items()}
    dice.shuffle(pairs)
    recent: deque[str] = deque(maxlen=_APART)
    for number in range(len(pairs)):
        at = next((at for at, (topic, which, _) in enumerate(pairs) if topic["open"][which] not in recent), 0)
        topic, which, detail = pairs.pop(at)
        recent.append(topic["open"][which])
        person = next(people[topic["lang"]])
        yield _Writer(dice, phrases, topic, person, number).thread(which, detail)


def _people(dice: random.Random, names: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    everybody = list(product(names["first"], names["last"]))
    dice.shuffle(everybody)
    taken: set[str] = set()
    for first, last in everybody:
        if last not in taken or len(taken) == len(names["last"]):
            taken.add(last)
            yield first, last


class _Writer:
    """Writes one thread: fills the blanks, chooses who answers, when and how it ends."""

    def __init__(
        self,
        dice: random.Random,
        phrases: dict[str, Any],
        topic: dict[str, Any],
        person: tuple[str, str],
        number: int,
    ) -> None:
        self.dice, self.topic, self.number = dice, topic, number
        self.words = phrases["letter"][topic["lang"]]
        self.asides: list[str] = phrases["aside"][0]["words"]
        self.first, self.last = person
        self.via = "chat" if dice.random() < 0.42 else "email"
        self.blanks = {
            "order": f"HC-{20020 + number * 2 + dice.randrange(2)}",
            "product": dice.choice(phrases["products"]),
            "city": dice.choice(phrases["cities"]),
            "day": dice.choice(phrases["days"]) if topic["lang"] == "en" else "Thursday",
            "count": dice.choice(phrases["counts"]),
            "first": self.first,
            "name": f"{self.first} {self.last}",
        }

    def thread(self, which: int, detail: str) -> Thread:
        """The whole conversation, about the topic's matter of that number."""
        opening, answer = self.topic["open"][which], self.topic["answer"][which]
        shown = bool(self.topic.get("files")) and detail == self.topic["more"][0]
        staff = self.dice.choice(_STAFF)
        named = self.via == "email" or self.dice.random() < 0.7
        subject = self.fill(self.dice.choice(self.topic["subjects"])) if self.via == "email" else ""
        thread = Thread(
            subject=subject,
            name=f"{self.first} {self.last}" if named else "",
            email=self.address() if named else "",
            via=self.via,
            lang=self.topic["lang"],
            tags=tuple(self.topic["tags"]) if self.dice.random() < 0.55 else (),
        )
        thread.steps = [
            *self.beginning(opening, detail, shown),
            *self.answers(staff, answer),
            *self.ending(staff),
        ]
        return thread

    def beginning(self, opening: str, detail: str, shown: bool) -> Iterator[Step]:
        """The customer's first words: one letter, or two lines in the chat."""
        days = max(1, round(42 * (1 - self.number / COUNT) ** 0.85))
        self.late = self.dice.random() < 0.3
        hour = (
            self.dice.choice((18, 19, 20, 21, 22))
            if self.late
            else self.dice.choice((8, 9, 9, 10, 11, 13, 14, 15))
        )
        when = f"{days}d {hour:02}:{self.dice.randrange(60):02}"
        self.next_day = f"{days - 1}d" if days > 1 else ""
        files = (f"photo-{self.number}.png",) if shown else ()
        told = "{order}" in opening  # tells something of its own
        opening, detail = self.fill(opening), self.fill(detail)
        if self.via == "chat":
            first = _capital(opening) if told else f"{_capital(opening)} {detail}"
            yield Step("customer", "say", when, first, files=files)
            if told and (shown or self.dice.random() < 0.75):
                yield Step("customer", "say", "+1m", detail)
            return
        greet, bye = self.dice.choice(self.words["greet"]), self.dice.choice(self.words["bye"])
        opening = self.after(greet, opening)
        middle = " " if self.dice.random() < 0.5 else "\n\n"
        signature = self.first if self.dice.random() < 0.5 else f"{self.first} {self.last}"
        yield Step(
            "customer",
            "say",
            when,
            f"{greet}\n\n{opening}{middle}{detail}\n\n{bye}\n{signature}",
            files=files,
        )

    def answers(self, staff: str, answer: str) -> Iterator[Step]:
        """The team's part, perhaps with a note first, and the customer's last word."""
        if self.dice.random() < 0.3:
            other = self.dice.choice([name for name in ("ana", "ben", "youssef", "freja") if name != staff])
            yield Step(other, "note", self.office("+9m", 8), self.dice.choice(self.asides))
        answer = self.fill(answer)
        if self.via == "chat":
            yield Step(staff, "reply", self.office(f"+{self.dice.randrange(1, 9)}m", 9), _capital(answer))
        else:
            greet = self.fill(self.dice.choice(self.words["answer"]))
            body = self.after(greet, answer)
            wait = f"+{self.dice.randrange(12, 95)}m"
            yield Step(staff, "reply", self.office(wait, 9), f"{greet}\n\n{body}\n\n{STAFF_NAMES[staff]}")
        self.thanked = self.dice.random() < 0.62
        if self.thanked:
            back = self.dice.choice(self.words["back"])
            text = back if self.via == "chat" or self.dice.random() < 0.5 else f"{back}\n\n{self.first}"
            yield Step("customer", "say", f"+{self.dice.randrange(2, 50)}m", text)

    def ending(self, staff: str) -> Iterator[Step]:
        """How it is put away."""
        act = self.dice.choice(_ENDS)
        if self.thanked or (act == "snooze" and self.number < COUNT - 20):
            act = "done"
        if act == "snooze":
            yield Step(staff, "snooze", "+3m", until=f"now+{self.dice.randrange(1, 9)}d")
        else:
            yield Step(staff, act, f"+{self.dice.randrange(1, 12)}m")

    def after(self, greet: str, words: str) -> str:
        """The first letter after a greeting, as the language has it."""
        small = greet.endswith((",", ":")) and self.topic["lang"] not in ("en", "nl")
        return words if small else _capital(words)

    def office(self, soon: str, hour: int) -> str:
        """Soon, when the office is open; else the next working morning."""
        if not self.late or not self.next_day:
            return soon
        self.late = False
        return f"{self.next_day} {hour:02}:{self.dice.randrange(10, 55):02}"

    def address(self) -> str:
        """An address as people have them, at a domain that can never exist (RFC 2606)."""
        plain = f"{self.first}.{self.last}".lower().replace(" ", "").replace("’", "")
        for sign, ascii_ in _PLAIN.items():
            plain = plain.replace(sign, ascii_)
        return f"{plain}@{self.dice.choice(DOMAINS)}"

    def fill(self, words: str) -> str:
        """Puts order, product, place and the like into the blanks."""
        for blank, value in self.blanks.items():
            words = words.replace("{" + blank + "}", value)
        return words


STAFF_NAMES = {"ana": "Ana", "ben": "Ben", "youssef": "Youssef", "freja": "Freja"}
_PLAIN = dict(
    zip(
        "äåáàâæçéèêëíïñöøóôüúùßö",
        [
            "a",
            "a",
            "a",
            "a",
            "a",
            "ae",
            "c",
            "e",
            "e",
            "e",
            "e",
            "i",
            "i",
            "n",
            "o",
            "o",
            "o",
            "o",
            "u",
            "u",
            "u",
            "ss",
            "o",
        ],
        strict=True,
    )
) | {"ž": "z", "ë": "e", "ö": "oe"}


def _capital(words: str) -> str:
    start = 1 if words[:1] in "¿¡" else 0
    return words[:start] + words[start : start + 1].upper() + words[start + 1 :]
