-- What this installation published: the seal of every version of its documents, as it was when it was first shown. The app
-- may add a version and ask; nothing changes a row or takes it away.
set local role chatinbox_directory;

create table directory.published (
  kind text not null check (kind in ('terms', 'privacy', 'dpa', 'announcement')),
  version integer not null check (version > 0),
  seal text not null check (length(seal) = 64),
  first_shown_at timestamptz not null,
  primary key (kind, version)
);

-- The seal that stands under this number: the given one when it is the first, else the one that was kept.
create function directory.keep_published(which text, numbered integer, sealed text, at timestamptz) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into directory.published values (which, numbered, sealed, at) on conflict do nothing;
  return (select p.seal from directory.published p where p.kind = which and p.version = numbered);
end $$;

create function directory.last_published(which text) returns integer
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select coalesce(max(version), 0) from directory.published where kind = $1 $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
