-- What left becomes a chain, as who looked is one (0038_access): nobody changes, takes out, puts in or moves a row of the ledger
-- unnoticed. A row is written, and its ending, as before; beside each stands for a minute what it commits to, under a key that
-- the database does not have. A step behind takes these into the chain, so nothing that leaves waits for another.
set local role chatinbox_owner;

-- Of a row only how it ended is written again.
revoke update on tenant.ledger from chatinbox_app;
grant update (outcome, reason) on tenant.ledger to chatinbox_app;

-- On its way into the chain. `seal`: proves that the program wrote it. `earlier`: it stood in the ledger before there was a chain.
-- What an order forbids to be told comes into the chain when it is told: a minute after its day began, so that the row of the
-- ledger is there to be seen when this one is.
create table tenant.ledger_waiting (
  account_id uuid not null,
  id uuid not null,
  row_id uuid not null,
  part text not null check (part in ('begun', 'ended', 'earlier')),
  commitment bytea check (length(commitment) = 32),
  seal bytea check (length(seal) = 32),
  shown_from timestamptz,
  primary key (account_id, id),
  check ((part = 'earlier') = (commitment is null) and (part = 'earlier') = (seal is null))
);
call work.protect('tenant.ledger_waiting', 'select, insert, delete');
create policy shown on tenant.ledger_waiting as restrictive for select to chatinbox_app
  using (shown_from is null or shown_from + interval '1 minute' <= clock_timestamp());

-- The chain. `commitment`: the hash of what the row said when it was written, or of how it ended. `strange`: something waited that
-- the program had not written. The program can add to it, and change or take away nothing.
create table tenant.ledger_link (
  account_id uuid not null references tenant.account,
  id uuid not null,
  number bigint not null check (number > 0),
  row_id uuid not null,
  part text not null check (part in ('begun', 'ended', 'earlier', 'strange')),
  commitment bytea not null check (length(commitment) = 32),
  hash_before bytea not null check (length(hash_before) = 32),
  primary key (account_id, id),
  unique (account_id, number)
);
create index ledger_link_of_row on tenant.ledger_link (account_id, row_id);
call work.protect('tenant.ledger_link', 'select, insert');

-- Signed heads: how long the chain was and the hash of its last row.
create table tenant.ledger_head (
  account_id uuid not null references tenant.account,
  id uuid not null,
  kind text not null check (kind = 'head'),
  number bigint not null check (number > 0),
  hash bytea not null check (length(hash) = 32),
  at timestamptz not null,
  signature bytea not null,
  primary key (account_id, id)
);
create index ledger_head_by_number on tenant.ledger_head (account_id, number desc);
call work.protect('tenant.ledger_head', 'select, insert');

-- What stands there already comes first: its own id is older than that of anything that is written from now on.
alter table tenant.ledger no force row level security;
alter table tenant.ledger_waiting no force row level security;
insert into tenant.ledger_waiting (account_id, id, row_id, part, shown_from)
  select account_id, id, id, 'earlier', shown_from from tenant.ledger;
alter table tenant.ledger force row level security;
alter table tenant.ledger_waiting force row level security;
reset role;
