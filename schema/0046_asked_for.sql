-- Two more ways in which somebody of the business asks for a letter to a customer: a staff user by an act on a page of settings
-- (their word to a customer about that customer's rights), and the agreement's standing instruction to answer a person's own
-- request, by the case of that person. What leaves on a permission was asked for by who gave it.
set local role chatinbox_owner;

alter table tenant.ledger drop constraint ledger_asked_check;
alter table tenant.ledger add constraint ledger_asked_check check (
  (asked_by is null or asked_by in ('staff', 'act', 'request', 'rule', 'setting', 'earlier'))
  and (asked_id is not null) = coalesce(asked_by in ('staff', 'act', 'request', 'rule', 'setting'), false)
  and (asked_by is not null or permission_id is not null or gate <> 'mail' or subject_kind <> 'customer'));

-- As before, and: the staff user works in the account; the case is this customer's and open.
create or replace function work.is_asked_for(account uuid, customer uuid, asked text, by uuid) returns boolean
  language sql stable set search_path = tenant, pg_temp as $$
  select case asked
    when 'staff' then exists (
      select from message m
        join conversation c on c.account_id = m.account_id and c.id = m.conversation_id
        join staff_user u on u.account_id = m.account_id and u.id = m.staff_user_id
       where m.account_id = account and m.id = by and m.author = 'staff' and c.customer_id = customer)
    when 'act' then exists (select from staff_user u where u.account_id = account and u.id = by and u.deactivated_at is null)
    when 'request' then exists (select from data_case d where d.account_id = account and d.id = by and d.customer_id = customer)
    when 'setting' then exists (
      select from channel h
        join conversation c on c.account_id = h.account_id and c.channel_id = h.id
       where h.account_id = account and h.id = by and h.closed_at is null and c.customer_id = customer)
    else false end $$;
