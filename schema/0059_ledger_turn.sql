-- What waits for the chain of what left comes into it, of each row of the ledger, in the order it was written, not by the clock
-- that its id carries: a clock steps back, and those of several processes differ. Who writes how a row ended holds it locked when
-- the turn is counted, so of two endings the later has the later turn. Counted for each row alone: a number that all accounts
-- draw from would tell one how much the others do.
set local role chatinbox_owner;
alter table tenant.ledger_waiting no force row level security;
alter table tenant.ledger_waiting add column turn integer not null default 1;
update tenant.ledger_waiting w set turn = o.turn
  from (select account_id, id, row_number() over (partition by account_id, row_id order by id) as turn from tenant.ledger_waiting) o
 where w.account_id = o.account_id and w.id = o.id;
create index ledger_waiting_of_row on tenant.ledger_waiting (account_id, row_id);
alter table tenant.ledger_waiting force row level security;
reset role;
