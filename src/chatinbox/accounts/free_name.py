"""A free name: what one more role or team of an account may be called."""

from collections.abc import Iterable

from chatinbox.core.errors import Refused
from chatinbox.core.visible import one_line

MAX_NAME = 60


def free_name(text: str, kind: str, taken: Iterable[str]) -> str:
    """The name, its spaces put right. Raises a sentence where it is empty, too long or taken; `kind` is the field, too."""
    name = one_line(text)
    if not 1 <= len(name) <= MAX_NAME:
        raise Refused(422, f"Write a name of at most {MAX_NAME} letters for the {kind}.", kind)
    if name.casefold() in {one.casefold() for one in taken}:
        raise Refused(409, f"There is a {kind} of this name already.", kind)
    return name
