-- The ground: schemas, the signed account context, and the one way a tenant table is protected.
-- Roles are made by the migration runner (src/chatinbox/core/migrate.py) because they carry a derived password:
--   chatinbox_owner      owns tables and runs migrations, nothing else
--   chatinbox_app        what every process connects as; owns nothing, bypasses nothing
--   chatinbox_context    owns the key that signs the account context
--   chatinbox_directory  owns what must be found before an account is known
--   chatinbox_search     owns the search tokens, which chatinbox_app cannot read

create schema tenant authorization chatinbox_owner;
create schema work authorization chatinbox_owner;
create schema ctx authorization chatinbox_context;
create schema directory authorization chatinbox_directory;
create schema search authorization chatinbox_search;
grant usage on schema tenant, work, ctx, directory, search to chatinbox_app;
grant usage on schema ctx, tenant to chatinbox_search;
grant usage on schema ctx to chatinbox_owner;

set local role chatinbox_context;

-- The key that signs the context, already spread into HMAC's inner and outer pad (RFC 2104).
create table ctx.secret (
  id smallint primary key default 1 check (id = 1),
  inner_pad bytea not null,
  outer_pad bytea not null
);

-- The account this transaction may see: `SET LOCAL app.context = '<account>.<expiry>.<mac>'`.
-- No context or an expired one gives null, so every policy shows nothing. A forged one is an error.
create function ctx.account() returns uuid
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
declare
  given text := current_setting('app.context', true);
  pads ctx.secret;
begin
  if given is null or given = '' then
    return null;
  end if;
  select * into pads from ctx.secret;
  if substr(given, 49) is distinct from encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(substr(given, 1, 47), 'UTF8'))), 'hex') then
    raise exception 'the account context is not signed by this installation' using errcode = '42501';
  end if;
  if substr(given, 38, 10)::bigint < extract(epoch from clock_timestamp()) then
    return null;
  end if;
  return substr(given, 1, 36)::uuid;
end $$;
revoke all on function ctx.account() from public;
grant execute on function ctx.account() to chatinbox_app, chatinbox_owner, chatinbox_search;
revoke all on ctx.secret from public;

reset role;
set local role chatinbox_owner;

-- Protects one tenant table: forced row security by the signed context, and the app's rights on its rows.
create procedure work.protect(target regclass, rights text default 'select, insert, update, delete')
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy account on %s using (account_id = (select ctx.account())) with check (account_id = (select ctx.account()))', target);
  execute format('grant %s on %s to chatinbox_app', rights, target);
end $$;
revoke all on procedure work.protect(regclass, text) from public;

-- Work that a committed transaction left behind: ids only, of no account's own, claimed with SKIP LOCKED.
create table work.outbox (
  id bigint generated always as identity primary key,
  account_id uuid not null,
  event_id uuid not null,
  kind text not null,
  conversation_id uuid,
  subject_id uuid
);
-- (update: what FOR UPDATE asks for)
grant select, insert, update, delete on work.outbox to chatinbox_app;
