-- People: humans who sign in, where they work, their sessions and the links that were sent to them.
-- Found before any account is known, so they stand in the directory; names and addresses are sealed under the
-- person's own key, look-ups are keyed hashes.
set local role chatinbox_directory;

create table directory.person (
  id uuid primary key,
  email_blind bytea not null unique,
  email_sealed bytea not null,
  name_sealed bytea not null,
  password_sealed bytea not null,
  created_at timestamptz not null,
  confirmed_at timestamptz
);
create table directory.membership (
  person_id uuid not null references directory.person,
  account_id uuid not null,
  staff_user_id uuid not null,
  primary key (person_id, account_id)
);
create table directory.session (
  id uuid primary key,
  token_hash bytea not null unique,
  person_id uuid not null references directory.person,
  account_id uuid not null,
  staff_user_id uuid not null,
  device_sealed bytea not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index session_of_person on directory.session (person_id, created_at desc);
create index session_ended on directory.session (ended_at) where ended_at is not null;
-- A link that was sent or shown to one person: confirm, reset, invitation, setup. Used once.
create table directory.link (
  token_hash bytea primary key,
  id uuid not null unique,
  purpose text not null check (purpose in ('confirm', 'reset', 'invitation', 'setup')),
  person_id uuid,
  account_id uuid,
  words_sealed bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index link_of_person on directory.link (person_id);
create index link_of_account on directory.link (account_id, created_at desc) where purpose = 'invitation';

create function directory.add_person(uuid, bytea, bytea, bytea, bytea, timestamptz, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with added as (insert into directory.person values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1)
     select exists (select from added) $$;
create function directory.find_person(bytea) returns table (id uuid, password_sealed bytea, confirmed_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, password_sealed, confirmed_at from directory.person where email_blind = $1 $$;
create function directory.read_person(uuid) returns table (email_sealed bytea, name_sealed bytea, password_sealed bytea, confirmed_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select email_sealed, name_sealed, password_sealed, confirmed_at from directory.person where id = $1 $$;
create function directory.rename_person(uuid, bytea) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.person set name_sealed = $2 where id = $1 $$;
create function directory.set_password(uuid, bytea) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.person set password_sealed = $2 where id = $1 $$;
create function directory.confirm_person(uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.person set confirmed_at = coalesce(confirmed_at, $2) where id = $1 $$;
create function directory.is_empty() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select not exists (select from directory.person) $$;

create function directory.add_membership(uuid, uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.membership values ($1, $2, $3) on conflict do nothing $$;
create function directory.memberships(uuid) returns table (account_id uuid, staff_user_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, staff_user_id from directory.membership where person_id = $1 order by account_id $$;

create function directory.add_session(uuid, bytea, uuid, uuid, uuid, bytea, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.session values ($1, $2, $3, $4, $5, $6, $7, $7, $8) $$;
create function directory.find_session(bytea, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, staff_user_id uuid, seen_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, account_id, staff_user_id, seen_at from directory.session
      where token_hash = $1 and ended_at is null and expires_at > $2 $$;
create function directory.touch_session(uuid, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set seen_at = $2, expires_at = $3 where id = $1 and ended_at is null $$;
create function directory.sessions_of(uuid, timestamptz)
  returns table (id uuid, account_id uuid, device_sealed bytea, created_at timestamptz, seen_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, account_id, device_sealed, created_at, seen_at from directory.session
      where person_id = $1 and ended_at is null and expires_at > $2 order by seen_at desc limit 100 $$;
-- Ends one session of a person, or all but one, or all of one account; which ended.
create function directory.end_session(uuid, uuid, timestamptz) returns table (id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set ended_at = $3 where person_id = $1 and id = $2 and ended_at is null returning id $$;
create function directory.end_other_sessions(uuid, uuid, timestamptz) returns table (id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set ended_at = $3 where person_id = $1 and id is distinct from $2 and ended_at is null returning id $$;
create function directory.end_sessions_in(uuid, uuid, timestamptz) returns table (id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set ended_at = $3 where person_id = $1 and account_id = $2 and ended_at is null returning id $$;
create function directory.ended_since(timestamptz) returns table (id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id from directory.session where ended_at >= $1 limit 10000 $$;
create function directory.forget_sessions(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.session where ended_at < $1 or expires_at < $1 $$;

create function directory.add_link(bytea, uuid, text, uuid, uuid, bytea, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.link values ($1, $2, $3, $4, $5, $6, $7, $8) $$;
create function directory.find_link(bytea, text, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, words_sealed bytea)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, account_id, words_sealed from directory.link
      where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3 $$;
create function directory.use_link(bytea, text, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, words_sealed bytea)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.link set used_at = $3 where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3
     returning id, person_id, account_id, words_sealed $$;
-- The first set-up link that is used ends all of them; none is good once somebody is here.
create function directory.use_setup(bytea, timestamptz) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from directory.link where purpose = 'setup' and used_at is null order by token_hash for update;
  if exists (select from directory.person) or not exists (
    select from directory.link where token_hash = $1 and purpose = 'setup' and used_at is null and expires_at > $2) then
    return false;
  end if;
  update directory.link set used_at = $2 where purpose = 'setup' and used_at is null;
  return true;
end $$;
create function directory.end_links(uuid, text, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.link set used_at = $3 where person_id = $1 and purpose = $2 and used_at is null $$;
create function directory.withdraw_invitations_by(uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.link where account_id = $1 and person_id = $2 and purpose = 'invitation' and used_at is null $$;
create function directory.forget_links(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.link where expires_at < $1 $$;
create function directory.invitations_of(uuid, timestamptz)
  returns table (id uuid, words_sealed bytea, created_at timestamptz, expires_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, words_sealed, created_at, expires_at from directory.link
      where account_id = $1 and purpose = 'invitation' and used_at is null and expires_at > $2 order by created_at desc limit 200 $$;
create function directory.withdraw_invitation(uuid, uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with gone as (delete from directory.link where account_id = $1 and id = $2 and purpose = 'invitation'
       and used_at is null returning 1) select exists (select from gone) $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
