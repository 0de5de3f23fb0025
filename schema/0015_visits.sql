-- Plane A: how often pages of our own website were looked at. Counters, never a row for a visitor or a visit.
-- A schema and a role of its own. The app cannot read or write the tables, only call the functions below; nothing here
-- has an id, an address of a machine, a browser's name or a time finer than a day (clauses C07 to C11, C17).
do $$ begin
  if not exists (select from pg_roles where rolname = 'chatinbox_statistics') then
    create role chatinbox_statistics nologin nobypassrls;
  end if;
  execute format('grant chatinbox_statistics to %I', current_user);
end $$;
create schema if not exists watch;
grant usage, create on schema watch to chatinbox_statistics;
grant usage on schema watch to chatinbox_app;

set local role chatinbox_statistics;

-- A visit that asked not to be followed stands under '-' in every column but the day: it counts in the total only.
create table watch.visit (
  day date not null,
  route text not null check (length(route) <= 100),
  device text not null check (device in ('phone', 'tablet', 'computer', 'program', '-')),
  referrer text not null check (length(referrer) <= 100),
  visit_count bigint not null check (visit_count > 0),
  primary key (day, route, device, referrer)
);

-- How many different visitors a day had, about: a number that was counted in memory, under a key that died that day.
create table watch.visitors (
  day date primary key,
  visitor_count bigint not null check (visitor_count > 0)
);

create function watch.add_visits(date[], text[], text[], text[], bigint[]) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into watch.visit as v (day, route, device, referrer, visit_count)
     select * from unnest($1, $2, $3, $4, $5)
     on conflict (day, route, device, referrer) do update set visit_count = v.visit_count + excluded.visit_count $$;

create function watch.add_visitors(date[], bigint[]) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into watch.visitors as v (day, visitor_count) select * from unnest($1, $2)
     on conflict (day) do update set visitor_count = v.visitor_count + excluded.visitor_count $$;

create function watch.read_visits(date, date) returns setof watch.visit
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from watch.visit where day between $1 and $2 $$;

create function watch.read_visitors(date, date) returns setof watch.visitors
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from watch.visitors where day between $1 and $2 $$;

revoke all on all tables in schema watch from public;
revoke all on function watch.add_visits, watch.add_visitors, watch.read_visits, watch.read_visitors from public;
grant execute on function watch.add_visits, watch.add_visitors, watch.read_visits, watch.read_visitors to chatinbox_app;
