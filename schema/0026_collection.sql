-- What a channel may take in, as the business says, and what was kept out of a message at its door.
set local role chatinbox_owner;

-- What is not listed here is not taken: a kind of data that a later version knows stays out until somebody lets it in.
-- `files`: files that customers send. `traces`: which machines a letter went through and with what it was written, and what
-- devices write into pictures. `numbers`: numbers of bank accounts, national ids and keys of programs as they were written.
alter table tenant.channel
  add column takes text[] not null default '{files}' check (takes <@ array['files', 'traces', 'numbers']),
  add column takes_by uuid,
  add column takes_at timestamptz,
  add check ((takes_by is null) = (takes_at is null)),
  add foreign key (account_id, takes_by) references tenant.staff_user;

-- One line for a message or a file and a kind of what was kept out of it; what it was stands nowhere.
create table tenant.withheld (
  account_id uuid not null,
  subject_id uuid not null,
  kind text not null check (kind in ('card', 'iban', 'national_id', 'api_key', 'picture', 'file')),
  conversation_id uuid not null,
  withheld_count integer not null check (withheld_count > 0),
  at timestamptz not null,
  primary key (account_id, subject_id, kind),
  foreign key (account_id, conversation_id) references tenant.conversation
);
create index withheld_of_conversation on tenant.withheld (account_id, conversation_id);
create index withheld_by_kind on tenant.withheld (account_id, kind);
call work.protect('tenant.withheld');
