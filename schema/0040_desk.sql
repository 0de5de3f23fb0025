-- The request desk: a customer may come to us directly (clauses C61 to C63). The installation knows a request only while it is
-- carried from account to account; each account that holds something gets a case of its own, with an id, a time and a clock of
-- its own, and nothing in it says whether another account has one.
set local role chatinbox_owner;

-- Which request: a keyed hash of the number that its link carried, so that a link is good once. While it is under way, the
-- address and the wish, sealed under a key of the request's own that is destroyed with it. Afterwards a day and an outcome.
create table work.data_request (
  mac bytea primary key,
  on_day date not null,
  outcome text not null check (outcome in ('under way', 'carried')),
  words_sealed bytea,
  carried_to uuid,
  ack_count integer,
  check ((outcome = 'under way') = (words_sealed is not null)),
  check (outcome = 'under way' or (carried_to is null and ack_count is null))
);
grant select, insert, update on work.data_request to chatinbox_app;

create table tenant.data_case (
  account_id uuid not null references tenant.account,
  id uuid not null,
  customer_id uuid not null,
  mark bytea not null,
  wish text not null check (wish in ('access', 'erasure', 'both')),
  assurance text not null check (assurance in ('mailbox', 'shared')),
  address_sealed bytea,
  arrives_at timestamptz not null,
  told_at timestamptz,
  objection_until timestamptz,
  due_at timestamptz not null,
  extended_at timestamptz,
  decided_at timestamptz,
  decided_by uuid,
  granted text check (granted in ('access', 'erasure', 'both', 'nothing')),
  ground text,
  words_sealed bytea,
  answered_at timestamptz,
  copy_id uuid,
  copy_sent_at timestamptz,
  copy_fetched_at timestamptz,
  erasure_id uuid,
  closed_at timestamptz,
  primary key (account_id, id),
  foreign key (account_id, decided_by) references tenant.staff_user,
  check ((decided_at is null) = (granted is null)),
  check ((told_at is null) = (objection_until is null))
);
create unique index data_case_mark on tenant.data_case (account_id, mark);
create unique index data_case_open on tenant.data_case (account_id, customer_id, wish) where closed_at is null;
create index data_case_by_time on tenant.data_case (account_id, arrives_at desc);
call work.protect('tenant.data_case');

-- An erasure may follow a person's own request; then nobody of the staff asked for it, and nobody takes it back.
alter table tenant.erasure alter column staff_user_id drop not null;
alter table tenant.erasure add column case_id uuid;
alter table tenant.erasure add check (staff_user_id is not null or case_id is not null);
alter table tenant.erasure add foreign key (account_id, case_id) references tenant.data_case;

-- Where no outgoing server is named, a letter of the house itself is kept in the operator's account.
alter table tenant.kept_mail drop constraint kept_mail_subject_kind_check;
alter table tenant.kept_mail add constraint kept_mail_subject_kind_check check (subject_kind in ('customer', 'person', 'account'));
