-- Plane S: the security log. Who connected (network address and device), to what, and how it ended, by the minute; and which
-- defects were met. In a schema of its own, with nothing by which it could be joined to an account, a session or a customer
-- (clauses C12 to C17).
--
--   chatinbox_seclog           owns it; nobody connects as it (made, as the others, by the migration runner)
--   chatinbox_app              may add, open a day and drop old ones; it can read nothing
--   chatinbox_security_reader  reads, and every reading is noted with its reason; used by the console alone
--
-- A partition a day, and no default one: an entry without its day is an error, not a leftover. Address and device are sealed
-- under the key of the day. A day goes by DROP, which leaves no page behind, and its key goes with it, so no log of the
-- database and no copy can be opened either.
create schema seclog authorization chatinbox_seclog;
grant usage on schema seclog to chatinbox_app, chatinbox_security_reader;

set local role chatinbox_seclog;

-- What connected in one minute and ended alike is one row. The id is random: what was written first is in no row's place.
create table seclog.entry (
  day date not null,
  id uuid not null,
  minute timestamptz not null check (date_trunc('minute', minute) = minute),
  place_sealed bytea,
  route text not null check (length(route) <= 120),
  status smallint not null,
  defect text check (length(defect) = 16),
  entry_count integer not null check (entry_count > 0),
  primary key (day, id)
) partition by list (day);

-- What went wrong in the program: its kind and the places it went through. No message, no value.
create table seclog.defect (
  day date not null,
  fingerprint text not null check (length(fingerprint) = 16),
  kind text not null check (length(kind) <= 200),
  places text[] not null,
  defect_count integer not null check (defect_count > 0),
  primary key (day, fingerprint)
) partition by list (day);

-- Who read it, when, why, and how much.
create table seclog.reading (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  reader text not null check (length(reader) between 1 and 120),
  reason text not null check (length(reason) between 10 and 500),
  first_day date not null,
  last_day date not null
);

-- The days that are there, oldest first.
create function seclog.days() returns setof date
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'seclog.entry'::regclass order by 1 $$;

create function seclog.open_day(opened date) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create table if not exists seclog.entry_%1$s partition of seclog.entry for values in (%2$L)', to_char(opened, 'YYYYMMDD'), opened);
  execute format('create table if not exists seclog.defect_%1$s partition of seclog.defect for values in (%2$L)', to_char(opened, 'YYYYMMDD'), opened);
end $$;

-- Drops every day before `kept`; which they were.
create function seclog.drop_before(kept date) returns setof date
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  old date;
begin
  for old in select d from seclog.days() d where d < kept loop
    execute format('drop table seclog.entry_%1$s, seclog.defect_%1$s', to_char(old, 'YYYYMMDD'));
    return next old;
  end loop;
end $$;

create function seclog.add(on_day date, ids uuid[], minutes timestamptz[], places bytea[], routes text[], statuses smallint[],
    defects text[], counts integer[]) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into seclog.entry (day, id, minute, place_sealed, route, status, defect, entry_count)
     select on_day, e.* from unnest(ids, minutes, places, routes, statuses, defects, counts) e $$;

create function seclog.add_defect(on_day date, known_by text, called text, went_through text[], times integer) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into seclog.defect as d (day, fingerprint, kind, places, defect_count)
     values (on_day, known_by, called, went_through, times)
     on conflict (day, fingerprint) do update set defect_count = d.defect_count + excluded.defect_count $$;

-- Every reading begins by noting itself; without a reason there is none.
create function seclog.read(reader text, reason text, first_day date, last_day date) returns setof seclog.entry
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into seclog.reading (at, reader, reason, first_day, last_day) values (clock_timestamp(), reader, reason, first_day, last_day);
  return query select * from seclog.entry e where e.day between first_day and last_day order by e.minute, e.id;
end $$;

create function seclog.read_defects(first_day date, last_day date) returns setof seclog.defect
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from seclog.defect where day between $1 and $2 order by day, defect_count desc $$;

create function seclog.readings() returns setof seclog.reading
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from seclog.reading order by id desc limit 200 $$;

revoke all on all tables in schema seclog from public;
revoke all on all functions in schema seclog from public;
grant execute on function seclog.days, seclog.open_day, seclog.drop_before, seclog.add, seclog.add_defect to chatinbox_app;
grant execute on function seclog.days, seclog.read, seclog.read_defects, seclog.readings to chatinbox_security_reader;
