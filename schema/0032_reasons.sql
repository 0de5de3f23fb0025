-- Whatever leaves has one of seven reasons and no other (C33a), letters too. What stood there for letters was the occasion,
-- which is an instruction: what was asked for, and by whom.
set local role chatinbox_owner;

alter table tenant.ledger no force row level security;
update tenant.ledger set instruction = case when basis = 'contract' then instruction else basis end, basis = 'service' where gate = 'mail';
alter table tenant.ledger force row level security;
alter table tenant.ledger drop constraint ledger_basis_check;
alter table tenant.ledger add constraint ledger_basis_check
  check (basis in ('permission', 'service', 'integration', 'subprocessor', 'law', 'rights', 'fraud'));
