-- Conversations, what is said in them, and what happened to them.
set local role chatinbox_owner;

create table tenant.channel (
  account_id uuid not null references tenant.account,
  id uuid not null,
  kind text not null check (kind in ('email', 'chat', 'api')),
  name_sealed bytea not null,
  settings_sealed bytea not null,
  raw_mail_days integer not null default 30 check (raw_mail_days between 0 and 400),
  created_at timestamptz not null,
  closed_at timestamptz,
  primary key (account_id, id)
);
call work.protect('tenant.channel');

-- `position` is the last place taken in the timeline, `feed` the account's number of its last change.
-- `spoken_position` and `spoken_by` tell the last message or note and which staff user said it (null: the customer).
-- `shelf` is where it lies: derived, so that one index serves every view.
create table tenant.conversation (
  account_id uuid not null,
  id uuid not null,
  number bigint not null,
  customer_id uuid not null,
  channel_id uuid not null,
  via text not null check (via in ('email', 'chat', 'api')),
  subject_sealed bytea,
  preview_sealed bytea,
  preview_by text not null default 'customer' check (preview_by in ('customer', 'staff', 'note')),
  status text not null check (status in ('todo', 'waiting', 'done')),
  snoozed_until timestamptz,
  spam_at timestamptz,
  shelf text not null generated always as (
    case when spam_at is not null then 'spam' when snoozed_until is not null then 'snoozed' else status end) stored,
  assignee_id uuid,
  waiting_since timestamptz,
  failed_at timestamptz,
  last_at timestamptz not null,
  position bigint not null default 0,
  spoken_position bigint not null default 0,
  spoken_by uuid,
  feed bigint not null default 0,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, number),
  foreign key (account_id, customer_id) references tenant.customer,
  foreign key (account_id, channel_id) references tenant.channel,
  foreign key (account_id, assignee_id) references tenant.staff_user
) with (fillfactor = 80);
create index conversation_by_shelf on tenant.conversation (account_id, shelf, last_at desc, id desc);
create index conversation_by_assignee on tenant.conversation (account_id, assignee_id, shelf, last_at desc, id desc);
create index conversation_by_time on tenant.conversation (account_id, last_at desc, id desc) where spam_at is null;
create index conversation_by_feed on tenant.conversation (account_id, feed);
create index conversation_by_customer on tenant.conversation (account_id, customer_id, last_at desc);
create index conversation_by_waiting on tenant.conversation (account_id, shelf, waiting_since, id) where waiting_since is not null;
create index conversation_snoozed on tenant.conversation (account_id, snoozed_until) where snoozed_until is not null;
call work.protect('tenant.conversation');

-- What a customer and staff say to each other. `written` by a person, or `automatic`.
create table tenant.message (
  account_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  position bigint not null,
  author text not null check (author in ('customer', 'staff')),
  staff_user_id uuid,
  via text not null check (via in ('email', 'chat', 'api')),
  origin text not null default 'written' check (origin in ('written', 'automatic')),
  body_sealed bytea not null,
  at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, conversation_id, position),
  foreign key (account_id, conversation_id) references tenant.conversation
);
call work.protect('tenant.message');

-- What staff say to each other. Nothing that delivers can point here.
create table tenant.note (
  account_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  position bigint not null,
  staff_user_id uuid not null,
  body_sealed bytea not null,
  at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, conversation_id, position),
  foreign key (account_id, conversation_id) references tenant.conversation,
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
call work.protect('tenant.note');

-- What happened, ids only. `feed` follows commit order; `position` when the timeline shows it.
create table tenant.event (
  account_id uuid not null,
  id uuid not null,
  feed bigint not null,
  kind text not null,
  conversation_id uuid,
  position bigint,
  subject_id uuid,
  staff_user_id uuid,
  data jsonb not null default '{}',
  at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, feed)
);
create index event_in_timeline on tenant.event (account_id, conversation_id, position) where position is not null;
call work.protect('tenant.event');

create table tenant.attachment (
  account_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  message_id uuid,
  note_id uuid,
  name_sealed bytea not null,
  type text not null,
  size bigint not null,
  content_id_sealed bytea,
  created_at timestamptz not null,
  primary key (account_id, id),
  check (num_nonnulls(message_id, note_id) <= 1),
  foreign key (account_id, conversation_id) references tenant.conversation,
  foreign key (account_id, message_id) references tenant.message,
  foreign key (account_id, note_id) references tenant.note
);
create index attachment_of_conversation on tenant.attachment (account_id, conversation_id);
create index attachment_of_message on tenant.attachment (account_id, message_id);
create index attachment_of_note on tenant.attachment (account_id, note_id) where note_id is not null;
call work.protect('tenant.attachment');

create table tenant.tag (
  account_id uuid not null references tenant.account,
  id uuid not null,
  name_sealed bytea not null,
  name_blind bytea not null,
  hue integer not null check (hue between 0 and 359),
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, name_blind)
);
call work.protect('tenant.tag');

create table tenant.conversation_tag (
  account_id uuid not null,
  conversation_id uuid not null,
  tag_id uuid not null,
  primary key (account_id, conversation_id, tag_id),
  foreign key (account_id, conversation_id) references tenant.conversation,
  foreign key (account_id, tag_id) references tenant.tag
);
create index conversation_tag_by_tag on tenant.conversation_tag (account_id, tag_id, conversation_id);
call work.protect('tenant.conversation_tag');

create table tenant.seen (
  account_id uuid not null,
  staff_user_id uuid not null,
  conversation_id uuid not null,
  position bigint not null,
  primary key (account_id, staff_user_id, conversation_id),
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  foreign key (account_id, conversation_id) references tenant.conversation
) with (fillfactor = 80);
call work.protect('tenant.seen');

create table tenant.draft (
  account_id uuid not null,
  staff_user_id uuid not null,
  conversation_id uuid not null,
  kind text not null check (kind in ('reply', 'note')),
  body_sealed bytea not null,
  files uuid[] not null default '{}',
  revision bigint not null,
  at timestamptz not null,
  primary key (account_id, staff_user_id, conversation_id),
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  foreign key (account_id, conversation_id) references tenant.conversation
);
call work.protect('tenant.draft');

-- A message on its way out. Can point at a message only. No key to the channel: each answer would lock the channel's row,
-- and its message has the conversation already.
create table tenant.delivery (
  account_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  message_id uuid not null,
  channel_id uuid not null,
  kind text not null check (kind in ('email', 'chat', 'api')),
  state text not null check (state in ('waiting', 'sending', 'sent', 'delivered', 'seen', 'failed')),
  attempts integer not null default 0,
  changed_at timestamptz not null,
  reason text,
  primary key (account_id, id),
  foreign key (account_id, message_id) references tenant.message
);
create index delivery_of_message on tenant.delivery (account_id, message_id);
create index delivery_underway on tenant.delivery (account_id, conversation_id) where state in ('waiting', 'sending', 'sent');
call work.protect('tenant.delivery');

-- What came in already: a second copy of the same thing finds its first.
create table tenant.received (
  account_id uuid not null,
  channel_id uuid not null,
  key bytea not null,
  message_id uuid not null,
  conversation_id uuid not null,
  primary key (account_id, channel_id, key),
  foreign key (account_id, channel_id) references tenant.channel
);
create index received_of_conversation on tenant.received (account_id, conversation_id);
call work.protect('tenant.received');

-- Side table, rebuilt at restore: which conversation a mail's Message-ID belongs to (RFC 5322 §3.6.4).
create table tenant.mail_reference (
  account_id uuid not null,
  blind bytea not null,
  conversation_id uuid not null,
  message_id uuid not null,
  primary key (account_id, blind, message_id),
  foreign key (account_id, conversation_id) references tenant.conversation
);
create index mail_reference_of_conversation on tenant.mail_reference (account_id, conversation_id);
call work.protect('tenant.mail_reference');

-- A mail as it arrived, sealed in the file store under a key of its own, until placed and then as long as the channel says.
create table tenant.raw_mail (
  account_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  size bigint not null,
  content_hash bytea not null,
  received_at timestamptz not null,
  placed_at timestamptz,
  message_id uuid,
  held_at timestamptz,
  held_reason text,
  summary_sealed bytea,
  primary key (account_id, id),
  foreign key (account_id, channel_id) references tenant.channel
);
create index raw_mail_held on tenant.raw_mail (account_id, held_at desc) where held_at is not null;
create index raw_mail_by_age on tenant.raw_mail (account_id, received_at);
call work.protect('tenant.raw_mail');

-- Where a polled mailbox was left (RFC 3501 §2.3.1.1).
create table tenant.mailbox_cursor (
  account_id uuid not null,
  channel_id uuid not null,
  uid_validity bigint not null,
  uid bigint not null,
  polled_at timestamptz,
  failing_since timestamptz,
  primary key (account_id, channel_id),
  foreign key (account_id, channel_id) references tenant.channel
);
call work.protect('tenant.mailbox_cursor');
