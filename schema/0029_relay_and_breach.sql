-- What leaves and belongs to no account: the same ledger, for the house itself. A row is there before the bytes.
set local role chatinbox_owner;

create table work.house_ledger (
  id uuid primary key,
  recipient text not null,
  basis text not null check (basis in ('permission', 'service', 'integration', 'subprocessor', 'law', 'rights', 'fraud')),
  instruction text not null,
  fields text[] not null,
  named text not null,
  at timestamptz not null,
  outcome text not null default 'begun' check (outcome in ('begun', 'taken', 'refused', 'unreachable', 'withheld')),
  reason text
);
grant select, insert on work.house_ledger to chatinbox_app;
grant update (outcome, reason) on work.house_ledger to chatinbox_app;
reset role;

-- The relay of finished counts (clauses C10 and C11): since when this installation says publicly that it has one, and which
-- days left. One recipient, ever: the policy names no second.
set local role chatinbox_statistics;

create table watch.relay (
  recipient text primary key check (recipient = 'google_analytics'),
  declared_at timestamptz not null
);
create table watch.relayed_day (
  day date primary key,
  relayed_at timestamptz not null
);

-- Since when it is said; from now on when it was not.
create function watch.declare_relay(text, timestamptz) returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into watch.relay values ($1, $2) on conflict do nothing;
  return (select declared_at from watch.relay where recipient = $1);
end $$;
create function watch.end_relay() returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$ delete from watch.relay $$;
create function watch.read_relay() returns timestamptz
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select declared_at from watch.relay $$;
-- Whether this call is the one that may send a day. One in doubt is not sent again.
create function watch.claim_day(date, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with claimed as (insert into watch.relayed_day values ($1, $2) on conflict do nothing returning 1)
     select exists (select from claimed) $$;
create function watch.release_day(date) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from watch.relayed_day where day = $1 $$;

revoke all on watch.relay, watch.relayed_day from public;
revoke all on function watch.declare_relay, watch.end_relay, watch.read_relay, watch.claim_day, watch.release_day from public;
grant execute on function watch.declare_relay, watch.end_relay, watch.read_relay, watch.claim_day, watch.release_day
  to chatinbox_app;
reset role;

-- The breach desk (clause C52): what was exposed and since when that is known, for the operator; and, of each account, what of
-- its data was touched, which no other account can see.
set local role chatinbox_owner;

create table work.breach (
  id uuid primary key,
  purpose text not null check (purpose in ('breach', 'drill')),
  kind text not null check (kind in ('table', 'backup', 'channel', 'staff')),
  exposed text not null check (length(exposed) <= 100),
  noticed_at timestamptz not null,
  recorded_at timestamptz not null
);
grant select, insert on work.breach to chatinbox_app;

create table tenant.breach_notice (
  account_id uuid not null references tenant.account,
  id uuid not null,
  breach_id uuid not null,
  counts jsonb not null,
  customer_count bigint not null,
  staff_count bigint not null,
  recorded_at timestamptz not null,
  told_at timestamptz,
  primary key (account_id, id),
  unique (account_id, breach_id)
);
call work.protect('tenant.breach_notice', 'select, insert, update');
