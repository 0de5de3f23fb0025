-- What the public may know of the security log without reading it: how old its oldest day is, which days were destroyed, and
-- how often it was read (clauses C13, C14). Sums and days; the program still reads no entry.
set local role chatinbox_seclog;

create table seclog.dropped (
  day date primary key,
  at timestamptz not null
);
revoke all on seclog.dropped from public;

-- Drops every day before `kept` and notes it; which they were. The key went before.
create or replace function seclog.drop_before(kept date) returns setof date
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  old date;
begin
  for old in select d from seclog.days() d where d < kept loop
    execute format('drop table seclog.entry_%1$s, seclog.defect_%1$s', to_char(old, 'YYYYMMDD'));
    insert into seclog.dropped as e (day, at) values (old, clock_timestamp()) on conflict (day) do update set at = excluded.at;
    return next old;
  end loop;
end $$;

create function seclog.evidence(out oldest date, out day_count bigint, out dropped_count bigint, out last_dropped date,
    out reading_count bigint, out last_read date)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select (select min(d) from seclog.days() d), (select count(*) from seclog.days() d),
            (select count(*) from seclog.dropped), (select max(day) from seclog.dropped),
            (select count(*) from seclog.reading), (select max((at at time zone 'UTC')::date) from seclog.reading) $$;
revoke all on function seclog.evidence from public;
grant execute on function seclog.evidence to chatinbox_app;
