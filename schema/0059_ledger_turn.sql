-- What waits for the chain of what left comes into it in the order it was written, not by the clock that its id carries: a clock
-- steps back, and those of several processes differ. Of one row of the ledger, who writes how it ended holds it locked when the
-- turn is drawn, so of two endings the later has the later turn.
set local role chatinbox_owner;
alter table tenant.ledger_waiting no force row level security;
alter table tenant.ledger_waiting add column turn bigint;
update tenant.ledger_waiting w set turn = o.turn
  from (select account_id, id, row_number() over (order by id) as turn from tenant.ledger_waiting) o
 where w.account_id = o.account_id and w.id = o.id;
alter table tenant.ledger_waiting alter column turn set not null;
alter table tenant.ledger_waiting alter column turn add generated always as identity;
select setval(pg_get_serial_sequence('tenant.ledger_waiting', 'turn'), (select coalesce(max(turn), 0) + 1 from tenant.ledger_waiting), false);
alter table tenant.ledger_waiting force row level security;
reset role;
