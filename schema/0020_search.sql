-- Members as bits from 33 on, not from 257: a bit is asked in a thirtieth of the time that a look through two hundred
-- members takes, and a question of two words asks for each member of the rarer one. An eighth more space.
set local role chatinbox_search;

create or replace function search.bits(members smallint[]) returns bytea
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  made bytea := decode(repeat('00', 512), 'hex');
  member smallint;
begin
  if cardinality(members) <= 32 then
    return null;
  end if;
  foreach member in array members loop
    made := set_bit(made, member, 1);
  end loop;
  return made;
end $$;

-- Whichever of the two keys a plan takes, bucket by bucket it finds one row. The old one held no token: a plan made before
-- the table had been looked at took it, and went through a whole bucket for each.
drop index search.posting_of_bucket;
create unique index posting_of_bucket on search.posting (account_id, bucket, token);

-- As before, but the newest bucket is looked through from where it begins, not through what was turned over since; and
-- each place is asked for by its key: before the table had been looked at, a plan went through all of them in order.
create or replace function search.find(ways bigint[], before bigint, most integer)
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
        where f.account_id = me and f.ordinal between filling << 12 and newest and f.tokens @> way order by f.ordinal desc limit most);
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
  return query select n.number, p.subject_id, p.conversation_id
    from (select distinct number from unnest(held) number where number >= from_bucket::bigint << 12) n,
      lateral (select subject_id, conversation_id from search.place where account_id = me and ordinal = n.number offset 0) p
    order by n.number desc limit most;
  get diagnostics found = row_count;
  if found < most and from_bucket > 0 then
    return query select from_bucket::bigint << 12, null::uuid, null::uuid;
  end if;
end $$;
