-- What the privacy page shows of what left and of who of the operator may look now: a line a thing, written by a clock of work that
-- asks each account under its own context and keeps only what may be shown (docs/decisions/0046-numbers-that-name-nobody.md).
set local role chatinbox_owner;
create table work.evidence (
  kind text not null check (kind in ('permission', 'service', 'integration', 'subprocessor', 'law', 'rights', 'fraud', 'open')),
  shown integer check (shown = 0 or shown >= 10),
  until_day date not null,
  at timestamptz not null,
  primary key (kind)
);
grant select, insert, update on work.evidence to chatinbox_app;

-- To whom the data of somebody who was erased had gone: kept with the receipt, under the account's key, because the rows of the
-- ledger name nobody any more once the customer's key is gone.
alter table tenant.erasure add column receivers_sealed bytea check (octet_length(receivers_sealed) >= 30);

-- Conversations of others in which somebody who was erased is quoted, ids only, until staff looked at them.
alter table tenant.erasure add column review uuid[], add column reviewed_at timestamptz;
