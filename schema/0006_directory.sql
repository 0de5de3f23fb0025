-- What must be found before an account is known. Outside row security, reached through these functions only;
-- each returns ids. Look-ups are blind: keyed hashes under a key of the installation.
set local role chatinbox_directory;

create table directory.channel_address (
  blind bytea primary key,
  account_id uuid not null,
  channel_id uuid not null
);
create table directory.chat_key (
  key text primary key,
  account_id uuid not null,
  channel_id uuid not null
);
create table directory.visitor_session (
  token_hash bytea primary key,
  account_id uuid not null,
  channel_id uuid not null,
  customer_id uuid not null,
  conversation_id uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create table directory.account (
  account_id uuid primary key,
  created_at timestamptz not null
);
create table directory.mailbox (
  account_id uuid not null,
  channel_id uuid not null,
  primary key (account_id, channel_id)
);

create function directory.find_channel_address(bytea[]) returns table (blind bytea, account_id uuid, channel_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select blind, account_id, channel_id from directory.channel_address where blind = any($1) $$;
create function directory.add_channel_address(bytea, uuid, uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with added as (insert into directory.channel_address values ($1, $2, $3) on conflict do nothing returning 1)
     select exists (select from added) $$;
create function directory.find_chat_key(text) returns table (account_id uuid, channel_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, channel_id from directory.chat_key where key = $1 $$;
create function directory.add_chat_key(text, uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.chat_key values ($1, $2, $3) $$;
create function directory.find_visitor_session(bytea, timestamptz)
  returns table (account_id uuid, channel_id uuid, customer_id uuid, conversation_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, channel_id, customer_id, conversation_id from directory.visitor_session
      where token_hash = $1 and expires_at > $2 $$;
create function directory.add_visitor_session(bytea, uuid, uuid, uuid, uuid, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.visitor_session values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing $$;
create function directory.end_visitor_session(bytea) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.visitor_session where token_hash = $1 $$;
create function directory.add_account(uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.account values ($1, $2) on conflict do nothing $$;
-- The worker's round: every account, a page at a time.
create function directory.accounts_after(uuid, integer) returns table (account_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id from directory.account where account_id > $1 order by account_id limit least($2, 1000) $$;
create function directory.add_mailbox(uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.mailbox values ($1, $2) on conflict do nothing $$;
create function directory.remove_mailbox(uuid, uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.mailbox where account_id = $1 and channel_id = $2 $$;
create function directory.mailboxes() returns table (account_id uuid, channel_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, channel_id from directory.mailbox $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
