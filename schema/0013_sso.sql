-- What leaves by HTTP stands in the ledger too: for the account as such, to a recipient of the register or one the
-- account chose, on one of six bases and no other (C33a), and also what we withheld.
set local role chatinbox_owner;

alter table tenant.ledger drop constraint ledger_subject_kind_check;
alter table tenant.ledger add constraint ledger_subject_kind_check check (subject_kind in ('customer', 'person', 'account'));
alter table tenant.ledger drop constraint ledger_outcome_check;
alter table tenant.ledger add constraint ledger_outcome_check
  check (outcome in ('begun', 'taken', 'refused', 'unreachable', 'withheld'));
alter table tenant.ledger add column named text;
alter table tenant.ledger add column reason text;
alter table tenant.ledger add constraint ledger_basis_check
  check (gate <> 'http' or basis in ('permission', 'integration', 'subprocessor', 'law', 'rights', 'fraud'));
