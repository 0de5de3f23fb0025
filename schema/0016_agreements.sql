-- What an account agreed to, and who accepted what when they joined. No account without its agreement: the reference
-- is checked at commit, so account and agreement can only come together (GDPR Art. 28(3)).
set local role chatinbox_owner;

-- The business's own agreement: the seals of the three documents as they stood when it was made.
create table tenant.agreement (
  account_id uuid not null references tenant.account,
  id uuid not null,
  staff_user_id uuid,
  made_by text not null check (made_by in ('sign_up', 'renewal', 'upgrade')),
  terms_seal text,
  privacy_seal text,
  dpa_seal text,
  at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, staff_user_id) references tenant.staff_user,
  -- Accounts that are older than agreements were taken over: nobody accepted anything, and the row says so.
  check ((made_by = 'upgrade') = (staff_user_id is null)),
  check ((made_by = 'upgrade') = (terms_seal is null and privacy_seal is null and dpa_seal is null)),
  check (num_nulls(terms_seal, privacy_seal, dpa_seal) in (0, 3))
);

-- Somebody who works in an account accepted terms and privacy policy when they joined.
create table tenant.acceptance (
  account_id uuid not null references tenant.account,
  id uuid not null,
  staff_user_id uuid not null,
  terms_seal text not null,
  privacy_seal text not null,
  at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, staff_user_id, terms_seal, privacy_seal),
  foreign key (account_id, staff_user_id) references tenant.staff_user
);

-- The one network address outside the security log: where a sign-up came from. The app writes it and cannot read it.
create table tenant.sign_up_origin (
  account_id uuid not null references tenant.account,
  id uuid not null,
  purpose text not null check (purpose = 'account_creation_record'),
  ip_sealed bytea not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id)
);

alter table tenant.account add column agreement_id uuid;
-- The owner of the tables is bound by row security too; for these two statements it is not.
alter table tenant.account no force row level security;
insert into tenant.agreement (account_id, id, made_by, at)
  select account_id, gen_random_uuid(), 'upgrade', now() from tenant.account;
update tenant.account a set agreement_id = g.id from tenant.agreement g where g.account_id = a.account_id;
alter table tenant.account force row level security;
alter table tenant.account alter column agreement_id set not null;
alter table tenant.account add constraint account_has_agreement
  foreign key (account_id, agreement_id) references tenant.agreement (account_id, id) deferrable initially deferred;

call work.protect('tenant.agreement', 'select, insert');
call work.protect('tenant.acceptance', 'select, insert');
call work.protect('tenant.sign_up_origin', 'insert');
