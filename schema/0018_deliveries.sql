-- A delivery is made from its message's event by who hears it, so that storing an answer does less. The first one of a
-- message carries the message's id: making it again changes nothing.
set local role chatinbox_owner;

-- Not to be tried before this time; null: at once.
alter table tenant.delivery add column due_at timestamptz;
create index delivery_due on tenant.delivery (account_id, id) where state in ('waiting', 'sending');

-- A deed's row is made from its event, and an event's ids need no keys: two rows were looked up and locked at each deed.
alter table tenant.staff_record drop constraint staff_record_account_id_fkey;
alter table tenant.staff_record drop constraint staff_record_account_id_staff_user_id_fkey;
