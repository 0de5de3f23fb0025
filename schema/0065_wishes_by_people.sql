-- A wish about one's own data that people carry out (clause C57). One of the operator's people begins it, and its person is told,
-- with a link that stops it; another one agrees, or three days pass; then it is done. That nobody does it alone, at once, to
-- themselves, or after it was stopped is checked here.
set local role chatinbox_directory;
create table directory.wish (
  id uuid primary key,
  person_id uuid not null references directory.person,
  account_id uuid not null,
  conversation_id uuid not null,
  number integer not null,
  kind text not null check (kind in ('correct', 'update', 'delete', 'deactivate')),
  asked_at timestamptz not null,
  due_on date not null,
  name_sealed bytea,
  link_id uuid unique,
  first_by uuid,
  second_by uuid,
  told_at timestamptz,
  opens_at timestamptz,
  stopped_at timestamptz,
  carried_at timestamptz,
  done_at timestamptz,
  unique (account_id, conversation_id),
  constraint wish_two_people check (second_by is distinct from first_by or second_by is null),
  constraint wish_not_ones_own check (person_id is distinct from first_by and person_id is distinct from second_by),
  check ((first_by is null) = (link_id is null) and (told_at is null) = (opens_at is null)),
  check (told_at is null or first_by is not null),
  check (name_sealed is null or kind in ('correct', 'update')),
  check (opens_at >= told_at + interval '1 day'),
  check (carried_at is null or (told_at is not null and stopped_at is null and carried_at >= opens_at
    and (second_by is not null or carried_at >= told_at + interval '3 days'))),
  check (done_at is null or (stopped_at is null and (carried_at is not null or kind in ('correct', 'update'))))
);
create index wish_of_person on directory.wish (person_id);
create index wish_open on directory.wish (account_id, due_on) where done_at is null and stopped_at is null;

-- The same conversation again is the same wish.
create function directory.add_wish(uuid, uuid, uuid, uuid, integer, text, timestamptz, date) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.wish (id, person_id, account_id, conversation_id, number, kind, asked_at, due_on)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing $$;
create function directory.open_wishes(uuid) returns setof directory.wish
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from directory.wish where account_id = $1 and done_at is null and stopped_at is null order by due_on, id limit 200 $$;
create function directory.wish_of_link(uuid) returns setof directory.wish
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from directory.wish where link_id = $1 and done_at is null and stopped_at is null and carried_at is null $$;

-- Begun, and anew where nobody was told, or so long ago that their link has ended.
create function directory.begin_wish(which uuid, by_whom uuid, link uuid, name bytea, told_before timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with begun as (
       update directory.wish set first_by = by_whom, link_id = link, name_sealed = name, second_by = null, told_at = null, opens_at = null
        where id = which and done_at is null and stopped_at is null and carried_at is null
          and (told_at is null or told_at < told_before) returning 1)
     select exists (select from begun) $$;
create function directory.wish_told(which uuid, link uuid, at timestamptz, opens timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with told as (
       update directory.wish set told_at = at, opens_at = opens
        where id = which and link_id = link and told_at is null and done_at is null and stopped_at is null returning 1)
     select exists (select from told) $$;
create function directory.agree_to_wish(which uuid, by_whom uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with agreed as (
       update directory.wish set second_by = by_whom
        where id = which and told_at is not null and second_by is null and done_at is null and stopped_at is null and carried_at is null
       returning 1)
     select exists (select from agreed) $$;
-- From here on it cannot be stopped. One that broke off goes on.
create function directory.carry_wish(which uuid, by_whom uuid, is_alone boolean, at timestamptz, told_since timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with carried as (
       update directory.wish set carried_at = coalesce(carried_at, at)
        where id = which and done_at is null and stopped_at is null and person_id <> by_whom and at >= opens_at
          and (carried_at is not null or told_at >= told_since)
          and (second_by is not null or (is_alone and at >= told_at + interval '3 days')) returning 1)
     select exists (select from carried) $$;
create function directory.let_wish_be(uuid) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.wish set carried_at = null where id = $1 and done_at is null $$;
create function directory.wish_done(uuid, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.wish set done_at = $2 where id = $1 and done_at is null $$;
-- What nobody began can be answered in words, where words were wished.
create function directory.answer_wish(uuid, timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with answered as (
       update directory.wish set done_at = $2
        where id = $1 and kind in ('correct', 'update') and first_by is null and done_at is null and stopped_at is null returning 1)
     select exists (select from answered) $$;
create function directory.stop_wish(link uuid, at timestamptz) returns setof directory.wish
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.wish set stopped_at = at
      where link_id = link and done_at is null and stopped_at is null and carried_at is null returning * $$;
create function directory.forget_wishes(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.wish where done_at < $1 or stopped_at < $1 $$;

alter table directory.link drop constraint link_purpose_check;
alter table directory.link add constraint link_purpose_check
  check (purpose in ('confirm', 'reset', 'invitation', 'setup', 'wish', 'package', 'stop'));

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
reset role;
