"""What proofs ask of the database's own catalogue."""

OF_ACCOUNTS = (
    "select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname = 'tenant' and c.relkind in ('r', 'p')"
)
"""The tables of accounts."""

OURS = (
    "select n.nspname || '.' || c.relname as name, c.oid, n.nspname as room from pg_class c"
    " join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and not c.relispartition"
    " and n.nspname !~ '^(pg_|information_schema$|migration$)' and c.relname not like 'procrastinate%'"
)
"""Every table of ours: its name, its oid, the schema it is in."""
