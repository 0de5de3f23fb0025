-- What leaves by HTTP stands in the ledger too: for the account as such, to a recipient of the register or one the
-- account chose, on one of six bases and no other (C33a), and also what we withheld.
set local role chatinbox_owner;

alter table tenant.ledger drop constraint ledger_subject_kind_check;
alter table tenant.ledger add constraint ledger_subject_kind_check check (subject_kind in ('customer', 'person', 'account'));
alter table tenant.ledger drop constraint ledger_outcome_check;
alter table tenant.ledger add constraint ledger_outcome_check
  check (outcome in ('begun', 'taken', 'refused', 'unreachable', 'withheld'));
alter table tenant.ledger add column named text;
alter table tenant.ledger add column reason text;
alter table tenant.ledger add constraint ledger_basis_check
  check (gate <> 'http' or basis in ('permission', 'integration', 'subprocessor', 'law', 'rights', 'fraud'));

-- How the people of an account sign in with their company. One connection an account.
create table tenant.sso_connection (
  account_id uuid not null references tenant.account,
  id uuid not null,
  kind text not null check (kind in ('oidc', 'saml')),
  settings_sealed bytea not null,
  join_role text check (join_role in ('admin', 'staff', 'viewer')),
  compulsory_at timestamptz,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id)
);
call work.protect('tenant.sso_connection');

-- Domains that the account has shown to be its own, by a letter to their postmaster.
create table tenant.sso_domain (
  account_id uuid not null references tenant.account,
  id uuid not null,
  name_sealed bytea not null,
  asked_at timestamptz not null,
  confirmed_at timestamptz,
  primary key (account_id, id)
);
call work.protect('tenant.sso_domain');

-- Who somebody of the company is here: by the provider's own id for them, never by an address alone.
create table tenant.sso_identity (
  account_id uuid not null references tenant.account,
  id uuid not null,
  connection_id uuid not null,
  subject_blind bytea not null,
  staff_user_id uuid not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, connection_id, subject_blind),
  foreign key (account_id, connection_id) references tenant.sso_connection on delete cascade,
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
call work.protect('tenant.sso_identity');

-- What a provider said once and may not say again: ids of assertions, until they expire.
create table tenant.sso_said (
  account_id uuid not null references tenant.account,
  id uuid not null,
  said_blind bytea not null,
  expires_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, said_blind)
);
call work.protect('tenant.sso_said');

reset role;
set local role chatinbox_directory;

alter table directory.person alter column password_sealed drop not null;

create table directory.sso_domain (
  blind bytea primary key,
  account_id uuid not null,
  domain_id uuid not null,
  connection_id uuid
);
create index sso_domain_of_account on directory.sso_domain (account_id);
-- A sign-in on its way to a provider and back, or a letter to a postmaster. Used once.
create table directory.sso_pending (
  token_hash bytea primary key,
  purpose text not null check (purpose in ('begin', 'admission', 'domain')),
  id uuid not null unique,
  account_id uuid not null,
  words_sealed bytea not null,
  expires_at timestamptz not null,
  used_at timestamptz
);

create function directory.add_sso_pending(bytea, text, uuid, uuid, bytea, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.sso_pending values ($1, $2, $3, $4, $5, $6) $$;
create function directory.find_sso_pending(bytea, text, timestamptz) returns table (id uuid, account_id uuid, words_sealed bytea)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, account_id, words_sealed from directory.sso_pending
      where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3 $$;
create function directory.use_sso_pending(bytea, text, timestamptz) returns table (id uuid, account_id uuid, words_sealed bytea)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.sso_pending set used_at = $3
      where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3
      returning id, account_id, words_sealed $$;
create function directory.forget_sso_pending(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.sso_pending where expires_at < $1 $$;
create function directory.find_sso_domain(bytea) returns table (account_id uuid, connection_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, connection_id from directory.sso_domain where blind = $1 $$;
create function directory.add_sso_domain(bytea, uuid, uuid, uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with added as (insert into directory.sso_domain values ($1, $2, $3, $4) on conflict do nothing returning 1)
     select exists (select from added) $$;
create function directory.remove_sso_domain(uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.sso_domain where account_id = $1 and domain_id = $2 $$;
create function directory.set_sso_connection(uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.sso_domain set connection_id = $2 where account_id = $1 $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;

-- The one token by which an account's provider keeps the list of its people (SCIM); acts in the name of who made it.
create table directory.scim_token (
  account_id uuid primary key,
  token_hash bytea not null unique,
  staff_user_id uuid not null,
  person_id uuid not null,
  created_at timestamptz not null
);
create function directory.set_scim_token(uuid, bytea, uuid, uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.scim_token values ($1, $2, $3, $4, $5) on conflict (account_id) do update
     set token_hash = excluded.token_hash, staff_user_id = excluded.staff_user_id, person_id = excluded.person_id,
         created_at = excluded.created_at $$;
create function directory.find_scim_token(bytea) returns table (account_id uuid, staff_user_id uuid, person_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, staff_user_id, person_id from directory.scim_token where token_hash = $1 $$;
create function directory.scim_token_of(uuid) returns table (staff_user_id uuid, created_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select staff_user_id, created_at from directory.scim_token where account_id = $1 $$;
create function directory.end_scim_token(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.scim_token where account_id = $1 $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
