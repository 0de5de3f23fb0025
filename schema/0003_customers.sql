-- Customers and how they are reached. Every word about a customer is sealed under the customer's own key.
set local role chatinbox_owner;

create table tenant.customer (
  account_id uuid not null references tenant.account,
  id uuid not null,
  name_sealed bytea,
  language text,
  merged_into uuid,
  created_at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, merged_into) references tenant.customer
);
call work.protect('tenant.customer');

create table tenant.address (
  account_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  kind text not null check (kind in ('email', 'phone', 'external')),
  value_sealed bytea not null,
  proven_at timestamptz,
  created_at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, customer_id) references tenant.customer
);
create index address_of_customer on tenant.address (account_id, customer_id);
call work.protect('tenant.address');

-- Side table, rebuilt at restore: which customer a proven address belongs to. An address that a chat visitor
-- merely typed never stands here, so nobody is merged into someone else by claiming an address.
create table tenant.address_lookup (
  account_id uuid not null,
  kind text not null,
  blind bytea not null,
  customer_id uuid not null,
  primary key (account_id, kind, blind),
  foreign key (account_id, customer_id) references tenant.customer
);
create index address_lookup_of_customer on tenant.address_lookup (account_id, customer_id);
call work.protect('tenant.address_lookup');
