-- The glass box, looked at once more.
set local role chatinbox_desk;

-- As before, and: an hour is an hour. Somebody who was alone looks already; a second person who agrees later opens no more.
create or replace function desk.approve(grant_id uuid, by_person uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update tenant.operator_grant set approved_by = by_person, approved_at = moment,
       opens_at = case when opens_at <= moment then opens_at else moment end,
       closes_at = case when opens_at <= moment then closes_at else moment + make_interval(mins => minutes) end
       from (select clock_timestamp() as moment) at_once
      where account_id = ctx.account() and id = grant_id and ground in ('terms', 'protection') and approved_by is null
        and ended_at is null and asked_at > clock_timestamp() - interval '1 day'
        and coalesce(closes_at > clock_timestamp(), true) returning 1) select exists (select from done) $$;

-- As before, and: of the customer who is being erased, and of whoever turned out to be them. Why somebody looked at another
-- is not to be written over because anybody is erased just now.
create or replace function desk.forget_words(of_table text, row_id uuid, instead bytea) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := ctx.account();
  thing uuid;
begin
  if of_table = 'operator_grant' then
    select object_id into thing from tenant.operator_grant where account_id = me and id = row_id;
  else
    select object_id into thing from tenant.permission where account_id = me and id = row_id;
  end if;
  if not exists (
    with recursive family as (
      select c.id from tenant.customer c join tenant.erasure e on e.account_id = c.account_id and e.customer_id = c.id
       where e.account_id = me and e.begun_at is not null and e.done_at is null
      union select c.id from tenant.customer c join family f on c.merged_into = f.id where c.account_id = me)
    select from family f where f.id = thing or exists (select from tenant.conversation t
      where t.account_id = me and t.id = thing and t.customer_id = f.id))
  then
    raise exception 'nobody is being erased' using errcode = '42501';
  end if;
  if of_table = 'operator_grant' then
    update tenant.operator_grant set reason_sealed = instead where account_id = me and id = row_id;
  else
    update tenant.permission set purpose_sealed = instead, taken_back_at = coalesce(taken_back_at, clock_timestamp())
      where account_id = me and id = row_id;
  end if;
end $$;
-- As before, and every one: what is told on a day must be found on it, however many came since.
create or replace function desk.cases() returns setof desk.legal_case
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from desk.legal_case order by opened_at desc $$;
reset role;
