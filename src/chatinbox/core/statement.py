"""A statement as rooms write it: SQL with its values; and the rows that come back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from psycopg.rows import TupleRow

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Statement: TypeAlias = tuple[str, Params]
Rows: TypeAlias = list[TupleRow]
