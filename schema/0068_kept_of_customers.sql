-- A letter that is kept for a customer points at them: none is kept of somebody who was erased while it was written. What an
-- earlier version left so is under a key that is gone; it goes.
set local role chatinbox_owner;
alter table tenant.kept_mail no force row level security;
alter table tenant.customer no force row level security;
delete from tenant.kept_mail k where k.subject_kind = 'customer'
  and not exists (select from tenant.customer c where c.account_id = k.account_id and c.id = k.subject_id);
alter table tenant.kept_mail
  add column customer_id uuid generated always as (case when subject_kind = 'customer' then subject_id end) stored,
  add constraint kept_mail_of_customer foreign key (account_id, customer_id) references tenant.customer (account_id, id);
create index kept_mail_by_customer on tenant.kept_mail (account_id, customer_id) where customer_id is not null;
alter table tenant.kept_mail force row level security;
alter table tenant.customer force row level security;
reset role;
