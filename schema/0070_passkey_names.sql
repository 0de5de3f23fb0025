-- What a person calls one of their passkeys can be changed, as every other word of theirs.
set local role chatinbox_directory;

create function directory.rename_passkey(uuid, uuid, bytea) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with renamed as (update directory.passkey set name_sealed = $3 where person_id = $1 and id = $2 returning 1)
     select exists (select from renamed) $$;
revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
reset role;
