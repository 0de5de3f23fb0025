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

READERS_OF_THE_LOG = (
    "select rolname from pg_roles where not rolsuper and rolname not like 'pg\\_%'"
    " and (has_table_privilege(oid, 'seclog.entry', 'select')"
    " or has_function_privilege(oid, 'seclog.read(text, text, date, date)', 'execute')) order by 1"
)
"""The roles that can read the security log."""

ADDRESSED = (
    "select a.attrelid::regclass::text || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
    " join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped"
    " and n.nspname !~ '^(pg_|information_schema)' and (a.atttypid in ('inet'::regtype, 'cidr'::regtype)"
    " or a.attname ~ '(^|_)(ip|addr|remote|user_agent)(_|$)') order by 1"
)
"""The columns made for a network address or the name of a browser."""
