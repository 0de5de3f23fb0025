-- What somebody of the operator was refused: a line for each of them and each day, however often they tried, so that it cannot be
-- used to flood anybody. The account sees it, and its owners hear of it once in a day (clause C40).
set local role chatinbox_owner;
create table tenant.operator_refusal (
  account_id uuid not null references tenant.account,
  id uuid not null,
  person_id uuid not null,
  day date not null,
  refused_count integer not null check (refused_count > 0),
  first_at timestamptz not null,
  last_at timestamptz not null,
  told_at timestamptz,
  shown_from timestamptz,
  primary key (account_id, id),
  constraint operator_refusal_once unique nulls not distinct (account_id, person_id, day, shown_from)
);
call work.protect('tenant.operator_refusal', 'select');
-- Where an order forbids to tell of a grant, what was refused under it is told with it.
create policy shown on tenant.operator_refusal as restrictive for select to chatinbox_app
  using (shown_from is null or shown_from <= clock_timestamp());
grant select, insert, update on tenant.operator_refusal to chatinbox_desk;

alter table tenant.access_waiting drop constraint access_waiting_deed_check;
alter table tenant.access_waiting add constraint access_waiting_deed_check check (deed in
  ('conversation', 'ahead', 'customer', 'list', 'search', 'file', 'letter', 'report', 'export', 'sheet', 'copy', 'refused'));
alter table tenant.access drop constraint access_deed_check;
alter table tenant.access add constraint access_deed_check check (deed in
  ('conversation', 'ahead', 'customer', 'list', 'search', 'file', 'letter', 'report', 'export', 'sheet', 'copy', 'refused'));
reset role;

set local role chatinbox_desk;
-- Notes that somebody was refused. Whether it is their first today, and whether the owners are to hear of it now: both false where
-- an order forbids it. `by_grant` is what they named, whether it is there or not.
create function desk.refused(new_id uuid, by_grant uuid, by_person uuid) returns table (is_first boolean, is_told boolean)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := ctx.account();
  moment timestamptz := clock_timestamp();
  hidden timestamptz;
  row_id uuid;
  first boolean;
begin
  select g.shown_from into hidden from tenant.operator_grant g where g.account_id = me and g.id = by_grant and g.shown_from > moment;
  perform pg_advisory_xact_lock(hashtextextended('refused ' || me::text, 0));
  insert into tenant.operator_refusal as r (account_id, id, person_id, day, refused_count, first_at, last_at, shown_from)
    values (me, new_id, by_person, (moment at time zone 'UTC')::date, 1, moment, moment, hidden)
    on conflict on constraint operator_refusal_once
      do update set refused_count = least(r.refused_count + 1, 1000000), last_at = moment
    returning r.id, r.refused_count = 1 into row_id, first;
  if hidden is not null then
    return query select false, false;
    return;
  end if;
  update tenant.operator_refusal r set told_at = moment where r.account_id = me and r.id = row_id and r.told_at is null
    and not exists (select from tenant.operator_refusal t where t.account_id = me and t.told_at > moment - interval '1 day');
  return query select first, found;
end $$;
-- Under which grant a look was, and whose.
create function desk.of_look(look_id uuid) returns table (grant_id uuid, person_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select a.grant_id, a.person_id from tenant.operator_access a where a.account_id = ctx.account() and a.id = look_id $$;
revoke all on function desk.refused(uuid, uuid, uuid), desk.of_look(uuid) from public;
grant execute on function desk.refused(uuid, uuid, uuid), desk.of_look(uuid) to chatinbox_operator;
reset role;
