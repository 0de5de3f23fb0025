-- Settings of an account, the log of their changes, more roles, and when a session last proved who it is.
set local role chatinbox_owner;

alter table tenant.account add column settings_sealed bytea;

alter table tenant.staff_user drop constraint staff_user_role_check;
alter table tenant.staff_user add constraint staff_user_role_check check (role in ('owner', 'admin', 'staff', 'viewer'));

-- Who changed which setting of the account. Kept as the account says; no address of any machine.
create table tenant.setting_change (
  account_id uuid not null references tenant.account,
  id uuid not null,
  staff_user_id uuid,
  what text not null,
  subject_id uuid,
  before_sealed bytea,
  after_sealed bytea,
  at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
create index setting_change_by_time on tenant.setting_change (account_id, at desc, id desc);
call work.protect('tenant.setting_change', 'select, insert');

reset role;
set local role chatinbox_directory;

alter table directory.session add column proven_at timestamptz not null default now();

drop function directory.find_session(bytea, timestamptz);
create function directory.find_session(bytea, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, staff_user_id uuid, seen_at timestamptz, proven_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, account_id, staff_user_id, seen_at, proven_at from directory.session
      where token_hash = $1 and ended_at is null and expires_at > $2 $$;
create or replace function directory.add_session(uuid, bytea, uuid, uuid, uuid, bytea, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.session (id, token_hash, person_id, account_id, staff_user_id, device_sealed, created_at, seen_at, expires_at, proven_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $7) $$;
create function directory.prove_session(uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session set proven_at = $2 where id = $1 and ended_at is null $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
