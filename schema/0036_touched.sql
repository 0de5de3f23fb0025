-- Which accounts a breach touched, and when each was told: the operator's own record (GDPR Art. 33(5)), ids and times only, read
-- in one statement however many accounts there are. What of an account was touched stays with the account.
set local role chatinbox_owner;

create table work.touched (
  breach_id uuid not null references work.breach,
  account_id uuid not null,
  told_at timestamptz,
  primary key (breach_id, account_id)
);
grant select, insert on work.touched to chatinbox_app;
grant update (told_at) on work.touched to chatinbox_app;

alter table tenant.breach_notice no force row level security;
insert into work.touched (breach_id, account_id, told_at) select breach_id, account_id, told_at from tenant.breach_notice;
alter table tenant.breach_notice force row level security;
alter table tenant.breach_notice drop column told_at;
reset role;
