-- What people and businesses decide about themselves: a person's profile, a new address that is confirmed twice, a
-- sign-in that is deleted, an account that is closed and, thirty days later, destroyed.
set local role chatinbox_owner;

-- The photo of the person, in every account they work in: an id, so that colleagues' lists need no second look.
alter table tenant.staff_user add column photo_id uuid;

-- Closed: no verb gets a number any more. It stands in the row every verb changes anyway, so it costs no statement.
alter table tenant.counter add column closed_at timestamptz;

-- Destroys what is left of an account: every row of every tenant table, whatever tables there are, in the order their
-- keys to each other allow. Only for the account of the signed context, and only thirty days after it was closed.
create function work.erase_account(upto timestamptz) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := ctx.account();
  left_over text[];
  failed text[];
  one text;
  gone bigint := 0;
  step bigint;
begin
  if me is null or not exists (select from tenant.account a where a.account_id = me and a.closed_at <= upto) then
    raise exception 'this account is not closed' using errcode = '42501';
  end if;
  select array_agg(format('%I.%I', n.nspname, c.relname)) into left_over from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'tenant' and c.relkind in ('r', 'p');
  while cardinality(left_over) > 0 loop
    failed := '{}';
    foreach one in array left_over loop
      begin
        execute format('delete from %s where account_id = $1', one) using me;
        get diagnostics step = row_count;
        gone := gone + step;
      exception when foreign_key_violation then
        failed := failed || one;
      end;
    end loop;
    if cardinality(failed) = cardinality(left_over) then
      raise exception 'these tables point at each other in a circle: %', failed;
    end if;
    left_over := failed;
  end loop;
  delete from work.outbox where account_id = me;
  return gone;
end $$;
revoke all on function work.erase_account(timestamptz) from public;
grant execute on function work.erase_account(timestamptz) to chatinbox_app;

reset role;
set local role chatinbox_directory;

-- Emptied but for its id when somebody deletes their sign-in; the row goes when its sessions have been forgotten.
alter table directory.person add column gone_at timestamptz;

create table directory.person_profile (
  person_id uuid primary key references directory.person,
  profile_sealed bytea not null,
  changed_at timestamptz not null
);

-- A new address on its way: the link to the new one confirms it, the link to the old one stops it, also afterwards.
create table directory.address_change (
  id uuid primary key,
  person_id uuid not null references directory.person,
  confirm_hash bytea not null unique,
  stop_hash bytea not null unique,
  new_blind bytea not null,
  new_sealed bytea not null,
  old_blind bytea not null,
  old_sealed bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  confirmed_at timestamptz,
  stopped_at timestamptz
);
create index address_change_of_person on directory.address_change (person_id);
create index address_change_by_old on directory.address_change (old_blind);

alter table directory.account add column closed_at timestamptz;

-- What is left of a destroyed account: that it was, when, and how much. No word of anybody.
create table directory.closure (
  id uuid primary key,
  account_id uuid not null unique,
  certificate jsonb not null,
  signature bytea not null,
  made_at timestamptz not null,
  ended_at timestamptz
);

create function directory.read_profile(uuid) returns table (profile_sealed bytea)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select profile_sealed from directory.person_profile where person_id = $1 $$;
create function directory.set_profile(uuid, bytea, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.person_profile values ($1, $2, $3)
     on conflict (person_id) do update set profile_sealed = excluded.profile_sealed, changed_at = excluded.changed_at $$;

-- Asking again replaces what was asked before and has not been confirmed.
create function directory.add_address_change(uuid, uuid, bytea, bytea, bytea, bytea, timestamptz, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from directory.address_change where person_id = $2 and confirmed_at is null;
  insert into directory.address_change (id, person_id, confirm_hash, stop_hash, new_blind, new_sealed, old_blind, old_sealed, created_at, expires_at)
    select $1, $2, $3, $4, $5, $6, p.email_blind, p.email_sealed, $7, $8 from directory.person p where p.id = $2
$$;
create function directory.find_address_change(bytea, timestamptz)
  returns table (id uuid, person_id uuid, new_sealed bytea, old_sealed bytea, confirmed_at timestamptz, stops boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, new_sealed, old_sealed, confirmed_at, stop_hash = $1 from directory.address_change
      where stopped_at is null and expires_at > $2 and (stop_hash = $1 or confirm_hash = $1 and confirmed_at is null) $$;
create function directory.open_address_change(uuid, timestamptz)
  returns table (id uuid, new_sealed bytea, created_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, new_sealed, created_at from directory.address_change
      where person_id = $1 and confirmed_at is null and stopped_at is null and expires_at > $2 $$;
create function directory.withdraw_address_change(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.address_change where person_id = $1 and confirmed_at is null $$;
-- Sets the person's address, unless another has it: false then, and nothing is changed.
create function directory.confirm_address_change(uuid, bytea, timestamptz, timestamptz) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked directory.address_change;
begin
  select * into asked from directory.address_change where id = $1 and confirmed_at is null and stopped_at is null for update;
  if asked.id is null or exists (select from directory.person where email_blind = asked.new_blind and id <> asked.person_id) then
    return false;
  end if;
  update directory.person set email_blind = asked.new_blind, email_sealed = $2 where id = asked.person_id;
  update directory.address_change set confirmed_at = $3, expires_at = $4 where id = $1;
  return true;
exception when unique_violation then
  return false;
end $$;
create function directory.stop_address_change(uuid, bytea, timestamptz) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked directory.address_change;
begin
  select * into asked from directory.address_change where id = $1 and stopped_at is null for update;
  if asked.id is null then
    return false;
  end if;
  if asked.confirmed_at is not null then
    update directory.person set email_blind = asked.old_blind, email_sealed = $2 where id = asked.person_id;
  end if;
  update directory.address_change set stopped_at = $3 where person_id = asked.person_id and stopped_at is null;
  return true;
end $$;
-- An address that may still be taken back belongs to nobody else until then.
create function directory.is_held_back(bytea, timestamptz) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select exists (select from directory.address_change
      where old_blind = $1 and confirmed_at is not null and stopped_at is null and expires_at > $2) $$;
create function directory.forget_address_changes(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.address_change where expires_at < $1 or stopped_at < $1 $$;

-- Every row about a person, from every table of the directory that names one: a table that is added later is in it.
create function directory.rows_of_person(uuid) returns table (name text, found jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  one record;
begin
  return query select 'directory.person', to_jsonb(p) from directory.person p where p.id = $1;
  for one in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'person_id' and not a.attisdropped
     where n.nspname = 'directory' and c.relkind in ('r', 'p') order by c.relname loop
    return query execute format('select %L::text, to_jsonb(t) from directory.%I t where t.person_id = $1',
      'directory.' || one.relname, one.relname) using $1;
  end loop;
end $$;

-- Leaves of a person an id that means nothing, and their ended sessions, so that every process learns of their end.
create function directory.forget_person(uuid, timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  one record;
begin
  update directory.session set ended_at = coalesce(ended_at, $2), device_sealed = '' where person_id = $1;
  for one in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'person_id' and not a.attisdropped
     where n.nspname = 'directory' and c.relkind in ('r', 'p') and c.relname not in ('person', 'session') loop
    execute format('delete from directory.%I where person_id = $1', one.relname) using $1;
  end loop;
  update directory.person set email_blind = uuid_send(gen_random_uuid()), email_sealed = '', name_sealed = '',
    password_sealed = '', confirmed_at = null, gone_at = $2 where id = $1;
end $$;
create function directory.forget_gone_people(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from directory.session where ended_at < $1;
  delete from directory.person p where gone_at < $1
    and not exists (select from directory.session s where s.person_id = p.id);
$$;

-- A closed account's ways in are not found: its addresses and its chat answer like ones that never were.
create function directory.set_account_closed(uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.account set closed_at = $2 where account_id = $1 $$;
create function directory.closed_accounts(timestamptz) returns table (account_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id from directory.account where closed_at <= $1 order by closed_at limit 100 $$;
create or replace function directory.find_channel_address(bytea[]) returns table (blind bytea, account_id uuid, channel_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select blind, account_id, channel_id from directory.channel_address c where blind = any($1)
      and not exists (select from directory.account a where a.account_id = c.account_id and a.closed_at is not null) $$;
create or replace function directory.find_chat_key(text) returns table (account_id uuid, channel_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, channel_id from directory.chat_key c where key = $1
      and not exists (select from directory.account a where a.account_id = c.account_id and a.closed_at is not null) $$;
create or replace function directory.mailboxes() returns table (account_id uuid, channel_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, channel_id from directory.mailbox m
      where not exists (select from directory.account a where a.account_id = m.account_id and a.closed_at is not null) $$;

create function directory.people_in(uuid) returns table (person_id uuid, elsewhere boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select m.person_id, exists (select from directory.membership o where o.person_id = m.person_id and o.account_id <> $1)
       from directory.membership m where m.account_id = $1 $$;
create function directory.add_closure(uuid, uuid, jsonb, bytea, timestamptz) returns table (id uuid, certificate jsonb, signature bytea)
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into directory.closure values ($1, $2, $3, $4, $5) on conflict do nothing;
  select id, certificate, signature from directory.closure where account_id = $2
$$;
create function directory.find_closure(uuid) returns table (certificate jsonb, signature bytea, ended_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select certificate, signature, ended_at from directory.closure where account_id = $1 $$;
-- Takes the account out of every table of the directory that names it; sessions end and are forgotten by the clock.
create function directory.erase_account(uuid, timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  one record;
begin
  if not exists (select from directory.closure where account_id = $1) then
    raise exception 'no certificate stands for this account' using errcode = '42501';
  end if;
  update directory.session set ended_at = coalesce(ended_at, $2) where account_id = $1;
  for one in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
     where n.nspname = 'directory' and c.relkind in ('r', 'p') and c.relname not in ('closure', 'session') loop
    execute format('delete from directory.%I where account_id = $1', one.relname) using $1;
  end loop;
  update directory.closure set ended_at = $2 where account_id = $1;
end $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
