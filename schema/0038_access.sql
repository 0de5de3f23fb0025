-- The access ledger: who looked at what, of whom. Ids, a quarter of an hour and counts only; nothing finer in time, and no
-- address of any machine, so that it cannot be laid beside the security log (clause C15). Gone after twelve months.
set local role chatinbox_owner;

-- What was looked at and is not in the chain yet: written in the same trip as the reading, taken out again within a minute.
-- `id` carries the quarter of an hour, no moment. `grant_id`: the operator looked, under a grant.
create table tenant.access_waiting (
  account_id uuid not null,
  id uuid not null,
  at timestamptz not null check (date_bin('15 minutes', at, 'epoch') = at),
  staff_user_id uuid,
  grant_id uuid,
  deed text not null check (deed in
    ('conversation', 'ahead', 'customer', 'list', 'search', 'file', 'letter', 'report', 'export', 'sheet')),
  customer_id uuid,
  conversation_id uuid,
  subject_id uuid,
  row_count integer,
  primary key (account_id, id)
);
call work.protect('tenant.access_waiting', 'select, insert, delete');

-- The chain. `commitment` is the hash of a nonce and of whom it was about; both stand in `access_subject` and are taken away
-- when the customer is erased, and the chain still holds. The program can add to it and let old rows go, and change none.
create table tenant.access (
  account_id uuid not null references tenant.account,
  id uuid not null,
  number bigint not null check (number > 0),
  at timestamptz not null check (date_bin('15 minutes', at, 'epoch') = at),
  staff_user_id uuid,
  grant_id uuid,
  deed text not null check (deed in
    ('conversation', 'ahead', 'customer', 'list', 'search', 'file', 'letter', 'report', 'export', 'sheet')),
  commitment bytea not null check (length(commitment) = 32),
  hash_before bytea not null check (length(hash_before) = 32),
  primary key (account_id, id),
  unique (account_id, number),
  check ((staff_user_id is null) = (grant_id is not null)),
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
create index access_by_time on tenant.access (account_id, at);
create index access_by_staff on tenant.access (account_id, staff_user_id, number desc);
call work.protect('tenant.access', 'select, insert, delete');

-- Whom a row was about. `subject_id`: a file, a letter, or the colleague of a report. `erased_at`: when it was taken away.
create table tenant.access_subject (
  account_id uuid not null,
  id uuid not null,
  nonce bytea check (length(nonce) = 32),
  customer_id uuid,
  conversation_id uuid,
  subject_id uuid,
  row_count integer,
  erased_at timestamptz,
  primary key (account_id, id),
  foreign key (account_id, id) references tenant.access,
  check ((nonce is null) = (erased_at is not null)),
  check (erased_at is null or (customer_id is null and conversation_id is null and subject_id is null and row_count is null))
);
create index access_subject_of_customer on tenant.access_subject (account_id, customer_id) where customer_id is not null;
call work.protect('tenant.access_subject');

-- Signed heads: how long the chain was and the hash of its last row. `cut`: everything up to this number was let go.
create table tenant.access_head (
  account_id uuid not null references tenant.account,
  id uuid not null,
  kind text not null check (kind in ('head', 'cut')),
  number bigint not null check (number > 0),
  hash bytea not null check (length(hash) = 32),
  at timestamptz not null,
  signature bytea not null,
  primary key (account_id, id)
);
create index access_head_by_number on tenant.access_head (account_id, kind, number desc);
call work.protect('tenant.access_head', 'select, insert, delete');

-- A staff user who looked at, or took along, far more than usual in a day (UTC). Owners are told.
create table tenant.access_alert (
  account_id uuid not null references tenant.account,
  id uuid not null,
  staff_user_id uuid not null,
  day date not null,
  what text not null check (what in ('looks', 'exports')),
  alert_count integer not null check (alert_count > 0),
  usual_count integer not null check (usual_count >= 0),
  at timestamptz not null,
  told_at timestamptz,
  primary key (account_id, id),
  unique (account_id, staff_user_id, day, what),
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
call work.protect('tenant.access_alert');
