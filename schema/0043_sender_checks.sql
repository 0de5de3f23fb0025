-- What could be checked about who sent a letter, in one word; which domain vouched, and how, is in the sealed body. Letters that
-- came before have none.
set local role chatinbox_owner;
alter table tenant.message add column sender_check text
  check (sender_check in ('vouched', 'nobody', 'denied', 'unchecked'));
alter table tenant.message add check (sender_check is null or (author = 'customer' and via = 'email'));

-- What is known of a customer may come from a letter that a colleague forwarded; its source is the staff user.
alter table tenant.address drop constraint address_source_check, add constraint address_source_check
  check (source in ('staff', 'channel', 'forward', 'colleague', 'import', 'sync', 'api', 'earlier'));
alter table tenant.customer
  drop constraint customer_name_source_check, add constraint customer_name_source_check
    check (name_source in ('staff', 'channel', 'forward', 'colleague', 'import', 'sync', 'api', 'earlier')),
  drop constraint customer_language_source_check, add constraint customer_language_source_check
    check (language_source in ('staff', 'channel', 'forward', 'colleague', 'import', 'sync', 'api', 'earlier'));
