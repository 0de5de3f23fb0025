-- Files behind the glass and over the desk (clauses C37, C38, C40). Names of files are read like words: by a look that is written
-- first. Opening one file is a look of its own, and its bytes are handed out once, within a minute of it. What an order names of
-- files is named by id before anybody checks it, and nobody checks it who has not seen that list.
set local role chatinbox_owner;
alter table tenant.operator_grant drop constraint operator_grant_object_check;
alter table tenant.operator_grant add constraint operator_grant_object_check
  check (object in ('conversation', 'customer', 'settings', 'case', 'list'));
alter table tenant.operator_grant drop constraint operator_grant_check2;
alter table tenant.operator_grant add constraint operator_grant_of_case
  check ((ground in ('law', 'safety')) = (case_id is not null) and (object in ('case', 'list')) = (case_id is not null));

alter table tenant.operator_access drop constraint operator_access_object_check;
alter table tenant.operator_access add constraint operator_access_object_check
  check (object in ('conversation', 'customer', 'settings', 'account', 'billing', 'staff', 'list', 'file'));
-- When the bytes of a file were handed out, which happens once.
alter table tenant.operator_access add column handed_at timestamptz;
alter table tenant.operator_access add constraint operator_access_handed_check check (handed_at is null or object = 'file');

grant select on tenant.attachment to chatinbox_desk;
grant update (handed_at) on tenant.operator_access to chatinbox_desk;
-- All of it but the name under which a letter shows it, which can hold the name of a machine.
grant select (account_id, id, conversation_id, message_id, note_id, name_sealed, type, size, created_at) on tenant.attachment
  to chatinbox_operator;
create policy operator on tenant.attachment as restrictive for select to chatinbox_operator
  using (id in (select desk.rows('attachment')));
reset role;

set local role chatinbox_desk;
alter table desk.legal_case add column file_count integer check (file_count > 0);
alter table desk.legal_case add column files_named_at timestamptz;
alter table desk.legal_case add constraint legal_case_files_counted check ((file_count is null) = (files_named_at is null));
alter table desk.legal_case drop constraint legal_case_kinds_check;
alter table desk.legal_case add constraint legal_case_kinds_check
  check (cardinality(kinds) > 0 and kinds <@ array['account', 'billing', 'staff', 'messages', 'notes', 'files']);
alter table desk.legal_case drop constraint legal_case_check2;
alter table desk.legal_case add constraint legal_case_content
  check (not kinds && array['messages', 'notes', 'files'] or (instrument in ('court_order', 'warrant', 'danger')
    and (object <> 'account' or (from_at is not null and to_at is not null))));
alter table desk.legal_case drop constraint legal_case_check3;
alter table desk.legal_case add constraint legal_case_of_content
  check (object = 'account' or kinds && array['messages', 'notes', 'files']);
alter table desk.legal_case add constraint legal_case_files_named
  check (first_by is null or not 'files' = any(kinds) or file_count is not null);

-- The files that a case names, each by its id: these and no others are handed out.
create table desk.case_file (
  case_id uuid not null references desk.legal_case on delete cascade,
  file_id uuid not null,
  conversation_id uuid not null,
  primary key (case_id, file_id)
);
revoke all on desk.case_file from public;

-- Which files a case may name: what came or left with messages in its scope and time, and with notes where it names notes.
-- What nobody sent yet is none of them.
create function desk.may_name(one desk.legal_case) returns table (file_id uuid, conversation_id uuid, size bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select a.id, a.conversation_id, a.size from tenant.attachment a
       join tenant.conversation t on t.account_id = a.account_id and t.id = a.conversation_id
       left join tenant.message m on m.account_id = a.account_id and m.id = a.message_id
       left join tenant.note n on n.account_id = a.account_id and n.id = a.note_id and 'notes' = any(one.kinds)
      where a.account_id = ctx.account() and one.account_id = a.account_id and 'files' = any(one.kinds)
        and case one.object when 'conversation' then t.id = one.object_id when 'customer' then t.customer_id = one.object_id else true end
        and coalesce(m.at, n.at) is not null and (one.from_at is null or coalesce(m.at, n.at) >= one.from_at)
        and (one.to_at is null or coalesce(m.at, n.at) < one.to_at) $$;

-- The conversations whose files are listed for a case: of those it names, or, before it names any, of those it may.
create function desk.listed_in(its_id uuid) returns table (conversation_id uuid, number bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select t.id, t.number from desk.legal_case c join tenant.conversation t on t.account_id = c.account_id
      where c.id = its_id and c.account_id = ctx.account()
        and case when c.file_count is null then t.id in (select f.conversation_id from desk.may_name(c) f)
          else t.id in (select f.conversation_id from desk.case_file f join tenant.attachment a on a.account_id = c.account_id
            and a.id = f.file_id where f.case_id = c.id) end
      order by t.number $$;

-- The files of one conversation that are listed for a case.
create function desk.listed(its_id uuid, thing uuid) returns setof uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select a.id from desk.legal_case c join tenant.attachment a on a.account_id = c.account_id and a.conversation_id = thing
      where c.id = its_id and c.account_id = ctx.account()
        and case when c.file_count is null then a.id in (select f.file_id from desk.may_name(c) f)
          else exists (select from desk.case_file f where f.case_id = c.id and f.file_id = a.id) end $$;

-- Names the files of a case, once: those with these ids, or all it may name. How many; null where nothing can be named any more.
create function desk.name_files(its_id uuid, ids uuid[], most_files integer, most_bytes bigint) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  one desk.legal_case;
  counted integer;
  bytes numeric;
begin
  select * into one from desk.legal_case c where c.id = its_id and c.account_id = ctx.account() and 'files' = any(c.kinds)
    and c.file_count is null and c.first_by is null and c.declined_by is null and c.released_at is null for update;
  if one.id is null then
    return null;
  end if;
  select count(*), sum(f.size) into counted, bytes from desk.may_name(one) f where ids is null or f.file_id = any(ids);
  if counted = 0 or counted < coalesce(cardinality(ids), 0) then
    raise exception 'it names no such file' using errcode = 'P0002';
  elsif counted > most_files or bytes > most_bytes then
    raise exception 'one release carries less' using errcode = '54000';
  end if;
  insert into desk.case_file (case_id, file_id, conversation_id)
    select one.id, f.file_id, f.conversation_id from desk.may_name(one) f where ids is null or f.file_id = any(ids);
  update desk.legal_case set file_count = counted, files_named_at = clock_timestamp() where id = one.id;
  return counted;
end $$;

-- Lets one person read the list of what a case names of files, for five minutes: names, types and sizes, and not a byte of them.
create function desk.list_files(its_id uuid, new_grant uuid, reason bytea, by_person uuid) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  one desk.legal_case;
  moment timestamptz := clock_timestamp();
begin
  select * into one from desk.legal_case c where c.id = its_id and c.account_id = ctx.account() and 'files' = any(c.kinds)
    and c.declined_by is null and c.released_at is null;
  if one.id is null then
    return false;
  end if;
  insert into tenant.operator_grant (account_id, id, ground, reason_sealed, object, case_id, asked_by, asked_at, minutes, opens_at,
      closes_at, shown_from)
    values (one.account_id, new_grant, one.kind, reason, 'list', one.id, by_person, moment, 5, moment, moment + interval '5 minutes',
      one.gag_until);
  return true;
end $$;

-- Whether somebody saw each file that a case names and that is still there, since it names these.
create function desk.has_seen(its_id uuid, by_person uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select not exists (select from desk.case_file f join desk.legal_case c on c.id = f.case_id
       join tenant.attachment a on a.account_id = ctx.account() and a.id = f.file_id
      where f.case_id = its_id and not exists (select from tenant.operator_access l
        join tenant.operator_grant g on g.account_id = l.account_id and g.id = l.grant_id
       where l.account_id = ctx.account() and g.case_id = its_id and l.person_id = by_person and l.object = 'list'
         and l.at >= c.files_named_at and l.rows -> 'attachment' ? f.file_id::text)) $$;

-- The files that a case names, in the order they are handed out, and whether each is still there. Ids, and the conversation's number.
create function desk.files_of(its_id uuid) returns table (file_id uuid, number bigint, is_there boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select f.file_id, t.number, a.id is not null from desk.case_file f
       join desk.legal_case c on c.id = f.case_id and c.account_id = ctx.account()
       left join tenant.conversation t on t.account_id = c.account_id and t.id = f.conversation_id
       left join tenant.attachment a on a.account_id = c.account_id and a.id = f.file_id
      where f.case_id = its_id order by t.number, f.file_id $$;

-- For the account: the files that the cases it may know of name.
create function desk.files_of_account() returns table (case_id uuid, file_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select f.case_id, f.file_id from desk.cases_of_account() c join desk.case_file f on f.case_id = c.id $$;

-- As before, and: who checks it saw the list of the files it names.
create or replace function desk.check_case(case_id uuid, by_person uuid) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not desk.has_seen(check_case.case_id, by_person) then
    raise exception 'the list of its files was not seen' using errcode = '55000';
  end if;
  update desk.legal_case c set
      second_by = case when first_by is null then null else by_person end,
      second_at = case when first_by is null then null else clock_timestamp() end,
      first_by = coalesce(first_by, by_person), first_at = coalesce(first_at, clock_timestamp())
    where c.id = check_case.case_id and c.account_id = ctx.account() and c.second_by is null and c.declined_at is null
      and c.released_at is null;
  return found;
end $$;

-- As before, and: who releases alone, in a danger, saw the list; and what broke off before its last byte can be handed out again
-- within a day. When it was released, by whom, and until when it has to be reviewed stay as they were.
create or replace function desk.release_case(its_id uuid, new_grant uuid, reason bytea, by_person uuid) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found desk.legal_case;
  moment timestamptz := clock_timestamp();
begin
  if exists (select from desk.legal_case c where c.id = its_id and c.account_id = ctx.account() and c.kind = 'safety'
      and c.released_at is null) and not desk.has_seen(its_id, by_person)
  then
    raise exception 'the list of its files was not seen' using errcode = '55000';
  end if;
  update desk.legal_case set released_by = by_person, released_at = moment,
      first_by = case when kind = 'safety' then coalesce(first_by, by_person) else first_by end,
      first_at = case when kind = 'safety' then coalesce(first_at, moment) else first_at end,
      review_due_at = case when kind = 'safety' then moment + interval '72 hours' end
    where id = its_id and account_id = ctx.account() and released_at is null and declined_at is null returning * into found;
  if found.id is null then
    select * into found from desk.legal_case c where c.id = its_id and c.account_id = ctx.account() and c.digest is null
      and c.released_at > moment - interval '1 day';
  end if;
  if found.id is null then
    return false;
  end if;
  insert into tenant.operator_grant (account_id, id, ground, reason_sealed, object, case_id, asked_by, asked_at, minutes, opens_at,
      closes_at, shown_from)
    values (found.account_id, new_grant, found.kind, reason, 'case', found.id, by_person, moment, 60, moment,
      moment + interval '60 minutes', found.gag_until);
  return true;
end $$;

-- As before, and: a file of what a grant covers, if somebody sent it; of a case, each that it names, and the list of these.
create or replace function desk.covers(given tenant.operator_grant, what text, thing uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select case
       when given.object = 'list' then what = 'list' and thing in (select l.conversation_id from desk.listed_in(given.case_id) l)
       when given.object = 'case' then exists (select from desk.legal_case c where c.id = given.case_id
         and c.account_id = given.account_id and case what
           when 'account' then 'account' = any(c.kinds) when 'billing' then 'billing' = any(c.kinds)
           when 'staff' then 'staff' = any(c.kinds)
           when 'conversation' then c.kinds && array['messages', 'notes'] and exists (select from tenant.conversation t
             where t.account_id = given.account_id and t.id = thing and case c.object when 'conversation' then t.id = c.object_id
               when 'customer' then t.customer_id = c.object_id else true end)
           when 'file' then exists (select from desk.case_file f join tenant.attachment a on a.account_id = given.account_id
             and a.id = f.file_id where f.case_id = c.id and f.file_id = thing)
           else false end)
       when what = 'conversation' then case given.object when 'conversation' then given.object_id = thing
         when 'customer' then exists (select from tenant.conversation t where t.account_id = given.account_id and t.id = thing
           and t.customer_id = given.object_id) else false end
       when what = 'file' then given.object in ('conversation', 'customer') and exists (select from tenant.attachment a
         join tenant.conversation t on t.account_id = a.account_id and t.id = a.conversation_id
         where a.account_id = given.account_id and a.id = thing and num_nonnulls(a.message_id, a.note_id) = 1
           and case given.object when 'conversation' then t.id else t.customer_id end = given.object_id)
       when what = 'customer' then given.object = 'customer' and given.object_id = thing
       when what = 'settings' then given.object = 'settings' else false end $$;

-- As before, and: a look at a conversation reads what its files are called; one at a list, that of the files a case names in it;
-- one at a file, its line alone. Under a case files are looked at one by one.
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
    if scope.id is null then
      found := found || jsonb_build_object('attachment', (select coalesce(jsonb_agg(a.id), '[]') from tenant.attachment a
        where a.account_id = me and a.conversation_id = thing
          and coalesce(found -> 'message' ? a.message_id::text, found -> 'note' ? a.note_id::text)));
    end if;
  elsif what = 'list' then
    select customer_id into whose from tenant.conversation where account_id = me and id = thing;
    found := jsonb_build_object('attachment', (select coalesce(jsonb_agg(one), '[]') from desk.listed(scope.id, thing) one));
  elsif what = 'file' then
    select t.customer_id into whose from tenant.attachment a join tenant.conversation t on t.account_id = a.account_id
      and t.id = a.conversation_id where a.account_id = me and a.id = thing;
    found := jsonb_build_object('attachment', jsonb_build_array(thing));
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

-- Whose customer's data the look of this transaction reads.
create function desk.whose() returns uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select customer_id from tenant.operator_access
      where account_id = ctx.account() and id = nullif(current_setting('app.look', true), '')::uuid $$;

-- The bytes of the file that the look of this transaction names may be handed out: now, and not again.
create function desk.hand_out() returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update tenant.operator_access a set handed_at = clock_timestamp() from tenant.operator_grant g
      where g.account_id = a.account_id and g.id = a.grant_id and a.account_id = ctx.account()
        and a.id = nullif(current_setting('app.look', true), '')::uuid and a.object = 'file' and a.handed_at is null
        and a.at > clock_timestamp() - interval '1 minute'
        and a.transaction <> coalesce(pg_current_xact_id_if_assigned(), '0'::xid8) and desk.is_live(g)
      returning 1) select exists (select from done) $$;

-- Whether the handing out of a file goes on: not a piece of it after its grant is over, or
-- after the file was erased.
create function desk.goes_on(look uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select exists (select from tenant.operator_access a join tenant.operator_grant g on g.account_id = a.account_id
        and g.id = a.grant_id
      where a.account_id = ctx.account() and a.id = look and a.handed_at is not null and desk.is_live(g)
        and exists (select from tenant.attachment f where f.account_id = a.account_id and f.id = a.object_id)) $$;

revoke all on function desk.may_name, desk.listed_in, desk.listed, desk.name_files, desk.list_files, desk.has_seen, desk.files_of,
  desk.files_of_account, desk.whose, desk.hand_out, desk.goes_on from public;
grant execute on function desk.listed_in, desk.name_files, desk.list_files, desk.has_seen, desk.files_of, desk.whose, desk.hand_out,
  desk.goes_on to chatinbox_operator;
grant execute on function desk.files_of_account to chatinbox_app;
reset role;
