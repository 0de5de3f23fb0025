-- Nothing goes to a customer that nobody of the business asked for (C45): a message out has somebody who wrote it, and a
-- letter to a customer has a line in the ledger only with whoever asked for it.
set local role chatinbox_owner;

alter table tenant.message add constraint message_has_its_writer check (author = 'customer' or staff_user_id is not null);

-- By whom: staff, by a message they wrote; a rule of the business; a setting of it, by the channel it holds for. Letters that
-- left before this was written down are `earlier`, and none is any more.
alter table tenant.ledger add column asked_by text;
alter table tenant.ledger add column asked_id uuid;
alter table tenant.ledger no force row level security;
update tenant.ledger set asked_by = 'earlier' where gate = 'mail' and subject_kind = 'customer';
alter table tenant.ledger force row level security;
alter table tenant.ledger add constraint ledger_asked_check check (
  (asked_by is null or asked_by in ('staff', 'rule', 'setting', 'earlier'))
  and (asked_id is not null) = coalesce(asked_by in ('staff', 'rule', 'setting'), false)
  and (asked_by is not null or gate <> 'mail' or subject_kind <> 'customer'));

-- Whether somebody of the business asked for a letter to this customer: the message is of staff of the account and in a
-- conversation of this customer; the setting's channel is open and this customer wrote by it. There are no rules yet.
create function work.is_asked_for(account uuid, customer uuid, asked text, by uuid) returns boolean
  language sql stable set search_path = tenant, pg_temp as $$
  select case asked
    when 'staff' then exists (
      select from message m
        join conversation c on c.account_id = m.account_id and c.id = m.conversation_id
        join staff_user u on u.account_id = m.account_id and u.id = m.staff_user_id
       where m.account_id = account and m.id = by and m.author = 'staff' and c.customer_id = customer)
    when 'setting' then exists (
      select from channel h
        join conversation c on c.account_id = h.account_id and c.channel_id = h.id
       where h.account_id = account and h.id = by and h.closed_at is null and c.customer_id = customer)
    else false end $$;
revoke all on function work.is_asked_for(uuid, uuid, text, uuid) from public;
grant execute on function work.is_asked_for(uuid, uuid, text, uuid) to chatinbox_app;
