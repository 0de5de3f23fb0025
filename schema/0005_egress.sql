-- What left the house: written before the bytes go, in its own transaction.
set local role chatinbox_owner;

create table tenant.ledger (
  account_id uuid not null references tenant.account,
  id uuid not null,
  gate text not null check (gate in ('mail', 'http')),
  recipient_sealed bytea not null,
  subject_kind text not null check (subject_kind in ('customer', 'person')),
  subject_id uuid not null,
  basis text not null,
  instruction text not null,
  fields text[] not null,
  at timestamptz not null,
  outcome text not null default 'begun' check (outcome in ('begun', 'taken', 'refused', 'unreachable')),
  primary key (account_id, id)
);
create index ledger_by_time on tenant.ledger (account_id, at desc);
call work.protect('tenant.ledger', 'select, insert, update');

-- The built-in outbox: where mail is kept when no outgoing server is named (the demo).
create table tenant.kept_mail (
  account_id uuid not null references tenant.account,
  id uuid not null,
  subject_kind text not null check (subject_kind in ('customer', 'person')),
  subject_id uuid not null,
  raw_sealed bytea not null,
  at timestamptz not null,
  primary key (account_id, id)
);
create index kept_mail_by_time on tenant.kept_mail (account_id, at desc);
call work.protect('tenant.kept_mail');
