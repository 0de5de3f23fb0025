-- A session says how it began, and goes on in another account of the same person with how, since when and how lately
-- proven unchanged. What an account's own sign-on vouched for is good in that account alone; of sessions older than this
-- nobody knows, so they are taken for such.
set local role chatinbox_directory;

alter table directory.session add column how text not null default 'sso' check (how in ('password', 'passkey', 'sso'));
alter table directory.session alter column how drop default;

drop function directory.find_session(bytea, timestamptz);
create function directory.find_session(bytea, timestamptz)
  returns table (id uuid, person_id uuid, account_id uuid, staff_user_id uuid, seen_at timestamptz, proven_at timestamptz,
    limited_at timestamptz, created_at timestamptz, how text)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, person_id, account_id, staff_user_id, seen_at, proven_at, limited_at, created_at, how from directory.session
      where token_hash = $1 and ended_at is null and expires_at > $2 $$;
drop function directory.add_session(uuid, bytea, uuid, uuid, uuid, bytea, timestamptz, timestamptz, timestamptz);
create function directory.add_session(id uuid, token_hash bytea, person_id uuid, account_id uuid, staff_user_id uuid,
    device_sealed bytea, created_at timestamptz, seen_at timestamptz, expires_at timestamptz, proven_at timestamptz,
    limited_at timestamptz, how text) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.session (id, token_hash, person_id, account_id, staff_user_id, device_sealed, created_at,
       seen_at, expires_at, proven_at, limited_at, how) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
