-- Somebody whom their company's provider deleted: let go here, with what they wrote, and no longer shown to the provider.
set local role chatinbox_owner;
alter table tenant.staff_user add column provider_gone_at timestamptz;
