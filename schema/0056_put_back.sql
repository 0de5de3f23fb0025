-- What stood when an older copy was put back stands again. The ledger beside the database knows its ids and times, not on which
-- ground, in whose words and by whom: that is said so, and nobody is named for it.
set local role chatinbox_owner;

alter table tenant.restriction alter column staff_user_id drop not null,
  drop constraint restriction_ground_check, drop constraint restriction_check,
  add constraint restriction_ground_check check (ground in ('accuracy', 'unlawful', 'claims', 'objection', 'restored')),
  add constraint restriction_by_check check ((staff_user_id is null) = (ground = 'restored')),
  add constraint restriction_ended_check check (ended_by is null or ended_at is not null);

alter table tenant.hold alter column staff_user_id drop not null,
  drop constraint hold_ground_check, drop constraint hold_check1,
  add constraint hold_ground_check check (ground in ('claims', 'law', 'authority', 'contract', 'restored')),
  add constraint hold_by_check check ((staff_user_id is null) = (ground = 'restored')),
  add constraint hold_ended_check check (ended_by is null or ended_at is not null);
reset role;
