"""One round trip: begin, the account's context, the statements and commit leave together and come back together.

The driver's own pipeline looks at the socket after every statement and keeps a queue beside it; on the hot paths that
is a third of a request. This is the same protocol (libpq's pipeline mode), sent whole and read whole, with the driver's
own adapters, and with rows in their binary form, so that sealed bytes are not spelled out in hex on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, adapt, errors
from psycopg._queries import _query2pg_nocache
from psycopg.abc import Buffer, PQGen, Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import TupleRow
from psycopg.waiting import Ready, Wait

from chatinbox.core.statement import Params, Rows, Statement

_BEGIN, _COMMIT = b"begin", b"commit"
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)
_Key: TypeAlias = tuple[bytes, tuple[int, ...]]  # a query and the types of its values
_Values: TypeAlias = tuple[Sequence[Buffer | None] | None, tuple[int, ...], Sequence[Format] | None]
_NOTHING: _Values = (None, (), None)
_number = count()


class _Known:
    """What one connection has prepared, and how it adapts values."""

    __slots__ = ("names", "transformer")

    def __init__(self, conn: AsyncConnection[TupleRow]) -> None:
        self.names: dict[_Key, bytes] = {}
        self.transformer: Transformer = adapt.Transformer(conn)


_known: WeakKeyDictionary[AsyncConnection[TupleRow], _Known] = WeakKeyDictionary()
_parsed = lru_cache(1024)(_query2pg_nocache)


async def trip(conn: AsyncConnection[TupleRow], context: bytes, batch: Iterable[Statement]) -> list[Rows]:
    """The rows of each statement, after one transaction under a context. Raises the first error of the database;
    the connection may then still be in the transaction that failed.
    """
    pg = conn.pgconn
    known = _known.get(conn) or _known.setdefault(conn, _Known(conn))
    fresh: list[_Key] = []
    kept = []  # for each command that leaves: whether its rows are wanted
    pg.enter_pipeline_mode()
    try:
        kept += _send(pg, known, fresh, _BEGIN)
        pg.send_query_params(context, None)
        kept.append(False)
        for text, params in batch:
            kept += _send(pg, known, fresh, *_adapted(known, text, params), is_ours=False)
        kept += _send(pg, known, fresh, _COMMIT)
        pg.pipeline_sync()
        results = await conn.wait(_answers(pg))
    except BaseException:
        conn.pgconn.finish()  # half a trip is under way: nobody can tell what would come back next
        raise
    pg.exit_pipeline_mode()
    try:
        return [_rows(known.transformer, result) for result, wanted in zip(_checked(conn, results), kept, strict=True) if wanted]  # fmt: skip
    except errors.Error:
        for key in fresh:  # they may not have been prepared
            known.names.pop(key, None)
        raise


def forget(conn: AsyncConnection[TupleRow]) -> None:
    """What was prepared on this connection is gone: the driver lets go of all of it after a rollback."""
    _known.pop(conn, None)


def _send(
    pg: PGconn,
    known: _Known,
    fresh: list[_Key],
    query: bytes,
    values: _Values = _NOTHING,
    is_ours: bool = True,
) -> list[bool]:
    """Sends one command, prepared first when this connection does not know it; which of what comes back is wanted."""
    params, types, formats = values
    key = (query, types)
    name = known.names.get(key)
    sent = [not is_ours]
    if name is None:
        name = known.names[key] = b"t%d" % next(_number)
        fresh.append(key)
        pg.send_prepare(name, query, types)
        sent = [False, *sent]
    pg.send_query_prepared(name, params, formats, Format.BINARY)
    return sent


def _adapted(known: _Known, text: str, params: Params) -> tuple[bytes, _Values]:
    if not params:
        return text.replace("%%", "%").encode(), _NOTHING
    query, wanted, order, _ = _parsed(text.encode(), "utf-8")
    adapting = known.transformer
    dumped = adapting.dump_sequence(_ordered(params, order), wanted)
    return query, (dumped, adapting.types or (), adapting.formats)


def _ordered(params: Params, order: list[str] | None) -> Sequence[Any]:
    return [params[name] for name in order or ()] if isinstance(params, Mapping) else params


def _answers(pg: PGconn) -> PQGen[list[PGresult]]:
    """Everything that comes back up to the sync (libpq §34.5)."""
    while pg.flush():
        if (yield Wait.RW) & Ready.R:
            pg.consume_input()
    results: list[PGresult] = []
    while True:
        while pg.is_busy():
            if (yield Wait.R) & Ready.R:
                pg.consume_input()
        result = pg.get_result()
        if result is None:
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)


def _checked(conn: AsyncConnection[TupleRow], results: list[PGresult]) -> list[PGresult]:
    for result in results:
        if result.status in _FAILED:
            raise errors.error_from_result(result, encoding="utf-8")
    return results


def _rows(transformer: Transformer, result: PGresult) -> Rows:
    if not result.nfields:
        return []
    transformer.set_pgresult(result, set_loaders=True, format=Format.BINARY)
    return transformer.load_rows(0, result.ntuples, tuple)
