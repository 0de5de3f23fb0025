-- What is recorded about the work of staff, and nothing else: the kinds are enumerated here. No keystrokes, screens,
-- pages or devices, and no address of any machine. Ids, times and counts of seconds only; gone after thirteen months.
set local role chatinbox_owner;

-- One row a sign-in, an end of a session, an answer, a note, a conversation done, an assignment.
-- `session_id` pairs a sign-in with its end. `seconds`: from the customer's first words to this, for the first answer
-- of a conversation and for done. No key to the conversation: what was counted stays counted when a customer is erased.
create table tenant.staff_record (
  account_id uuid not null references tenant.account,
  id uuid not null,
  kind text not null check (kind in ('sign_in', 'session_end', 'answer', 'note', 'done', 'assignment')),
  staff_user_id uuid not null,
  how text check (how in ('password', 'passkey', 'sso')),
  session_id uuid,
  conversation_id uuid,
  channel_id uuid,
  seconds bigint check (seconds >= 0),
  at timestamptz not null,
  primary key (account_id, id),
  check ((kind = 'sign_in') = (how is not null)),
  check ((kind in ('sign_in', 'session_end')) = (session_id is not null)),
  check ((kind in ('sign_in', 'session_end')) = (conversation_id is null)),
  check (seconds is null or kind in ('answer', 'done')),
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
create index staff_record_by_time on tenant.staff_record (account_id, kind, at);
call work.protect('tenant.staff_record');

-- When somebody worked with the inbox: from its first sign of life to the last. Extended in place.
create table tenant.staff_activity (
  account_id uuid not null references tenant.account,
  id uuid not null,
  staff_user_id uuid not null,
  began_at timestamptz not null,
  last_at timestamptz not null,
  primary key (account_id, id),
  check (last_at >= began_at),
  foreign key (account_id, staff_user_id) references tenant.staff_user
) with (fillfactor = 80);
create index staff_activity_by_time on tenant.staff_activity (account_id, began_at);
call work.protect('tenant.staff_activity');

-- Who looked at whose lines, and when; `staff_user_id` null: at everybody's.
create table tenant.report_view (
  account_id uuid not null references tenant.account,
  id uuid not null,
  viewer_id uuid not null,
  staff_user_id uuid,
  report text not null check (report in ('sign-ins', 'activity', 'work', 'person')),
  at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, viewer_id) references tenant.staff_user,
  foreign key (account_id, staff_user_id) references tenant.staff_user
);
create index report_view_by_time on tenant.report_view (account_id, at desc, id desc);
call work.protect('tenant.report_view', 'select, insert, delete');

reset role;
set local role chatinbox_directory;

-- Which sessions end, and whose they are: the account's record of it.
drop function directory.end_session(uuid, uuid, timestamptz);
create function directory.end_session(uuid, uuid, timestamptz) returns table (id uuid, account_id uuid, staff_user_id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session s set ended_at = $3 where s.person_id = $1 and s.id = $2 and s.ended_at is null
     returning s.id, s.account_id, s.staff_user_id $$;
drop function directory.end_other_sessions(uuid, uuid, timestamptz);
create function directory.end_other_sessions(uuid, uuid, timestamptz) returns table (id uuid, account_id uuid, staff_user_id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session s set ended_at = $3 where s.person_id = $1 and s.id is distinct from $2 and s.ended_at is null
     returning s.id, s.account_id, s.staff_user_id $$;
drop function directory.end_sessions_in(uuid, uuid, timestamptz);
create function directory.end_sessions_in(uuid, uuid, timestamptz) returns table (id uuid, account_id uuid, staff_user_id uuid)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ update directory.session s set ended_at = $3 where s.person_id = $1 and s.account_id = $2 and s.ended_at is null
     returning s.id, s.account_id, s.staff_user_id $$;
-- Removes sessions that ended or ran out before a moment; returns those that ran out, with when.
drop function directory.forget_sessions(timestamptz);
create function directory.forget_sessions(timestamptz) returns table (id uuid, account_id uuid, staff_user_id uuid, at timestamptz)
  language sql security definer set search_path = pg_catalog, pg_temp as
  $$ with gone as (delete from directory.session s where s.ended_at < $1 or s.expires_at < $1
       returning s.id, s.account_id, s.staff_user_id, s.expires_at, s.ended_at)
     select g.id, g.account_id, g.staff_user_id, g.expires_at from gone g where g.ended_at is null $$;

revoke all on all functions in schema directory from public;
grant execute on all functions in schema directory to chatinbox_app;
