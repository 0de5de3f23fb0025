-- A link may also stand for a wish about one's own data (clause C57): it goes to the address somebody is known by, and only who
-- opens it has a wish.
alter table directory.link drop constraint link_purpose_check;
alter table directory.link add constraint link_purpose_check
  check (purpose in ('confirm', 'reset', 'invitation', 'setup', 'wish'));
