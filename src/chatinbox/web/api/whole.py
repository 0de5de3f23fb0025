"""A whole number as both sides hold it."""

from typing import Annotated

import msgspec

# A place in a timeline or a count of keystrokes: what the database and a browser's numbers both hold.
Whole = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
