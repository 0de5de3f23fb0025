-- Billing: what an account pays for, its bills, and the seats it was charged. Empty where no payments are taken.
set local role chatinbox_owner;

-- Since when an account can only be read because a bill is open. Letters still arrive; export, profile, privacy stay open.
alter table tenant.account add column unpaid_at timestamptz;

-- The provider's words about the subscription are a copy; the provider's are the ones that count.
create table tenant.billing (
  account_id uuid primary key references tenant.account,
  trial_ends_at timestamptz not null,
  country text,
  vat_sealed bytea,
  customer_ref text,
  subscription_ref text,
  item_ref text,
  status text,
  every text check (every in ('month', 'year')),
  seat_count integer not null default 0 check (seat_count >= 0),
  period_starts_at timestamptz,
  period_ends_at timestamptz,
  overdue_at timestamptz,
  cancels_at timestamptz,
  card_sealed bytea,
  asked_count bigint not null default 0,
  seen_count bigint not null default 0,
  seen_at timestamptz,
  detached_at timestamptz
);
call work.protect('tenant.billing');

-- A bill as the provider made it. Kept after the account has left, as the law on bookkeeping says.
create table tenant.invoice (
  account_id uuid not null references tenant.account,
  id uuid not null,
  provider_ref text not null,
  number text,
  status text not null,
  total_cents bigint not null,
  tax_cents bigint not null,
  currency text not null,
  link_sealed bytea,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, provider_ref)
);
create index invoice_by_time on tenant.invoice (account_id, created_at desc);
call work.protect('tenant.invoice', 'select, insert, update');

-- Seats that came or went within a period that was paid already: written first, then told to the provider.
create table tenant.seat_change (
  account_id uuid not null references tenant.account,
  id uuid not null,
  subscription_ref text not null,
  on_day date not null,
  before_count integer not null,
  after_count integer not null,
  amount_cents bigint not null,
  at timestamptz not null,
  told_at timestamptz,
  primary key (account_id, id)
);
create index seat_change_by_time on tenant.seat_change (account_id, at);
call work.protect('tenant.seat_change', 'select, insert, update');

-- The provider's messages that were taken, so that none is taken twice.
create table tenant.billing_event (
  account_id uuid not null references tenant.account,
  id text not null,
  at timestamptz not null,
  primary key (account_id, id)
);
call work.protect('tenant.billing_event', 'select, insert, delete');

reset role;
set local role chatinbox_directory;

create table directory.billing_customer (
  blind bytea primary key,
  account_id uuid not null
);
create function directory.add_billing_customer(bytea, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.billing_customer values ($1, $2) on conflict do nothing $$;
create function directory.find_billing_customer(bytea) returns table (account_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id from directory.billing_customer where blind = $1 $$;
create function directory.remove_billing_customer(bytea) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.billing_customer where blind = $1 $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
