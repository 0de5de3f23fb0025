-- Connected programs: what a staff user allowed one to receive (out) or to bring (in), and what became of it. Ids, times
-- and words of a closed list only; what the program is called and where it is, is sealed. The secret of a connection is made
-- from its key in the keystore and stands in no table.
set local role chatinbox_owner;

-- `staff_user_id` stands for it now. `lapsed_at`: nobody stands for it until somebody who may confirms it. `off_at`: it failed
-- for too long. `channels`: null means all that who stands for it sees.
create table tenant.connection (
  account_id uuid not null references tenant.account,
  id uuid not null,
  direction text not null check (direction in ('out', 'in')),
  name_sealed bytea not null,
  target_sealed bytea,
  events text[] not null default '{}' check (events <@ array['message.received', 'message.answered', 'note.added',
    'conversation.opened', 'conversation.closed', 'conversation.assigned', 'conversation.tagged', 'conversation.untagged',
    'customer.changed']),
  fields text[] not null default '{}' check (fields <@ case direction
    when 'out' then array['customer_name', 'customer_address', 'customer_language', 'subject', 'words', 'note_words', 'tags',
      'status', 'staff_name']
    else array['name', 'language', 'phone', 'external_id'] end),
  channels uuid[],
  staff_user_id uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at),
  used_at timestamptz,
  warned_at timestamptz,
  failing_since timestamptz,
  lapsed_at timestamptz,
  off_at timestamptz,
  ended_at timestamptz,
  primary key (account_id, id),
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  check ((direction = 'out') = (target_sealed is not null)),
  check (direction = 'out' or events = '{}')
);
create index connection_by_staff on tenant.connection (account_id, staff_user_id);
call work.protect('tenant.connection');

-- Which customers a program was told of: they are those of whose erasure it is told, too (GDPR Art. 19). The customer's row
-- cannot go before this one has.
create table tenant.connection_knows (
  account_id uuid not null,
  connection_id uuid not null,
  customer_id uuid not null,
  primary key (account_id, connection_id, customer_id),
  foreign key (account_id, connection_id) references tenant.connection,
  foreign key (account_id, customer_id) references tenant.customer
);
create index connection_knows_of_customer on tenant.connection_knows (account_id, customer_id);
call work.protect('tenant.connection_knows');

-- One event on its way to one program. What it says is read when it leaves.
create table tenant.connection_delivery (
  account_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  event_id uuid not null,
  kind text not null,
  conversation_id uuid,
  customer_id uuid,
  subject_id uuid,
  at timestamptz not null,
  state text not null check (state in ('waiting', 'sent', 'failed', 'dropped')),
  attempts integer not null default 0,
  due_at timestamptz not null,
  changed_at timestamptz not null,
  reason text,
  fields text[] not null default '{}',
  primary key (account_id, id),
  unique (account_id, connection_id, event_id, kind),
  foreign key (account_id, connection_id) references tenant.connection
);
create index connection_delivery_due on tenant.connection_delivery (account_id, due_at) where state = 'waiting';
create index connection_delivery_of_customer on tenant.connection_delivery (account_id, customer_id);
create index connection_delivery_by_time on tenant.connection_delivery (account_id, changed_at);
call work.protect('tenant.connection_delivery');

-- What a program brought, a row a request: how many, never whom. `key_blind` and `body_blind` know a repeated request again.
create table tenant.connection_pull (
  account_id uuid not null,
  id uuid not null,
  connection_id uuid not null,
  at timestamptz not null,
  key_blind bytea,
  body_blind bytea not null,
  created_count integer not null default 0,
  changed_count integer not null default 0,
  same_count integer not null default 0,
  erased_count integer not null default 0,
  fields text[] not null default '{}',
  done_at timestamptz,
  primary key (account_id, id),
  unique (account_id, connection_id, key_blind),
  foreign key (account_id, connection_id) references tenant.connection
);
create index connection_pull_by_time on tenant.connection_pull (account_id, at);
call work.protect('tenant.connection_pull');

-- The mark of an address whose customer was erased, a hash under the account's key: no program brings them back. It ends when
-- the person writes again.
create table tenant.erased_address (
  account_id uuid not null references tenant.account,
  blind bytea not null,
  erased_at timestamptz not null,
  primary key (account_id, blind)
);
call work.protect('tenant.erased_address');

-- What came from a program says from which connection: without one it cannot be written.
alter table tenant.address
  drop constraint address_check,
  add constraint address_source_id_check check ((source in ('import', 'earlier')) = (source_id is null)),
  add column connection_id uuid generated always as (case when source = 'sync' then source_id end) stored,
  add constraint address_of_connection foreign key (account_id, connection_id) references tenant.connection (account_id, id);
alter table tenant.customer
  drop constraint customer_check2,
  drop constraint customer_check5,
  add constraint customer_name_source_id_check
    check (name_source is null or (name_source in ('import', 'earlier')) = (name_source_id is null)),
  add constraint customer_language_source_id_check
    check (language_source is null or (language_source in ('import', 'earlier')) = (language_source_id is null)),
  add column name_connection_id uuid generated always as (case when name_source = 'sync' then name_source_id end) stored,
  add column language_connection_id uuid generated always as (case when language_source = 'sync' then language_source_id end) stored,
  add constraint customer_name_of_connection foreign key (account_id, name_connection_id) references tenant.connection (account_id, id),
  add constraint customer_language_of_connection
    foreign key (account_id, language_connection_id) references tenant.connection (account_id, id);

reset role;
set local role chatinbox_directory;

-- The token by which a program brings customers: which connection it is of, and nothing else.
create table directory.connection_token (
  token_hash bytea primary key,
  account_id uuid not null,
  connection_id uuid not null unique
);
create index connection_token_of_account on directory.connection_token (account_id);
create function directory.add_connection_token(bytea, uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.connection_token values ($1, $2, $3) $$;
create function directory.find_connection_token(bytea) returns table (account_id uuid, connection_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, connection_id from directory.connection_token where token_hash = $1 $$;
create function directory.end_connection_token(uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.connection_token where account_id = $1 and connection_id = $2 $$;

revoke all on function directory.add_connection_token(bytea, uuid, uuid), directory.find_connection_token(bytea),
  directory.end_connection_token(uuid, uuid) from public;
grant execute on function directory.add_connection_token(bytea, uuid, uuid), directory.find_connection_token(bytea),
  directory.end_connection_token(uuid, uuid) to chatinbox_app;
