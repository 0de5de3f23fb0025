-- Second factors and passkeys of people, tries of codes, and sessions that end for good after a month or are limited
-- to setting up a second factor. Secrets are sealed under the person's key; no address of any machine.
set local role chatinbox_directory;

alter table directory.person alter column password_sealed drop not null;
alter table directory.session add column limited_at timestamptz;
create index session_expires on directory.session (expires_at);

create table directory.authenticator (
  person_id uuid primary key references directory.person on delete cascade,
  secret_sealed bytea not null,
  last_step bigint not null,
  created_at timestamptz not null
);
create table directory.recovery_code (
  person_id uuid not null references directory.person on delete cascade,
  code_hash bytea not null,
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (person_id, code_hash)
);
create table directory.passkey (
  id uuid primary key,
  person_id uuid not null references directory.person on delete cascade,
  credential_blind bytea not null unique,
  credential_sealed bytea not null,
  public_key_sealed bytea not null,
  name_sealed bytea not null,
  sign_count bigint not null,
  created_at timestamptz not null,
  used_at timestamptz
);
create index passkey_of_person on directory.passkey (person_id, created_at);
-- How often a code was tried for a person since the last right one, and from when the next try is free.
create table directory.code_try (
  person_id uuid primary key references directory.person on delete cascade,
  tries_count integer not null,
  free_at timestamptz not null
);
-- A passkey's answer counts once: the challenge it answered, until that would have expired anyway.
create table directory.used_challenge (
  challenge_hash bytea primary key,
  expires_at timestamptz not null
);

-- Sessions -----------------------------------------------------------------------------------------------------------
drop function directory.find_session(bytea, timestamptz);
create function directory.find_session(bytea, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, staff_user_id uuid, seen_at timestamptz, proven_at timestamptz, limited_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, account_id, staff_user_id, seen_at, proven_at, limited_at from directory.session
      where token_hash = $1 and ended_at is null and expires_at > $2 $$;
drop function directory.add_session(uuid, bytea, uuid, uuid, uuid, bytea, timestamptz, timestamptz);
create function directory.add_session(uuid, bytea, uuid, uuid, uuid, bytea, timestamptz, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.session (id, token_hash, person_id, account_id, staff_user_id, device_sealed, created_at, seen_at, expires_at, proven_at, limited_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $7, $9) $$;
-- Use keeps a session open, but never beyond a month after it began.
create or replace function directory.touch_session(uuid, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set seen_at = $2, expires_at = least($3, created_at + interval '30 days') where id = $1 and ended_at is null $$;
create function directory.free_sessions(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set limited_at = null where person_id = $1 and limited_at is not null $$;
-- What ended or ran out between two moments.
drop function directory.ended_since(timestamptz);
create function directory.ended_since(timestamptz, timestamptz) returns table (id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id from directory.session where ended_at >= $1
     union select id from directory.session where expires_at >= $1 and expires_at <= $2 limit 10000 $$;

-- Factors ------------------------------------------------------------------------------------------------------------
create function directory.factors_of(uuid) returns table (has_password boolean, has_authenticator boolean, passkey_count integer, code_count integer)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select password_sealed is not null,
       exists (select from directory.authenticator a where a.person_id = p.id),
       (select count(*) from directory.passkey k where k.person_id = p.id)::integer,
       (select count(*) from directory.recovery_code c where c.person_id = p.id and c.used_at is null)::integer
     from directory.person p where p.id = $1 $$;
create function directory.with_second_factor(uuid[]) returns table (person_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select person_id from directory.authenticator where person_id = any($1)
     union select person_id from directory.passkey where person_id = any($1) $$;
create function directory.read_authenticator(uuid) returns table (secret_sealed bytea, last_step bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select secret_sealed, last_step from directory.authenticator where person_id = $1 $$;
create function directory.add_authenticator(uuid, bytea, bigint, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with added as (insert into directory.authenticator values ($1, $2, $3, $4) on conflict do nothing returning 1)
     select exists (select from added) $$;
-- True for the first who uses a time step; a step that was used, or an older one, is spent (RFC 6238 §5.2).
create function directory.use_step(uuid, bigint) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with used as (update directory.authenticator set last_step = $2 where person_id = $1 and last_step < $2 returning 1)
     select exists (select from used) $$;
create function directory.remove_authenticator(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.authenticator where person_id = $1 $$;
create function directory.set_recovery_codes(uuid, bytea[], timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.recovery_code where person_id = $1;
     insert into directory.recovery_code (person_id, code_hash, created_at) select $1, code, $3 from unnest($2) code $$;
create function directory.use_recovery_code(uuid, bytea, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with used as (update directory.recovery_code set used_at = $3 where person_id = $1 and code_hash = $2 and used_at is null returning 1)
     select exists (select from used) $$;
-- Takes one try. Null when it is free; else from when the next one is. Five are free, then the wait doubles, to four hours.
create function directory.take_code_try(uuid, timestamptz) returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into directory.code_try as t values ($1, 1, $2)
  on conflict (person_id) do update set tries_count = t.tries_count + 1,
    free_at = case when t.tries_count < 4 then $2
      else $2 + least(interval '4 hours', interval '1 minute' * (2 ^ least(t.tries_count - 4, 10))) end
    where t.free_at <= $2;
  if found then return null; end if;
  return (select free_at from directory.code_try where person_id = $1);
end $$;
create function directory.end_code_tries(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.code_try where person_id = $1 $$;

-- Passkeys -----------------------------------------------------------------------------------------------------------
create function directory.add_passkey(uuid, uuid, bytea, bytea, bytea, bytea, bigint, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with added as (insert into directory.passkey values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1)
     select exists (select from added) $$;
create function directory.find_passkey(bytea) returns table (id uuid, person_id uuid, public_key_sealed bytea, sign_count bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, public_key_sealed, sign_count from directory.passkey where credential_blind = $1 $$;
create function directory.passkeys_of(uuid)
  returns table (id uuid, credential_sealed bytea, name_sealed bytea, created_at timestamptz, used_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, credential_sealed, name_sealed, created_at, used_at from directory.passkey where person_id = $1 order by created_at, id $$;
-- The counter only grows; authenticators that keep none always say 0 (WebAuthn §6.1.1).
create function directory.use_passkey(uuid, bigint, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with used as (update directory.passkey set sign_count = $2, used_at = $3
       where id = $1 and (sign_count < $2 or (sign_count = 0 and $2 = 0)) returning 1)
     select exists (select from used) $$;
create function directory.remove_passkey(uuid, uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with gone as (delete from directory.passkey where person_id = $1 and id = $2 returning 1) select exists (select from gone) $$;
create function directory.use_challenge(bytea, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with used as (insert into directory.used_challenge values ($1, $2) on conflict do nothing returning 1)
     select exists (select from used) $$;
create function directory.forget_challenges(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.used_challenge where expires_at < $1 $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
