"""The hand-written conversations: plain text files, read into threads of steps.

A thread starts with `# subject` and lines like `from: Name <address>`. A step starts with `@ who [act] when`, its words
follow. `~~~` begins what was quoted below the words. Times: `4d 16:08` (working days before today, business time),
`-22m` (before now) or `+5m` (after the step before).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "threads"
STAFF = ("ana", "ben", "youssef", "freja")
BARE_ACTS = ("take", "done", "waiting", "todo", "spam", "snooze")  # acts that need nothing more said
_HEAD = re.compile(r"(from|via|lang|tags|end): *(.*)")
_FROM = re.compile(r"(.+?) <(\S+@\S+)>")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. `act` is say, auto, reply, note, draft, or a verb; `about` its tag or colleague."""

    who: str
    act: str
    when: str
    text: str = ""
    quoted: str = ""
    about: str = ""
    files: Sequence[str] = ()
    html: str = ""
    until: str = ""


@dataclass(slots=True)
class Thread:
    """One conversation from its first word on. `name` and `email` are empty for a visitor nobody knows."""

    subject: str
    name: str = ""
    email: str = ""
    via: str = "email"
    lang: str = ""
    tags: Sequence[str] = ()
    end: str = ""
    steps: list[Step] = field(default_factory=list)
    read: bool = True


@cache
def written_threads() -> tuple[Thread, ...]:
    """Every hand-written thread, in the order of the files."""
    return tuple(
        thread for path in sorted(FOLDER.glob("*.txt")) for thread in read_threads(path.read_text("utf-8"))
    )


def read_threads(text: str) -> Iterator[Thread]:
    """The threads of one file; ValueError names the line that cannot be read."""
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        subject, _, rest = part.partition("\n")
        head, *steps = re.split(r"^@ ", rest, flags=re.MULTILINE)
        thread = Thread(subject.strip())
        _read_head(thread, head)
        thread.steps = [_read_step(step) for step in steps]
        yield thread


def _read_head(thread: Thread, head: str) -> None:
    for line in head.split("\n"):
        found = _HEAD.fullmatch(line.strip())
        if not found:
            if line.strip():
                raise ValueError(f"{thread.subject}: {line}")
            continue
        name, value = found.groups()
        if name == "from":
            person = _FROM.fullmatch(value)
            thread.name, thread.email = (person[1], person[2]) if person else ("", "")
        elif name == "tags":
            thread.tags = tuple(tag.strip() for tag in value.split(","))
        else:
            setattr(thread, name, value)


def _read_step(step: str) -> Step:
    line, _, words = step.partition("\n")
    who, *rest = line.split()
    act, about = ("reply" if who in STAFF else "say" if who == "customer" else who), ""
    if rest[0] in ("note", "draft", *BARE_ACTS):
        act = rest.pop(0)
    elif rest[0] in ("tag", "assign"):
        act, about = rest.pop(0), rest.pop(0)
    options = dict(part.split("=", 1) for part in rest if "=" in part)
    text, _, quoted = words.partition("\n~~~\n")
    return Step(
        who=who,
        act=act,
        when=" ".join(part for part in rest if "=" not in part),
        text=text.strip(),
        quoted=quoted.strip(),
        about=about,
        files=tuple(options.get("files", "").split(",")) if "files" in options else (),
        html=options.get("html", ""),
        until=options.get("until", ""),
    )
