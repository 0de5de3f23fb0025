-- Erasing a customer: asked for, for a while to be taken back, then begun, and told by a receipt when it is done. Ids, times
-- and counts only: nothing in it says who the customer was.
set local role chatinbox_owner;

create table tenant.erasure (
  account_id uuid not null references tenant.account,
  id uuid not null,
  customer_id uuid not null,
  staff_user_id uuid not null,
  asked_at timestamptz not null,
  due_at timestamptz not null check (due_at >= asked_at),
  begun_at timestamptz,
  done_at timestamptz,
  counts jsonb not null default '{}',
  signature bytea,
  primary key (account_id, id),
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  check ((done_at is null) = (signature is null)),
  check (done_at is null or begun_at is not null)
);
create unique index erasure_open on tenant.erasure (account_id, customer_id) where done_at is null;
create index erasure_by_time on tenant.erasure (account_id, asked_at desc);
call work.protect('tenant.erasure');

-- The mark of a message stays when its customer is erased: whoever brings a copy of it back is known by it, and it is not
-- stored again. It is a hash under the account's key.
alter table tenant.received add column erased_at timestamptz;

reset role;
set local role chatinbox_directory;

create function directory.end_visitor_sessions_of(uuid, uuid[]) returns bigint
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with gone as (delete from directory.visitor_session where account_id = $1 and customer_id = any($2) returning 1)
     select count(*) from gone $$;
revoke all on function directory.end_visitor_sessions_of(uuid, uuid[]) from public;
grant execute on function directory.end_visitor_sessions_of(uuid, uuid[]) to chatinbox_app;
