-- Search: which messages hold a word, without a word being stored. A token is 64 bits of a hash under the account's
-- key, so tokens of two accounts never meet. The app can neither read nor write here except through functions, which
-- answer with ids of the transaction's account alone. Never backed up; rebuilt at restore.
--
-- How it is laid out: an account's messages are numbered as they come. The newest up to 4096 lie in `fresh`, each with
-- its tokens, and are looked through one by one. When a bucket of 4096 is full it is turned over into `posting`: one row
-- for each token with the numbers that hold it, and as bits besides where they are many. So a message costs two small
-- rows. A question follows its rarest word from bucket to bucket, newest first, and asks of each number whether the other
-- words hold it too; nobody pays for a second account's messages.
set local role chatinbox_search;

create table search.counter (
  account_id uuid primary key,
  last bigint not null default -1
);

-- Number -> message, note (with its conversation) or customer (without).
create table search.place (
  account_id uuid not null,
  ordinal bigint not null,
  subject_id uuid not null,
  conversation_id uuid,
  primary key (account_id, ordinal),
  unique (account_id, subject_id)
);

create table search.fresh (
  account_id uuid not null,
  ordinal bigint not null,
  tokens bigint[] not null,
  primary key (account_id, ordinal)
);

create table search.posting (
  account_id uuid not null,
  token bigint not null,
  bucket integer not null,
  held integer not null,
  members smallint[] not null,
  bits bytea,
  primary key (account_id, token, bucket)
);
create index posting_of_bucket on search.posting (account_id, bucket);

alter table search.counter enable row level security;
alter table search.counter force row level security;
create policy account on search.counter using (account_id = (select ctx.account())) with check (account_id = (select ctx.account()));
alter table search.place enable row level security;
alter table search.place force row level security;
create policy account on search.place using (account_id = (select ctx.account())) with check (account_id = (select ctx.account()));
alter table search.fresh enable row level security;
alter table search.fresh force row level security;
create policy account on search.fresh using (account_id = (select ctx.account())) with check (account_id = (select ctx.account()));
alter table search.posting enable row level security;
alter table search.posting force row level security;
create policy account on search.posting using (account_id = (select ctx.account())) with check (account_id = (select ctx.account()));

create function search.me() returns uuid
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := ctx.account();
begin
  if me is null then
    raise exception 'search was asked without an account' using errcode = '42501';
  end if;
  return me;
end $$;

-- Members as 4096 bits, where they are many; nothing where a look through the list costs as little.
create function search.bits(members smallint[]) returns bytea
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  made bytea := decode(repeat('00', 512), 'hex');
  member smallint;
begin
  if cardinality(members) <= 256 then
    return null;
  end if;
  foreach member in array members loop
    made := set_bit(made, member, 1);
  end loop;
  return made;
end $$;

-- Turns full buckets over. `upto` is the bucket now being filled.
create function search.turn_over(me uuid, upto bigint) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  full_bucket bigint;
begin
  for full_bucket in
    select distinct ordinal >> 12 from search.fresh where account_id = me and ordinal < upto << 12
  loop
    insert into search.posting (account_id, token, bucket, held, members, bits)
      select me, word, full_bucket, cardinality(members), members, search.bits(members)
        from (select word, array_agg((ordinal & 4095)::smallint order by ordinal) as members
                from search.fresh, unnest(tokens) word
               where account_id = me and ordinal >= full_bucket << 12 and ordinal < (full_bucket + 1) << 12
               group by word) turned
       order by word;
    delete from search.fresh
     where account_id = me and ordinal >= full_bucket << 12 and ordinal < (full_bucket + 1) << 12;
  end loop;
end $$;

-- Adds subjects with their tokens: `sizes[n]` tokens of the flat list belong to `subjects[n]`. Known subjects stay as
-- they are, so the same batch twice changes nothing.
create function search.add(subjects uuid[], conversations uuid[], sizes integer[], tokens bigint[]) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := search.me();
  first bigint;
  added bigint;
begin
  insert into search.counter (account_id) values (me) on conflict do nothing;
  select last + 1 into first from search.counter where account_id = me for update;
  with given as (
    select subject_id, conversation_id, size, sum(size) over (order by place) as upto, place
      from unnest(subjects, conversations, sizes) with ordinality g(subject_id, conversation_id, size, place)
  ), new as (
    select *, first + row_number() over (order by place) - 1 as ordinal from given g
     where not exists (select from search.place p where p.account_id = me and p.subject_id = g.subject_id)
  ), placed as (
    insert into search.place (account_id, ordinal, subject_id, conversation_id)
      select me, ordinal, subject_id, conversation_id from new
  ), freshened as (
    insert into search.fresh (account_id, ordinal, tokens)
      select me, ordinal, tokens[upto - size + 1 : upto] from new
  )
  select count(*) into added from new;
  if added > 0 then
    update search.counter set last = first + added - 1 where account_id = me;
    if first >> 12 < (first + added) >> 12 then
      perform search.turn_over(me, (first + added) >> 12);
    end if;
  end if;
end $$;

-- Takes subjects out again, their tokens included.
create function search.forget(subjects uuid[]) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := search.me();
  gone bigint[];
  touched bigint;
  numbers smallint[];
begin
  perform from search.counter where account_id = me for update;
  with out as (
    delete from search.place where account_id = me and subject_id = any(subjects) returning ordinal
  ) select array_agg(ordinal) into gone from out;
  delete from search.fresh where account_id = me and ordinal = any(gone);
  for touched, numbers in
    select o >> 12, array_agg((o & 4095)::smallint) from unnest(gone) o group by 1
  loop
    update search.posting p set members = kept.members, held = cardinality(kept.members), bits = search.bits(kept.members)
      from (select token, array(select m from unnest(members) m where m <> all(numbers) order by m) as members
              from search.posting where account_id = me and bucket = touched and members && numbers) kept
     where p.account_id = me and p.bucket = touched and p.token = kept.token;
    delete from search.posting where account_id = me and bucket = touched and members = '{}';
  end loop;
end $$;

-- Empties the account's part, before a rebuild.
create function search.clear() returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := search.me();
begin
  delete from search.place where account_id = me;
  delete from search.fresh where account_id = me;
  delete from search.posting where account_id = me;
  delete from search.counter where account_id = me;
end $$;

-- The numbers in full buckets, from `first` up to `newest`, that hold every token of one way, newest first. `tokens` begins
-- with the rarest: its members are looked at, and asked of the others bucket by bucket, each by its key: rows kept for a
-- join would be gone through once more for every bucket.
create function search.hold(me uuid, tokens bigint[], first integer, newest bigint, most integer) returns setof bigint
  language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
  set plan_cache_mode = force_generic_plan as $$
declare
  joins text := '';
  asks text := '';
begin
  if cardinality(tokens) = 2 then -- what people mostly ask; its plan is made once
    return query select (p1.bucket::bigint << 12) + m from search.posting p1
        join search.posting p2 on p2.account_id = me and p2.token = tokens[2] and p2.bucket = p1.bucket,
        lateral (select m from unnest(p1.members) m where (p1.bucket::bigint << 12) + m <= newest
          and case when p2.bits is null then m = any(p2.members) else get_bit(p2.bits, m) = 1 end order by m desc) held
      where p1.account_id = me and p1.token = tokens[1] and p1.bucket between first and (newest >> 12)::integer
      order by p1.bucket desc limit most;
    return;
  end if;
  for n in 2 .. cardinality(tokens) loop
    joins := joins || format(' join search.posting p%1$s on p%1$s.account_id = $1 and p%1$s.token = ($2)[%1$s] and p%1$s.bucket = p1.bucket', n);
    asks := asks || format(' and case when p%1$s.bits is null then m = any(p%1$s.members) else get_bit(p%1$s.bits, m) = 1 end', n);
  end loop;
  return query execute
    'select (p1.bucket::bigint << 12) + m from search.posting p1' || joins || ', lateral (select m from unnest(p1.members)'
    || ' m where (p1.bucket::bigint << 12) + m <= $4' || asks || ' order by m desc) held where p1.account_id = $1'
    || ' and p1.token = ($2)[1] and p1.bucket between $3 and ($4 >> 12)::integer order by p1.bucket desc limit $5'
    using me, tokens, first, newest, most;
end $$;

-- Subjects that hold every token of one of the ways (rows of a two-dimensional list), newest first, numbered below
-- `before`. At most `most` of them, and at most about 300 000 entries are weighed: where it stopped for that, the last row
-- has no subject and says from which number to go on.
create function search.find(ways bigint[], before bigint, most integer)
  returns table (ordinal bigint, subject_id uuid, conversation_id uuid)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  me uuid := search.me();
  filling bigint := (select last >> 12 from search.counter where account_id = me);
  newest bigint := least(before, coalesce((select last + 1 from search.counter where account_id = me), 0)) - 1;
  way bigint[];
  rarest bigint[];
  weight bigint;
  first integer;
  from_bucket integer := 0;
  held bigint[] := '{}';
  found bigint;
begin
  if newest is null or newest < 0 or array_length(ways, 2) is null then
    return;
  end if;
  if newest >> 12 >= filling then
    foreach way slice 1 in array ways loop
      held := held || array(select f.ordinal from search.fresh f
        where f.account_id = me and f.ordinal <= newest and f.tokens @> way order by f.ordinal desc limit most);
    end loop;
  end if;
  if cardinality(held) < most then
    foreach way slice 1 in array ways loop
      way := array(select distinct t from unnest(way) t);
      select array_agg(token order by weight), min(weight) into rarest, weight from (select p.token, sum(p.held) as weight
        from search.posting p where p.account_id = me and p.token = any(way) and p.bucket <= newest >> 12 group by p.token) w;
      continue when rarest is null or cardinality(rarest) < cardinality(way);
      first := 0;
      if weight > 300000 then
        first := coalesce((select max(bucket) from (select p.bucket, sum(p.held) over (order by p.bucket desc) as weighed
          from search.posting p where p.account_id = me and p.token = rarest[1] and p.bucket <= newest >> 12) w
          where weighed > 300000), 0);
      end if;
      from_bucket := greatest(from_bucket, first);
      held := held || array(select search.hold(me, rarest, first, newest, most));
    end loop;
  end if;
  return query select p.ordinal, p.subject_id, p.conversation_id from search.place p
    where p.account_id = me and p.ordinal = any(held) and p.ordinal >= from_bucket::bigint << 12
    order by p.ordinal desc limit most;
  get diagnostics found = row_count;
  if found < most and from_bucket > 0 then
    return query select from_bucket::bigint << 12, null::uuid, null::uuid;
  end if;
end $$;

revoke all on all functions in schema search from public;
grant execute on function search.add(uuid[], uuid[], integer[], bigint[]), search.forget(uuid[]), search.clear(),
  search.find(bigint[], bigint, integer) to chatinbox_app;
