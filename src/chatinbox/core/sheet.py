"""A sheet: lines as comma-separated values (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

# A cell that begins like this is taken for a formula by spreadsheets (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def sheet(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The file, in UTF-8 with a mark that spreadsheets need to see it; nothing for what is not known."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_cell(one) for one in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.lstrip(" \u00a0\ufeff").startswith(_FORMULA):
        return "'" + text
    return text
