-- Whom the bills of an account go to, where it named somebody: an address and a name, sealed for the account.
set local role chatinbox_owner;

alter table tenant.billing add column addressee_sealed bytea;
