-- A sign-up that a page took, before anybody looks whether the address is known (docs/decisions/0044-a-sign-up-is-promised-first.md).
-- Its id becomes the person's where nobody has the address, its account_id the account's; `ended_at`: it becomes nothing, and its
-- two keys go before the row does.
set local role chatinbox_directory;
create table directory.promised_sign_up (
  id uuid primary key,
  account_id uuid not null,
  words_sealed bytea not null,
  origin_sealed bytea,
  asked_at timestamptz not null,
  ended_at timestamptz
);
create index promised_sign_up_of_account on directory.promised_sign_up (account_id);

create function directory.add_promised_sign_up(uuid, uuid, bytea, bytea, timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ insert into directory.promised_sign_up values ($1, $2, $3, $4, $5) $$;
create function directory.read_promised_sign_up(uuid)
  returns table (account_id uuid, words_sealed bytea, origin_sealed bytea, ended_at timestamptz, stands boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select account_id, words_sealed, origin_sealed, ended_at, exists (select from directory.person p where p.id = s.id)
       from directory.promised_sign_up s where s.id = $1 $$;
create function directory.promised_sign_ups_before(timestamptz) returns table (id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id from directory.promised_sign_up where asked_at < $1 order by asked_at limit 200 $$;

-- The person of it, in the transaction that makes their account. Who ends it meanwhile waits, or is waited for: never is a key
-- destroyed that an account was sealed under. Raises unique_violation where somebody has the address.
create function directory.add_promised_person(uuid, bytea, bytea, bytea, bytea, timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from directory.promised_sign_up where id = $1 and ended_at is null for update;
  if not found then
    raise exception 'this sign-up has ended' using errcode = 'no_data_found';
  end if;
  insert into directory.person (id, email_blind, email_sealed, name_sealed, password_sealed, created_at)
    values ($1, $2, $3, $4, $5, $6);
end $$;
-- It becomes nothing. Raises no_data_found where it has, or was ended.
create function directory.end_promised_sign_up(uuid, timestamptz) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update directory.promised_sign_up s set ended_at = $2
    where s.id = $1 and s.ended_at is null and not exists (select from directory.person p where p.id = s.id);
  if not found then
    raise exception 'this sign-up has ended' using errcode = 'no_data_found';
  end if;
end $$;
create function directory.end_promised_sign_ups(before timestamptz, at timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.promised_sign_up s set ended_at = $2
      where s.asked_at < $1 and s.ended_at is null and not exists (select from directory.person p where p.id = s.id) $$;
-- The row goes. Raises no_data_found where another did it, so that only one letter is written.
create function directory.forget_promised_sign_up(uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from directory.promised_sign_up where id = $1;
  if not found then
    raise exception 'this sign-up has ended' using errcode = 'no_data_found';
  end if;
end $$;
-- What became an account and could not be brought to its end.
create function directory.forget_promised_sign_ups(timestamptz) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ delete from directory.promised_sign_up s
      where s.asked_at < $1 and exists (select from directory.person p where p.id = s.id) $$;

create function directory.is_only_account(uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select not exists (select from directory.account where account_id <> $1) $$;
-- Somebody is found by the keyed hash of their address's normal form, the first of these, or of the form it was kept in before:
-- `is_normal` says which, because what was kept apart less well has to be looked at.
drop function directory.find_person(bytea);
create function directory.find_person(bytea[])
  returns table (id uuid, password_sealed bytea, confirmed_at timestamptz, email_sealed bytea, is_normal boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select id, password_sealed, confirmed_at, email_sealed, email_blind = $1[1] from directory.person
      where email_blind = any($1) order by email_blind = $1[1] desc $$;
drop function directory.is_held_back(bytea, timestamptz);
create function directory.is_held_back(bytea[], timestamptz) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as
  $$ select exists (select from directory.address_change
      where old_blind = any($1) and confirmed_at is not null and stopped_at is null and expires_at > $2) $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
reset role;
