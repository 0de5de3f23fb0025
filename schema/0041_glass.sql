-- The glass box of the operator (clauses C34, C37, C38, C40): permissions that an account gives, what somebody who works for the
-- operator may look at and what they looked at, and the desk where courts and authorities are answered.
--
--   chatinbox_desk      owns the functions; nobody connects as it (made, as the others, by the migration runner)
--   chatinbox_operator  what the console connects as: it reads a row of an account only where a look that was written down, and
--                       committed, names that row, and while the grant behind that look is live. Without it, nothing
--   chatinbox_app       reads grants and looks, for the account's own page; it can make or change none
--
-- Clocks here are the database's: no caller says what time it is.
create schema desk authorization chatinbox_desk;
grant usage on schema desk to chatinbox_app, chatinbox_operator, chatinbox_owner;
grant usage on schema tenant, ctx to chatinbox_desk, chatinbox_operator;
set local role chatinbox_context;
grant execute on function ctx.account() to chatinbox_desk, chatinbox_operator;
reset role;
set local role chatinbox_owner;

-- A permission: who gave it, to whom, what for, which data, until when. Nothing of it can be changed but that it is taken back.
create table tenant.permission (
  account_id uuid not null references tenant.account,
  id uuid not null,
  staff_user_id uuid not null,
  receiver text not null check (receiver in ('support', 'address')),
  receiver_sealed bytea,
  receiver_blind bytea,
  purpose_sealed bytea not null check (octet_length(purpose_sealed) >= 39),
  object text not null check (object in ('conversation', 'customer', 'settings', 'account')),
  object_id uuid,
  fields text[] not null check (cardinality(fields) > 0),
  given_at timestamptz not null,
  until_at timestamptz not null,
  taken_back_at timestamptz,
  taken_back_by uuid,
  primary key (account_id, id),
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  foreign key (account_id, taken_back_by) references tenant.staff_user,
  check (until_at > given_at and until_at <= given_at + interval '366 days'),
  check ((receiver = 'address') = (receiver_sealed is not null) and (receiver_sealed is null) = (receiver_blind is null)),
  check (receiver <> 'support' or (object <> 'account' and until_at <= given_at + interval '7 days')),
  check ((object in ('conversation', 'customer')) = (object_id is not null))
);
create index permission_by_time on tenant.permission (account_id, given_at desc);
call work.protect('tenant.permission', 'select, insert');
grant update (taken_back_at, taken_back_by) on tenant.permission to chatinbox_app;

-- What leaves on a permission names it; the key makes another account's one as good as none.
alter table tenant.ledger add column permission_id uuid;
alter table tenant.ledger add constraint ledger_permission foreign key (account_id, permission_id) references tenant.permission;
alter table tenant.ledger add constraint ledger_permission_check check ((basis = 'permission') = (permission_id is not null));
-- What an order forbids to be told appears by itself on the day it ends.
alter table tenant.ledger add column shown_from timestamptz;
create policy shown on tenant.ledger as restrictive for select to chatinbox_app
  using (shown_from is null or shown_from <= clock_timestamp());
alter table tenant.ledger drop constraint ledger_gate_check;
alter table tenant.ledger add constraint ledger_gate_check check (gate in ('mail', 'http', 'mailbox', 'desk'));
alter table tenant.ledger add constraint ledger_shown_check
  check (shown_from is null or (gate = 'desk' and shown_from <= at + interval '366 days'));

-- A grant: who of the operator may look, at what, why, for how long. It opens when a second person said so, or half an hour
-- after it was asked for, or by a permission of the account, or by a case of the desk; and never for more than an hour.
create table tenant.operator_grant (
  account_id uuid not null references tenant.account,
  id uuid not null,
  ground text not null check (ground in ('terms', 'protection', 'permission', 'law', 'safety')),
  reason_sealed bytea not null check (octet_length(reason_sealed) >= 39),
  object text not null check (object in ('conversation', 'customer', 'settings', 'case')),
  object_id uuid,
  permission_id uuid,
  case_id uuid,
  asked_by uuid not null,
  asked_at timestamptz not null,
  minutes smallint not null check (minutes between 5 and 60),
  approved_by uuid,
  approved_at timestamptz,
  opens_at timestamptz,
  closes_at timestamptz,
  ended_at timestamptz,
  shown_from timestamptz,
  primary key (account_id, id),
  foreign key (account_id, permission_id) references tenant.permission,
  check ((object in ('conversation', 'customer')) = (object_id is not null)),
  check ((ground = 'permission') = (permission_id is not null)),
  check ((ground in ('law', 'safety')) = (case_id is not null) and (object = 'case') = (case_id is not null)),
  constraint operator_grant_two_people check (approved_by is distinct from asked_by),
  check ((approved_by is null) = (approved_at is null) and (opens_at is null) = (closes_at is null)),
  check (closes_at <= opens_at + interval '60 minutes'),
  check (opens_at is null or permission_id is not null or case_id is not null or opens_at >= asked_at + interval '30 minutes'
    or coalesce(opens_at >= approved_at, false)),
  check (shown_from is null or (case_id is not null and shown_from <= asked_at + interval '366 days'))
);
create index operator_grant_by_time on tenant.operator_grant (account_id, asked_at desc);
call work.protect('tenant.operator_grant', 'select');
create policy shown on tenant.operator_grant as restrictive for select to chatinbox_app
  using (shown_from is null or shown_from <= clock_timestamp());

-- What was looked at: each row by its id, written down and committed before it can be read. `transaction` is the one it was
-- written in, in which it opens nothing yet.
create table tenant.operator_access (
  account_id uuid not null,
  id uuid not null,
  grant_id uuid not null,
  person_id uuid not null,
  at timestamptz not null,
  object text not null check (object in ('conversation', 'customer', 'settings', 'account', 'billing', 'staff')),
  object_id uuid,
  customer_id uuid,
  rows jsonb not null,
  row_count integer not null,
  transaction xid8 not null,
  shown_from timestamptz,
  primary key (account_id, id),
  foreign key (account_id, grant_id) references tenant.operator_grant
);
create index operator_access_by_time on tenant.operator_access (account_id, at desc);
create index operator_access_of_grant on tenant.operator_access (account_id, grant_id);
call work.protect('tenant.operator_access', 'select');
create policy shown on tenant.operator_access as restrictive for select to chatinbox_app
  using (shown_from is null or shown_from <= clock_timestamp());

grant select on tenant.account, tenant.channel, tenant.customer, tenant.address, tenant.conversation, tenant.message, tenant.note,
  tenant.staff_user, tenant.billing, tenant.invoice, tenant.permission, tenant.operator_grant, tenant.operator_access
  to chatinbox_desk;
grant insert, update on tenant.operator_grant to chatinbox_desk;
grant insert on tenant.operator_access to chatinbox_desk;
grant select, update (outcome, reason) on tenant.ledger to chatinbox_desk;
grant select on tenant.erasure to chatinbox_desk;
grant update (purpose_sealed, taken_back_at) on tenant.permission to chatinbox_desk;
reset role;
set local role chatinbox_desk;

-- A case of the desk. What is said in it is sealed under the account's key. Two people check an order, and they differ; an order
-- that forbids to tell says until when, a year at most; what was released in an emergency is reviewed by another within three days.
create table desk.legal_case (
  id uuid primary key,
  account_id uuid not null,
  kind text not null check (kind in ('law', 'safety')),
  instrument text not null check (instrument in ('subpoena', 'court_order', 'warrant', 'authority_order', 'danger')),
  words_sealed bytea not null check (octet_length(words_sealed) >= 60),
  kinds text[] not null check (cardinality(kinds) > 0 and kinds <@ array['account', 'billing', 'staff', 'messages', 'notes']),
  object text not null check (object in ('conversation', 'customer', 'account')),
  object_id uuid,
  from_at timestamptz,
  to_at timestamptz,
  gag_until timestamptz,
  opened_by uuid not null,
  opened_at timestamptz not null,
  first_by uuid,
  first_at timestamptz,
  second_by uuid,
  second_at timestamptz,
  declined_by uuid,
  declined_at timestamptz,
  told_at timestamptz,
  released_by uuid,
  released_at timestamptz,
  digest bytea,
  review_due_at timestamptz,
  reviewed_by uuid,
  reviewed_at timestamptz,
  finding text check (finding in ('right', 'wrong')),
  check ((kind = 'safety') = (instrument = 'danger')),
  check ((object = 'account') = (object_id is null)),
  -- Content only where a judge or an emergency asks for it, and then of named things or of a named time.
  check (not kinds && array['messages', 'notes'] or (instrument in ('court_order', 'warrant', 'danger')
    and (object <> 'account' or (from_at is not null and to_at is not null)))),
  check (object = 'account' or kinds && array['messages', 'notes']),
  check (from_at is null or to_at is null or from_at < to_at),
  check (gag_until is null or (kind = 'law' and gag_until <= opened_at + interval '366 days')),
  constraint legal_case_two_people check (second_by is null or (first_by is not null and second_by <> first_by)),
  check ((first_by is null) = (first_at is null) and (second_by is null) = (second_at is null)),
  check (released_at is null or (declined_at is null and first_by is not null)),
  check (released_at is null or kind = 'safety' or (second_by is not null
    and (coalesce(told_at <= released_at, false) or coalesce(gag_until > released_at, false)))),
  check (kind <> 'safety' or released_at is null or coalesce(review_due_at <= released_at + interval '72 hours', false)),
  constraint legal_case_other_reviews check (reviewed_by is null or (reviewed_by <> released_by and finding is not null and reviewed_at is not null))
);

-- Whether a grant lets anybody look now: it is open, nobody ended it, and the permission behind it still stands.
create function desk.is_live(one tenant.operator_grant) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select coalesce(one.opens_at <= clock_timestamp() and one.closes_at > clock_timestamp(), false) and one.ended_at is null
        and (one.permission_id is null or exists (select from tenant.permission p where p.account_id = one.account_id
          and p.id = one.permission_id and p.taken_back_at is null and p.until_at > clock_timestamp())) $$;

-- The rows of one table that the look of this transaction names (`SET LOCAL app.look`). A look opens for a minute, and never in
-- the transaction that wrote it: what is taken back with that transaction was never read.
create function desk.rows(of_table text) returns setof uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select value::uuid from tenant.operator_access a
       join tenant.operator_grant g on g.account_id = a.account_id and g.id = a.grant_id
       cross join lateral jsonb_array_elements_text(coalesce(a.rows -> of_table, '[]'))
      where a.account_id = ctx.account() and a.id = nullif(current_setting('app.look', true), '')::uuid
        and a.at > clock_timestamp() - interval '1 minute'
        and a.transaction <> coalesce(pg_current_xact_id_if_assigned(), '0'::xid8) and desk.is_live(g) $$;

-- Whether the look of this transaction is one that a key is lent for.
create function desk.lends(kind text, subject uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select exists (select from tenant.operator_access a
       join tenant.operator_grant g on g.account_id = a.account_id and g.id = a.grant_id
      where a.account_id = ctx.account() and a.id = nullif(current_setting('app.look', true), '')::uuid
        and a.at > clock_timestamp() - interval '1 minute'
        and a.transaction <> coalesce(pg_current_xact_id_if_assigned(), '0'::xid8) and desk.is_live(g)
        and case kind when 'customer' then a.customer_id = subject
          when 'account' then a.object in ('settings', 'account', 'billing') and subject = a.account_id
          when 'person' then a.object = 'staff' and exists (select from tenant.staff_user s where s.account_id = a.account_id
            and s.person_id = subject and s.id in (select desk.rows('staff_user')))
          else false end) $$;

-- Asks to look at one thing of the account. Somebody who is alone waits half an hour; the account hears of it meanwhile.
create function desk.ask(new_id uuid, why text, reason bytea, what text, number bigint, by_person uuid, for_minutes integer, is_alone boolean)
  returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found record;
  moment timestamptz := clock_timestamp();
  opens timestamptz := case when is_alone then moment + interval '30 minutes' end;
begin
  if why not in ('terms', 'protection') then
    raise exception 'no ground for a grant' using errcode = '42501';
  end if;
  select c.id, c.customer_id into found from tenant.conversation c where c.account_id = ctx.account() and c.number = ask.number;
  if what <> 'settings' and found.id is null then
    raise exception 'there is no such conversation' using errcode = 'P0002';
  end if;
  insert into tenant.operator_grant (account_id, id, ground, reason_sealed, object, object_id, asked_by, asked_at, minutes,
      opens_at, closes_at)
    values (ctx.account(), new_id, why, reason, what,
      case what when 'conversation' then found.id when 'customer' then found.customer_id end, by_person, moment, for_minutes,
      opens, opens + make_interval(mins => for_minutes));
end $$;

-- Looks on a permission of the account: its scope, no other, and at once.
create function desk.ask_by_permission(new_id uuid, permission uuid, reason bytea, by_person uuid, for_minutes integer)
  returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  given tenant.permission;
  moment timestamptz := clock_timestamp();
begin
  select * into given from tenant.permission p where p.account_id = ctx.account() and p.id = permission
    and p.receiver = 'support' and p.taken_back_at is null and p.until_at > moment;
  if given.id is null then
    raise exception 'no such permission holds' using errcode = '42501';
  end if;
  insert into tenant.operator_grant (account_id, id, ground, reason_sealed, object, object_id, permission_id, asked_by, asked_at,
      minutes, opens_at, closes_at)
    values (ctx.account(), new_id, 'permission', reason, given.object, given.object_id, given.id, by_person, moment, for_minutes,
      moment, least(moment + make_interval(mins => for_minutes), given.until_at));
end $$;

-- The second person. The table refuses the one who asked. What nobody looked at for a day has to be asked for again.
create function desk.approve(grant_id uuid, by_person uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update tenant.operator_grant set approved_by = by_person, approved_at = moment, opens_at = moment,
       closes_at = moment + make_interval(mins => minutes) from (select clock_timestamp() as moment) at_once
      where account_id = ctx.account() and id = grant_id and ground in ('terms', 'protection') and approved_by is null
        and ended_at is null and asked_at > clock_timestamp() - interval '1 day'
        and coalesce(closes_at > clock_timestamp(), true) returning 1) select exists (select from done) $$;

create function desk.end_grant(grant_id uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update tenant.operator_grant set ended_at = clock_timestamp()
      where account_id = ctx.account() and id = grant_id and ended_at is null returning 1) select exists (select from done) $$;

-- Whether a grant covers one thing.
create function desk.covers(given tenant.operator_grant, what text, thing uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select case
       when given.object = 'case' then exists (select from desk.legal_case c where c.id = given.case_id
         and c.account_id = given.account_id and case what
           when 'account' then 'account' = any(c.kinds) when 'billing' then 'billing' = any(c.kinds)
           when 'staff' then 'staff' = any(c.kinds)
           when 'conversation' then c.kinds && array['messages', 'notes'] and exists (select from tenant.conversation t
             where t.account_id = given.account_id and t.id = thing and case c.object when 'conversation' then t.id = c.object_id
               when 'customer' then t.customer_id = c.object_id else true end)
           else false end)
       when what = 'conversation' then case given.object when 'conversation' then given.object_id = thing
         when 'customer' then exists (select from tenant.conversation t where t.account_id = given.account_id and t.id = thing
           and t.customer_id = given.object_id) else false end
       when what = 'customer' then given.object = 'customer' and given.object_id = thing
       when what = 'settings' then given.object = 'settings' else false end $$;

-- Writes down what is about to be read: every row by its id. Nothing else can be read by it, and nothing before it is committed.
create function desk.look(new_id uuid, by_grant uuid, what text, thing uuid, by_person uuid) returns integer
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
    found := jsonb_build_object('billing', jsonb_build_array(me),
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

-- The conversations that a case names: those in which something was said in its time.
create function desk.conversations_of(case_id uuid) returns setof uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select t.id from desk.legal_case c join tenant.conversation t on t.account_id = c.account_id
      where c.id = $1 and c.account_id = ctx.account() and c.kinds && array['messages', 'notes']
        and case c.object when 'conversation' then t.id = c.object_id when 'customer' then t.customer_id = c.object_id else true end
        and exists (select from tenant.message m where m.account_id = t.account_id and m.conversation_id = t.id
          and (c.from_at is null or m.at >= c.from_at) and (c.to_at is null or m.at < c.to_at))
      order by t.number $$;

create function desk.open_case(new_id uuid, its_kind text, by_instrument text, words bytea, of_kinds text[], what text, number bigint,
    since timestamptz, until_ timestamptz, gag timestamptz, by_person uuid)
  returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found record;
begin
  select c.id, c.customer_id into found from tenant.conversation c where c.account_id = ctx.account() and c.number = open_case.number;
  if ctx.account() is null or (what <> 'account' and found.id is null) then
    raise exception 'there is no such conversation' using errcode = 'P0002';
  end if;
  insert into desk.legal_case (id, account_id, kind, instrument, words_sealed, kinds, object, object_id, from_at, to_at, gag_until,
      opened_by, opened_at)
    values (new_id, ctx.account(), its_kind, by_instrument, words, of_kinds, what,
      case what when 'conversation' then found.id when 'customer' then found.customer_id end, since, until_, gag, by_person,
      clock_timestamp());
end $$;

-- Somebody checked the order: the first, or the second, who is another.
create function desk.check_case(case_id uuid, by_person uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update desk.legal_case set
         second_by = case when first_by is null then null else by_person end,
         second_at = case when first_by is null then null else clock_timestamp() end,
         first_by = coalesce(first_by, by_person), first_at = coalesce(first_at, clock_timestamp())
      where id = case_id and account_id = ctx.account() and second_by is null and declined_at is null and released_at is null
      returning 1) select exists (select from done) $$;

create function desk.decline_case(case_id uuid, by_person uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update desk.legal_case set declined_by = by_person, declined_at = clock_timestamp()
      where id = case_id and account_id = ctx.account() and declined_at is null and released_at is null
      returning 1) select exists (select from done) $$;

-- The account was told, as an order that forbade it did not or does no longer.
create function desk.mark_told(case_id uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update desk.legal_case set told_at = clock_timestamp()
      where id = case_id and account_id = ctx.account() and told_at is null and coalesce(gag_until <= clock_timestamp(), true)
      returning 1) select exists (select from done) $$;

-- Releases what a case names: from now on, for an hour at most, whoever released it may look at that, and at nothing else.
-- The table refuses what two people did not check, and what the account was not told of first.
create function desk.release_case(its_id uuid, new_grant uuid, reason bytea, by_person uuid) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found desk.legal_case;
  moment timestamptz := clock_timestamp();
begin
  update desk.legal_case set released_by = by_person, released_at = moment,
      first_by = case when kind = 'safety' then coalesce(first_by, by_person) else first_by end,
      first_at = case when kind = 'safety' then coalesce(first_at, moment) else first_at end,
      review_due_at = case when kind = 'safety' then moment + interval '72 hours' end
    where id = its_id and account_id = ctx.account() and released_at is null and declined_at is null returning * into found;
  if found.id is null then
    return false;
  end if;
  insert into tenant.operator_grant (account_id, id, ground, reason_sealed, object, case_id, asked_by, asked_at, minutes, opens_at,
      closes_at, shown_from)
    values (found.account_id, new_grant, found.kind, reason, 'case', found.id, by_person, moment, 60, moment,
      moment + interval '60 minutes', found.gag_until);
  return true;
end $$;

create function desk.finish_case(case_id uuid, its_digest bytea) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update desk.legal_case set digest = its_digest where id = case_id and account_id = ctx.account() and digest is null $$;

create function desk.review_case(case_id uuid, by_person uuid, what_was_found text) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with done as (update desk.legal_case set reviewed_by = by_person, reviewed_at = clock_timestamp(), finding = what_was_found
      where id = case_id and account_id = ctx.account() and kind = 'safety' and released_at is not null and reviewed_at is null
      returning 1) select exists (select from done) $$;

-- How a ledger row of the desk ended; one that is not shown yet cannot be changed by anybody else.
create function desk.settle(row_id uuid, how text, word text) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update tenant.ledger set outcome = how, reason = word where account_id = ctx.account() and id = row_id and gate = 'desk' $$;

-- Words about a customer whose erasure has begun are written over; a permission about them ends.
create function desk.forget_words(of_table text, row_id uuid, instead bytea) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from tenant.erasure where account_id = ctx.account() and begun_at is not null and done_at is null) then
    raise exception 'nobody is being erased' using errcode = '42501';
  end if;
  if of_table = 'operator_grant' then
    update tenant.operator_grant set reason_sealed = instead where account_id = ctx.account() and id = row_id and object_id is not null;
  else
    update tenant.permission set purpose_sealed = instead, taken_back_at = coalesce(taken_back_at, clock_timestamp())
      where account_id = ctx.account() and id = row_id and object_id is not null;
  end if;
end $$;

create function desk.cases() returns setof desk.legal_case
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from desk.legal_case order by opened_at desc limit 500 $$;

-- What an account sees of its cases: what was told, what was released to avert a danger, and what an order hid until a day that came.
create function desk.cases_of_account() returns setof desk.legal_case
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select * from desk.legal_case where account_id = ctx.account() and (told_at is not null or gag_until <= clock_timestamp()
       or (kind = 'safety' and released_at is not null)) order by opened_at desc limit 200 $$;

-- For everybody: how many in each year, of which kind, and how they ended. A secret one counts from the day it is none any more.
create function desk.counts() returns table (year integer, kind text, came bigint, given bigint, declined bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select extract(year from greatest(opened_at, gag_until))::integer, c.kind, count(*), count(released_at), count(declined_at)
       from desk.legal_case c where coalesce(gag_until <= clock_timestamp(), true) group by 1, 2 order by 1 desc, 2 $$;

-- Whose review is late: how many. For the operator, and for who proves the promise.
create function desk.late_reviews() returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select count(*) from desk.legal_case where review_due_at < clock_timestamp() and reviewed_at is null $$;

revoke all on desk.legal_case from public;
revoke all on all functions in schema desk from public;
grant execute on function desk.rows, desk.lends, desk.ask, desk.ask_by_permission, desk.approve, desk.end_grant, desk.look,
  desk.open_case, desk.check_case, desk.decline_case, desk.mark_told, desk.release_case, desk.finish_case, desk.review_case,
  desk.cases, desk.conversations_of, desk.late_reviews to chatinbox_operator;
grant execute on function desk.rows to chatinbox_owner;
grant execute on function desk.cases_of_account, desk.counts, desk.late_reviews, desk.settle, desk.forget_words to chatinbox_app;
reset role;
set local role chatinbox_owner;

-- The rows the operator's role may read: of these tables alone, and of them what its look names.
grant select on tenant.account, tenant.channel, tenant.customer, tenant.address, tenant.conversation, tenant.message, tenant.note,
  tenant.staff_user, tenant.billing, tenant.invoice to chatinbox_operator;
create policy operator on tenant.account as restrictive for select to chatinbox_operator using (account_id in (select desk.rows('account')));
create policy operator on tenant.billing as restrictive for select to chatinbox_operator using (account_id in (select desk.rows('billing')));
create policy operator on tenant.channel as restrictive for select to chatinbox_operator using (id in (select desk.rows('channel')));
create policy operator on tenant.customer as restrictive for select to chatinbox_operator using (id in (select desk.rows('customer')));
create policy operator on tenant.address as restrictive for select to chatinbox_operator using (id in (select desk.rows('address')));
create policy operator on tenant.conversation as restrictive for select to chatinbox_operator using (id in (select desk.rows('conversation')));
create policy operator on tenant.message as restrictive for select to chatinbox_operator using (id in (select desk.rows('message')));
create policy operator on tenant.note as restrictive for select to chatinbox_operator using (id in (select desk.rows('note')));
create policy operator on tenant.staff_user as restrictive for select to chatinbox_operator using (id in (select desk.rows('staff_user')));
create policy operator on tenant.invoice as restrictive for select to chatinbox_operator using (id in (select desk.rows('invoice')));
reset role;
