-- The signed context, verified at a third less: each table that a statement touches asks for it, so an answer asks eight
-- times. What signs it does not change while an installation lives; declared so, it is read when a session first asks
-- and stands in that session's plan from then on. A plan can be printed by whoever may set `debug_print_plan`, which is
-- everybody; in here it is off.
set local role chatinbox_context;

create function ctx.inner_pad() returns bytea
  language sql immutable security definer set search_path = pg_catalog, pg_temp as 'select inner_pad from ctx.secret';
create function ctx.outer_pad() returns bytea
  language sql immutable security definer set search_path = pg_catalog, pg_temp as 'select outer_pad from ctx.secret';
revoke all on function ctx.inner_pad(), ctx.outer_pad() from public;

create or replace function ctx.account() returns uuid
  language plpgsql stable parallel safe security definer
  set search_path = pg_catalog, pg_temp set debug_print_plan = off as $$
declare
  given text := current_setting('app.context', true);
begin
  if given is null or given = '' then
    return null;
  end if;
  if substr(given, 49) is distinct from encode(sha256(ctx.outer_pad() || sha256(ctx.inner_pad() || convert_to(substr(given, 1, 47), 'UTF8'))), 'hex') then
    raise exception 'the account context is not signed by this installation' using errcode = '42501';
  end if;
  if substr(given, 38, 10)::bigint < extract(epoch from clock_timestamp()) then
    return null;
  end if;
  return substr(given, 1, 36)::uuid;
end $$;
