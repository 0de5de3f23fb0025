-- From before there was a chain of what left, what an order hid still waits to be told, for a year at most. It waited without a
-- seal, so whoever has the database could have put more of it beside. The migration runner seals what it finds now, once, with what
-- it says (core/egress/hidden.py); from here on nothing waits unsealed that the program's role wrote.
set local role chatinbox_owner;
alter table tenant.ledger_waiting drop constraint ledger_waiting_check;
alter table tenant.ledger_waiting add constraint ledger_waiting_check
  check ((commitment is null) = (seal is null) and (part = 'earlier' or seal is not null));
create policy sealed on tenant.ledger_waiting as restrictive for insert to chatinbox_app with check (seal is not null);
reset role;
