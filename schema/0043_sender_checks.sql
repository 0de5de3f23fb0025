-- What could be checked about who sent a letter, in one word; which domain vouched, and how, is in the sealed body. Letters that
-- came before have none.
set local role chatinbox_owner;
alter table tenant.message add column sender_check text
  check (sender_check in ('vouched', 'nobody', 'denied', 'unchecked'));
alter table tenant.message add check (sender_check is null or (author = 'customer' and via = 'email'));
