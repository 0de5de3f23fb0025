-- What a careful reading of the promises found.
set local role chatinbox_desk;

-- As before, and: of billing only what is there, so that as many rows are read as were written down. An account that never
-- paid has no row of it.
create or replace function desk.look(new_id uuid, by_grant uuid, what text, thing uuid, by_person uuid) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  me uuid := ctx.account();
  given tenant.operator_grant;
  scope desk.legal_case;
  whose uuid;
  found jsonb;
  total integer;
begin
  select * into given from tenant.operator_grant g where g.account_id = me and g.id = by_grant and g.asked_by = by_person;
  if given.id is null or desk.is_live(given) is not true or desk.covers(given, what, thing) is not true then
    raise exception 'no live grant covers this' using errcode = '42501';
  end if;
  select * into scope from desk.legal_case c where c.id = given.case_id;
  if what = 'conversation' then
    select customer_id into whose from tenant.conversation where account_id = me and id = thing;
    found := jsonb_build_object('conversation', jsonb_build_array(thing),
      'message', (select coalesce(jsonb_agg(m.id), '[]') from (select id from tenant.message where account_id = me
         and conversation_id = thing and (scope.id is null or 'messages' = any(scope.kinds))
         and (scope.from_at is null or at >= scope.from_at) and (scope.to_at is null or at < scope.to_at)
         order by position desc limit 5000) m),
      'note', (select coalesce(jsonb_agg(n.id), '[]') from (select id from tenant.note where account_id = me
         and conversation_id = thing and (scope.id is null or 'notes' = any(scope.kinds))
         and (scope.from_at is null or at >= scope.from_at) and (scope.to_at is null or at < scope.to_at)
         order by position desc limit 5000) n));
  elsif what = 'customer' then
    whose := thing;
    found := jsonb_build_object('customer', jsonb_build_array(thing),
      'address', (select coalesce(jsonb_agg(id), '[]') from tenant.address where account_id = me and customer_id = thing),
      'conversation', (select coalesce(jsonb_agg(c.id), '[]') from (select id from tenant.conversation where account_id = me
         and customer_id = thing order by number desc limit 200) c));
  elsif what = 'settings' then
    found := jsonb_build_object('channel', (select coalesce(jsonb_agg(id), '[]') from tenant.channel where account_id = me));
  elsif what = 'account' then
    found := jsonb_build_object('account', jsonb_build_array(me));
  elsif what = 'billing' then
    found := jsonb_build_object('billing', (select coalesce(jsonb_agg(account_id), '[]') from tenant.billing where account_id = me),
      'invoice', (select coalesce(jsonb_agg(id), '[]') from tenant.invoice where account_id = me));
  elsif what = 'staff' then
    found := jsonb_build_object('staff_user', (select coalesce(jsonb_agg(id), '[]') from tenant.staff_user where account_id = me));
  end if;
  select coalesce(sum(jsonb_array_length(value)), 0) into total from jsonb_each(found);
  insert into tenant.operator_access (account_id, id, grant_id, person_id, at, object, object_id, customer_id, rows, row_count,
      transaction, shown_from)
    values (me, new_id, by_grant, by_person, clock_timestamp(), what, thing, whose, found, total, pg_current_xact_id(),
      given.shown_from);
  return total;
end $$;
reset role;

set local role chatinbox_owner;
-- Taking the copy of all about a customer is a look of its own kind.
alter table tenant.access_waiting drop constraint access_waiting_deed_check;
alter table tenant.access_waiting add constraint access_waiting_deed_check check (deed in
  ('conversation', 'ahead', 'customer', 'list', 'search', 'file', 'letter', 'report', 'export', 'sheet', 'copy'));
alter table tenant.access drop constraint access_deed_check;
alter table tenant.access add constraint access_deed_check check (deed in
  ('conversation', 'ahead', 'customer', 'list', 'search', 'file', 'letter', 'report', 'export', 'sheet', 'copy'));

-- A case that is decided is past objecting: what goes on by itself looks at this time alone, so that it can be held still.
alter table tenant.data_case no force row level security;
update tenant.data_case set objection_until = least(objection_until, decided_at) where decided_at is not null;
-- When somebody fetched their copy is told by the day, as where staff handed one over.
update tenant.data_case set copy_fetched_at = date_bin('1 day', copy_fetched_at, 'epoch') where copy_fetched_at is not null;
alter table tenant.data_case force row level security;
alter table tenant.data_case add constraint data_case_fetched_on_a_day
  check (copy_fetched_at = date_bin('1 day', copy_fetched_at, 'epoch'));

-- What is kept about somebody who works here is counted by the columns that name them, never by reading everybody's rows.
create index setting_change_by_staff on tenant.setting_change (account_id, staff_user_id);
create index setting_change_of_subject on tenant.setting_change (account_id, subject_id) where subject_id is not null;
create index staff_record_by_staff on tenant.staff_record (account_id, staff_user_id);
create index staff_activity_by_staff on tenant.staff_activity (account_id, staff_user_id);
create index report_view_by_viewer on tenant.report_view (account_id, viewer_id);
create index report_view_of_staff on tenant.report_view (account_id, staff_user_id);
create index ledger_of_subject on tenant.ledger (account_id, subject_id);
create index ledger_asked on tenant.ledger (account_id, asked_id) where asked_id is not null;
create index kept_mail_of_subject on tenant.kept_mail (account_id, subject_id);
reset role;
set local role chatinbox_directory;
create index scim_token_of_person on directory.scim_token (person_id);
create index promised_letter_of_person on directory.promised_letter (person_id);
reset role;
