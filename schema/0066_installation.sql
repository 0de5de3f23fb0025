-- Of which installation this database is: an id, and what only the root key of that installation makes of it
-- (docs/decisions/0043-what-a-start-believes.md). The keystore says the same of itself. Nobody but migrations reads it.
create table migration.installation (
  only_one boolean primary key default true check (only_one),
  id uuid not null,
  proof bytea not null
);
revoke all on migration.installation from public;

-- How late it was when last looked: the newest time that the program was sure of, since when it is not sure, and until when
-- nothing is destroyed by a clock alone, after a start that came late. One row; no person in it.
set local role chatinbox_owner;
create table work.clock (
  only_one boolean primary key default true check (only_one),
  seen_at timestamptz not null,
  doubted_at timestamptz,
  waits_until timestamptz,
  confirmed_at timestamptz
);
grant select, insert, update on work.clock to chatinbox_app;
