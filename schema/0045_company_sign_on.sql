-- Our own key of a SAML connection: what is encrypted for us is opened with it, and what we ask is signed.
set local role chatinbox_owner;

create table tenant.sso_key (
  account_id uuid not null references tenant.account,
  id uuid not null,
  key_sealed bytea not null,
  certificate bytea not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id)
);
call work.protect('tenant.sso_key');

reset role;
set local role chatinbox_directory;

-- The account's part of the paths that its provider is told: whoever comes there says nothing else of whom it is about.
create table directory.sso_path (
  account_id uuid primary key,
  path bytea not null unique
);
create function directory.set_sso_path(uuid, bytea) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.sso_path values ($1, $2) on conflict do nothing $$;
create function directory.find_sso_path(bytea) returns table (account_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id from directory.sso_path where path = $1 $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
