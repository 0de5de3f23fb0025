"""Taking out of an answer what is drawn at random in each run, so that two runs can be compared."""

import re


def without_chance(told: str, slug: str) -> str:
    """What was told, with ids as their order of appearance; times, random addresses and signatures become what they are. `slug` is
    how the account's addresses begin.
    """
    order: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return order.setdefault(found[0].lower(), f"id{len(order)}")

    told = re.sub(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", number, told)
    told = re.sub(r"\bVisitor [0-9a-f]{4}\b", "Visitor", told)  # called by the end of an id
    told = re.sub(r"\b[0-9a-f]{12,64}\b", "hex", told)  # also milliseconds
    told = re.sub(rf"{slug}-[0-9a-f]+", slug, told)  # which name was free
    told = re.sub(r"\bhue\W+\d+|hue-?\d+|--hue:\s*\d+", "hue", told)  # a colour, drawn from an id
    told = re.sub(r"\d\d:\d\d(:\d\d)?|\d{4}-\d\d-\d\dT[\d:.+Z]+", "time", told)
    told = re.sub(r"[a-z2-7]{30,}", "token", told)
    told = re.sub(r"[A-Za-z0-9_-]{16,}(?=[\"'&./ <@\n])", "random", told)
    return re.sub(r"'content-length', '\d+'", "length", told)
