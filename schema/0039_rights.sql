-- The rights of one person inside one business (GDPR Art. 15 to 21): a copy to take along, restriction, objection; and what an
-- account holds back from erasing, or has erased by itself after a time. Each of it goes with its customer, whom it points at.
set local role chatinbox_owner;

-- Both are asked for wherever customers are read to do something with them, so they stand where each of these looks anyway.
alter table tenant.customer
  add column restricted_at timestamptz,
  add column objected_at timestamptz;

-- Everybody who turned out to be somebody is asked for wherever it is about all of them.
create index customer_merged on tenant.customer (account_id, merged_into) where merged_into is not null;

-- What happened to a customer, and not in a conversation, goes with them.
create index event_about on tenant.event (account_id, subject_id) where conversation_id is null and subject_id is not null;

-- A copy of everything about one customer: sealed in the file store under a key of its own, and gone after some days.
create table tenant.package (
  account_id uuid not null references tenant.account,
  id uuid not null,
  customer_id uuid not null,
  staff_user_id uuid,
  reach text not null check (reach in ('person', 'mailbox')),
  asked_at timestamptz not null,
  made_at timestamptz,
  ends_at timestamptz,
  ended_at timestamptz,
  size bigint,
  link_id uuid,
  phrase_blind bytea,
  tries_count integer not null default 0,
  handed_at timestamptz,
  primary key (account_id, id),
  foreign key (account_id, customer_id) references tenant.customer,
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  check ((made_at is null) = (ends_at is null)),
  check ((link_id is null) = (phrase_blind is null))
);
create index package_of_customer on tenant.package (account_id, customer_id, asked_at desc);
create index package_by_link on tenant.package (account_id, link_id) where link_id is not null;
call work.protect('tenant.package');

create table tenant.restriction (
  account_id uuid not null references tenant.account,
  id uuid not null,
  customer_id uuid not null,
  ground text not null check (ground in ('accuracy', 'unlawful', 'claims', 'objection')),
  words_sealed bytea,
  staff_user_id uuid not null,
  at timestamptz not null,
  ended_at timestamptz,
  ended_by uuid,
  primary key (account_id, id),
  foreign key (account_id, customer_id) references tenant.customer,
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  foreign key (account_id, ended_by) references tenant.staff_user,
  check ((ended_at is null) = (ended_by is null))
);
create unique index restriction_open on tenant.restriction (account_id, customer_id) where ended_at is null;
call work.protect('tenant.restriction');

-- What must not be erased yet: of one customer, or one conversation of theirs. A year at most, to be said again after it.
create table tenant.hold (
  account_id uuid not null references tenant.account,
  id uuid not null,
  customer_id uuid not null,
  conversation_id uuid,
  ground text not null check (ground in ('claims', 'law', 'authority', 'contract')),
  words_sealed bytea not null,
  staff_user_id uuid not null,
  at timestamptz not null,
  said_at timestamptz not null,
  until_at timestamptz not null,
  ended_at timestamptz,
  ended_by uuid,
  primary key (account_id, id),
  foreign key (account_id, customer_id) references tenant.customer,
  foreign key (account_id, conversation_id) references tenant.conversation,
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  foreign key (account_id, ended_by) references tenant.staff_user,
  check (until_at > said_at and until_at - said_at <= interval '366 days'),
  check ((ended_at is null) = (ended_by is null))
);
create index hold_of_customer on tenant.hold (account_id, customer_id);
create index hold_of_conversation on tenant.hold (account_id, conversation_id) where conversation_id is not null;
call work.protect('tenant.hold');

-- What is erased by itself: conversations of a channel, with a tag, or all; so many days after they began, or fell silent.
create table tenant.retention_rule (
  account_id uuid not null references tenant.account,
  id uuid not null,
  counted text not null check (counted in ('age', 'silence')),
  days integer not null check (days between 1 and 36500),
  channel_id uuid,
  tag_id uuid,
  staff_user_id uuid not null,
  made_at timestamptz not null,
  begins_at timestamptz not null,
  ended_at timestamptz,
  ended_by uuid,
  primary key (account_id, id),
  foreign key (account_id, channel_id) references tenant.channel,
  foreign key (account_id, tag_id) references tenant.tag,
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  foreign key (account_id, ended_by) references tenant.staff_user,
  check (begins_at > made_at),
  check ((ended_at is null) = (ended_by is null))
);
call work.protect('tenant.retention_rule');

create table tenant.retention_run (
  account_id uuid not null references tenant.account,
  id uuid not null,
  rule_id uuid not null,
  at timestamptz not null,
  conversation_count bigint not null,
  customer_count bigint not null,
  kept_count bigint not null,
  primary key (account_id, id),
  foreign key (account_id, rule_id) references tenant.retention_rule
);
create index retention_run_by_time on tenant.retention_run (account_id, at desc);
call work.protect('tenant.retention_run');

-- `conversations`: only these of the customer, and not the customer. `held_at`: since when nothing but what is held is left.
alter table tenant.erasure
  add column conversations uuid[],
  add column rule_id uuid,
  add column held_at timestamptz;

reset role;
set local role chatinbox_directory;
alter table directory.link drop constraint link_purpose_check;
alter table directory.link add constraint link_purpose_check
  check (purpose in ('confirm', 'reset', 'invitation', 'setup', 'wish', 'package'));
