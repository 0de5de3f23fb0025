-- A question costs as much in a million messages as in ten thousand: it is weighed and followed through the newest
-- sixty-four buckets in which it may be met, then through the next ones, until enough is found; before, it weighed its
-- words in all buckets there are. In the newest bucket one word is looked for before the others: where it is missing,
-- which is mostly so, that costs a quarter. And what two ways have both found counts once: before, a word that means the
-- same in two of the account's languages could end the search with half a page, older ones never being offered.
--
-- Names of customers are marked in the newest bucket, so that who looks for a name need not look through all texts.
set local role chatinbox_search;

alter table search.fresh add column is_name boolean not null default false;
alter table search.fresh alter column is_name drop default;
alter table search.fresh no force row level security;
alter table search.place no force row level security;
update search.fresh f set is_name = true from search.place p
 where p.account_id = f.account_id and p.ordinal = f.ordinal and p.conversation_id is null;
alter table search.fresh force row level security;
alter table search.place force row level security;

-- Adds subjects with their tokens: `sizes[n]` tokens of the flat list belong to `subjects[n]`. Known subjects stay as
-- they are, so the same batch twice changes nothing.
create or replace function search.add(subjects uuid[], conversations uuid[], sizes integer[], tokens bigint[]) returns void
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
    insert into search.fresh (account_id, ordinal, is_name, tokens)
      select me, ordinal, conversation_id is null, tokens[upto - size + 1 : upto] from new
  )
  select count(*) into added from new;
  if added > 0 then
    update search.counter set last = first + added - 1 where account_id = me;
    if first >> 12 < (first + added) >> 12 then
      perform search.turn_over(me, (first + added) >> 12);
    end if;
  end if;
end $$;

-- Subjects that hold every token of one of the ways (rows of a two-dimensional list), newest first, numbered below
-- `before`: customers by their names, or texts by their words. At most `most` of them, and at most about 300 000 entries are
-- weighed, a window's more: where it stopped for that, the last row has no subject and says from which number to go on.
drop function search.find(bigint[], bigint, integer);
create function search.find(ways bigint[], before bigint, most integer, names boolean)
  returns table (ordinal bigint, subject_id uuid, conversation_id uuid)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  me uuid := search.me();
  last bigint := (select last from search.counter where account_id = me);
  newest bigint := least(before, coalesce(last, -1) + 1) - 1;
  filling bigint := (last >> 12) << 12;
  upper integer := newest >> 12;
  lower integer;
  reach integer; -- the newest bucket in which all words of a way may stand
  way bigint[];
  rarest bigint[];
  weight bigint;
  weighed bigint := 0;
  held bigint[] := '{}';
  found bigint;
begin
  if newest < 0 or array_length(ways, 2) is null then
    return;
  end if;
  if newest >= filling then
    foreach way slice 1 in array ways loop
      held := held || array(select f.ordinal from search.fresh f
        where f.account_id = me and f.ordinal between filling and newest and f.is_name = names
          and case when way[1] = any(f.tokens) then f.tokens @> way end
        order by f.ordinal desc limit most);
    end loop;
  end if;
  loop
    held := array(select distinct number from unnest(held) number);
    exit when cardinality(held) >= most or weighed > 300000;
    reach := null;
    foreach way slice 1 in array ways loop
      reach := greatest(reach, (select case when count(*) = count(b.newest) then min(b.newest) end from unnest(way) w(token),
        lateral (select max(p.bucket) as newest from search.posting p
          where p.account_id = me and p.token = w.token and p.bucket <= upper) b));
    end loop;
    upper := coalesce(reach, -1);
    exit when upper < 0;
    lower := greatest(upper - 63, 0);
    foreach way slice 1 in array ways loop
      way := array(select distinct token from unnest(way) token);
      select array_agg(token order by weight), min(weight) into rarest, weight from (select p.token, sum(p.held) as weight
        from search.posting p where p.account_id = me and p.token = any(way) and p.bucket between lower and upper
        group by p.token) w;
      continue when rarest is null or cardinality(rarest) < cardinality(way);
      weighed := weighed + weight;
      held := held || array(select search.hold(me, rarest, lower, least(newest, (upper::bigint + 1 << 12) - 1), most));
    end loop;
    upper := lower - 1;
  end loop;
  return query select n.number, p.subject_id, p.conversation_id from unnest(held) n(number),
      lateral (select subject_id, conversation_id from search.place where account_id = me and ordinal = n.number offset 0) p
    order by n.number desc limit most;
  get diagnostics found = row_count;
  if found < most and upper >= 0 then
    return query select (upper::bigint + 1) << 12, null::uuid, null::uuid;
  end if;
end $$;

revoke all on function search.find(bigint[], bigint, integer, boolean) from public;
grant execute on function search.find(bigint[], bigint, integer, boolean) to chatinbox_app;
