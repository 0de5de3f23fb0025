"""The grounds on which a business may refuse a person's own request: there is no other, and the person is told which.

Articles are of the GDPR. `of` says what of a wish a ground is against: the rest of the wish is done all the same.
"""

from dataclasses import dataclass
from typing import Literal

from chatinbox.core.translation.said import said


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground: the law, what staff choose, what the person reads, and what it is against."""

    article: str
    words: str
    told: str
    of: Literal["access", "erasure", "all"]


GROUNDS: dict[str, Ground] = {
    "doubt": Ground(
        "Art. 12(6)",
        "We doubt that it is them",
        said(
            "It doubts that whoever reads this mailbox is the person whose data it is, and needs to know more to be sure. Write to it."
        ),
        "all",
    ),
    "excessive": Ground(
        "Art. 12(5)",
        "The request is manifestly unfounded or excessive",
        said("It holds that the request is manifestly unfounded or excessive."),
        "all",
    ),
    "others": Ground(
        "Art. 15(4)",
        "A copy would harm the rights of others",
        said("It holds that a copy would harm the rights of other people."),
        "access",
    ),
    "law": Ground(
        "Art. 17(3)(b)", "The law makes us keep it", said("The law makes it keep the data."), "erasure"
    ),
    "claims": Ground(
        "Art. 17(3)(e)",
        "We need it for legal claims",
        said("It needs the data to establish, exercise or defend legal claims."),
        "erasure",
    ),
    "hold": Ground(
        "Art. 17(3)",
        "A legal hold stands on it",
        said("The data is held for a proceeding, and may not be erased before it ends."),
        "erasure",
    ),
    "expression": Ground(
        "Art. 17(3)(a)",
        "Freedom of expression and information",
        said("It needs the data for the freedom of expression and information."),
        "erasure",
    ),
    "health": Ground(
        "Art. 17(3)(c)",
        "Public health",
        said("It needs the data in the public interest of public health."),
        "erasure",
    ),
    "archive": Ground(
        "Art. 17(3)(d)",
        "Archive, research or statistics",
        said("It needs the data for an archive, research or statistics that the law protects."),
        "erasure",
    ),
}
