-- Whatever is known of a customer says from where: who of the staff noted it, or by which channel it came, and when.
-- A field without its source cannot be written. What was there before has `earlier`; nothing new can.
set local role chatinbox_owner;

alter table tenant.address
  add column source text not null default 'earlier'
    check (source in ('staff', 'channel', 'forward', 'import', 'sync', 'api', 'earlier')),
  add column source_id uuid,
  add check ((source in ('import', 'sync', 'earlier')) = (source_id is null));
alter table tenant.address alter column source drop default;

alter table tenant.customer
  add column name_source text default 'earlier'
    check (name_source in ('staff', 'channel', 'forward', 'import', 'sync', 'api', 'earlier')),
  add column name_source_id uuid,
  add column name_sourced_at timestamptz,
  add column language_source text default 'earlier'
    check (language_source in ('staff', 'channel', 'forward', 'import', 'sync', 'api', 'earlier')),
  add column language_source_id uuid,
  add column language_sourced_at timestamptz,
  add check (name_sealed is null or name_source is not null),
  add check (name_source is null or name_source = 'earlier' or name_sourced_at is not null),
  add check (name_source is null or (name_source in ('import', 'sync', 'earlier')) = (name_source_id is null)),
  add check (language is null or language_source is not null),
  add check (language_source is null or language_source = 'earlier' or language_sourced_at is not null),
  add check (language_source is null or (language_source in ('import', 'sync', 'earlier')) = (language_source_id is null));
alter table tenant.customer alter column name_source drop default, alter column language_source drop default;
