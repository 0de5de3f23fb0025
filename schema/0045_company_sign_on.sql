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

-- By which name the provider knows whom a session is of, so that either side can end it at the other.
create table tenant.sso_session (
  account_id uuid not null references tenant.account,
  id uuid not null,
  connection_id uuid not null,
  staff_user_id uuid not null,
  index_blind bytea not null,
  words_sealed bytea not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, connection_id) references tenant.sso_connection on delete cascade,
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
create index sso_session_of_staff on tenant.sso_session (account_id, staff_user_id, index_blind);
call work.protect('tenant.sso_session');

-- A domain's postmaster is asked again now and then; one that nobody answers for counts no longer.
alter table tenant.sso_domain add column asked_again_at timestamptz;
alter table tenant.sso_domain add column owners_told_at timestamptz;
alter table tenant.sso_domain add column lapsed_at timestamptz;

-- A visitor sees the photo of who answers where the chat shows faces and that staff user shows theirs.
alter table tenant.channel add column faces_at timestamptz;
alter table tenant.staff_user add column photo_shown_at timestamptz;

-- A letter to a person until a server took it: what a killed process left behind is sent by the clock.
create table tenant.person_letter (
  account_id uuid not null references tenant.account,
  id uuid not null,
  person_id uuid not null,
  letter_sealed bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (account_id, id)
);
call work.protect('tenant.person_letter');

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

-- A letter that a page promised, before anybody looks whom it is to; for an address nobody has, an id that nobody has.
create table directory.promised_letter (
  id uuid primary key,
  occasion text not null check (occasion in ('reset', 'wish')),
  person_id uuid not null,
  asked_at timestamptz not null
);
create function directory.add_promised_letter(uuid, text, uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.promised_letter values ($1, $2, $3, $4) $$;
create function directory.read_promised_letter(uuid) returns table (occasion text, person_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select occasion, person_id from directory.promised_letter where id = $1 $$;
create function directory.promised_letters_before(timestamptz) returns table (id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id from directory.promised_letter where asked_at < $1 order by asked_at limit 200 $$;
create function directory.forget_promised_letter(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.promised_letter where id = $1 $$;
create function directory.forget_promised_letters(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.promised_letter where asked_at < $1 $$;

alter table directory.sso_pending drop constraint sso_pending_purpose_check;
alter table directory.sso_pending add constraint sso_pending_purpose_check
  check (purpose in ('begin', 'admission', 'domain', 'logout'));
create function directory.end_company_sessions(uuid, uuid, timestamptz)
  returns table (id uuid, account_id uuid, staff_user_id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session s set ended_at = $3
      where s.person_id = $1 and s.account_id = $2 and s.how = 'sso' and s.ended_at is null
     returning s.id, s.account_id, s.staff_user_id $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
