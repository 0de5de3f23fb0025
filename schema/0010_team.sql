-- Teams and roles of an account's own; which channels only some teams see; invitations that say who gave the address.
set local role chatinbox_owner;

create table tenant.role (
  account_id uuid not null references tenant.account,
  id uuid not null,
  name_sealed bytea not null,
  permissions text[] not null,
  created_at timestamptz not null,
  primary key (account_id, id)
);
call work.protect('tenant.role');
alter table tenant.staff_user add column role_id uuid;
alter table tenant.staff_user add foreign key (account_id, role_id) references tenant.role;
create index staff_user_by_role on tenant.staff_user (account_id, role_id) where role_id is not null;

create table tenant.team (
  account_id uuid not null references tenant.account,
  id uuid not null,
  name_sealed bytea not null,
  created_at timestamptz not null,
  primary key (account_id, id)
);
call work.protect('tenant.team');
create table tenant.team_member (
  account_id uuid not null,
  team_id uuid not null,
  staff_user_id uuid not null,
  primary key (account_id, team_id, staff_user_id),
  foreign key (account_id, team_id) references tenant.team,
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
create index team_member_by_staff on tenant.team_member (account_id, staff_user_id);
call work.protect('tenant.team_member');
-- A channel without a line here is everybody's; one with lines is seen by the members of those teams.
create table tenant.team_channel (
  account_id uuid not null,
  team_id uuid not null,
  channel_id uuid not null,
  primary key (account_id, channel_id, team_id),
  foreign key (account_id, team_id) references tenant.team,
  foreign key (account_id, channel_id) references tenant.channel
);
create index team_channel_by_team on tenant.team_channel (account_id, team_id);
call work.protect('tenant.team_channel');

reset role;
set local role chatinbox_directory;

-- When what staff of an account may do or see was last changed: other processes ask every two seconds.
alter table directory.account add column staff_changed_at timestamptz;
create index account_staff_changed on directory.account (staff_changed_at) where staff_changed_at is not null;
create function directory.mark_staff_changed(uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.account set staff_changed_at = $2 where account_id = $1 $$;
create function directory.staff_changed_since(timestamptz) returns table (account_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id from directory.account where staff_changed_at >= $1 limit 10000 $$;
-- A declined or used invitation leaves nothing: its address goes with its row.
create function directory.take_invitation(bytea, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, words_sealed bytea)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.link where token_hash = $1 and purpose = 'invitation' and used_at is null and expires_at > $2
     returning id, person_id, account_id, words_sealed $$;
create function directory.forget_invitations(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.link where purpose = 'invitation' and (expires_at <= $1 or used_at is not null) $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
