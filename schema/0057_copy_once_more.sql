-- A person whose copy went with a conversation in it, by a rule, gets another copy and letter. Where erasing follows, their days to
-- fetch one are counted from the first letter, so that no rule puts the erasing off.
set local role chatinbox_owner;
alter table tenant.data_case add column copy_first_sent_at timestamptz;
alter table tenant.data_case no force row level security;
update tenant.data_case set copy_first_sent_at = copy_sent_at where copy_sent_at is not null;
alter table tenant.data_case force row level security;

-- Whoever has their answer may ask anew, although the case waits for the copy to be fetched.
drop index tenant.data_case_open;
create unique index data_case_open on tenant.data_case (account_id, customer_id, wish)
  where closed_at is null and (copy_first_sent_at is null or granted = 'both');
reset role;
