-- Account, staff users and the counters every verb takes its numbers from.
set local role chatinbox_owner;

create table tenant.account (
  account_id uuid primary key,
  name_sealed bytea not null,
  languages text[] not null default '{en}',
  created_at timestamptz not null,
  closed_at timestamptz
);
call work.protect('tenant.account');

-- Last number given: 'feed' (one a change, in commit order) and 'conversation' (the #123 people see).
create table tenant.counter (
  account_id uuid not null references tenant.account,
  kind text not null check (kind in ('feed', 'conversation')),
  last bigint not null default 0,
  primary key (account_id, kind)
) with (fillfactor = 50);
call work.protect('tenant.counter');

create table tenant.staff_user (
  account_id uuid not null references tenant.account,
  id uuid not null,
  person_id uuid not null,
  role text not null check (role in ('owner', 'staff')),
  name_sealed bytea not null,
  email_sealed bytea not null,
  joined_at timestamptz not null,
  deactivated_at timestamptz,
  primary key (account_id, id),
  unique (account_id, person_id)
);
call work.protect('tenant.staff_user');
