"""The reference: the leanest SQL that does the same to the same tables, driven straight at PostgreSQL by pgbench as the
superuser (no sealing, no row security, no feed, no outbox), sixteen connections, prepared and planned once. It touches as
many conversations as the app's load does: whoever touches few finds all of it warm. Fixed here, never tuned.
"""

import os
import random
import re
import subprocess
from pathlib import Path

from bench.fill import Account
from chatinbox.core.postgres import Cluster

CLIENTS = 16
PICKS = 1500

POST = """
with c as (update tenant.conversation set position = position + 1, last_at = now(), status = 'waiting',
  preview_sealed = decode('{preview}', 'hex') where account_id = {account} and id = {conversation} returning position)
insert into tenant.message (account_id, id, conversation_id, position, author, staff_user_id, via, origin, body_sealed, at)
select {account}, gen_random_uuid(), {conversation}, position, 'staff', {staff}, 'email', 'written', decode('{body}', 'hex'), now() from c;
"""
LIST = """
select p.id, p.number, p.customer_id, p.channel_id, p.via, p.subject_sealed, p.preview_sealed, p.preview_by, p.status, p.last_at,
  p.assignee_id, p.position, p.feed, cu.name_sealed, s.position, d.revision,
  array(select t.tag_id from tenant.conversation_tag t where t.account_id = p.account_id and t.conversation_id = p.id) from
 (select * from tenant.conversation where account_id = {account} and spam_at is null order by last_at desc, id desc limit 50) p
 join tenant.customer cu on cu.account_id = p.account_id and cu.id = p.customer_id
 left join tenant.seen s on s.account_id = p.account_id and s.staff_user_id = {staff} and s.conversation_id = p.id
 left join tenant.draft d on d.account_id = p.account_id and d.staff_user_id = {staff} and d.conversation_id = p.id
 order by p.last_at desc, p.id desc;
"""
CONVERSATION = """
select p.*, cu.name_sealed, s.position from tenant.conversation p
 join tenant.customer cu on cu.account_id = p.account_id and cu.id = p.customer_id
 left join tenant.seen s on s.account_id = p.account_id and s.staff_user_id = {staff} and s.conversation_id = p.id
 where p.account_id = {account} and p.id = {conversation};
select m.id, m.position, m.at, m.author, m.staff_user_id, m.via, m.origin, m.body_sealed, d.state, d.changed_at, d.reason from
 (select * from tenant.message where account_id = {account} and conversation_id = {conversation} order by position desc limit 30) m
 left join tenant.delivery d on d.account_id = m.account_id and d.message_id = m.id order by m.position;
select id, position, at, staff_user_id, body_sealed from tenant.note where account_id = {account} and conversation_id = {conversation}
 order by position desc limit 30;
select id, position, at, kind, subject_id, staff_user_id, data from tenant.event where account_id = {account}
 and conversation_id = {conversation} and position is not null order by position desc limit 30;
select id, name_sealed, type, size, message_id, note_id from tenant.attachment where account_id = {account} and conversation_id = {conversation};
"""


def drive(
    cluster: Cluster, dbname: str, kind: str, made: list[Account], seconds: float, folder: Path
) -> float:
    """Transactions a second, pgbench and PostgreSQL on the second core."""
    rng = random.Random(7)
    chosen = [rng.choice(made) for _ in range(PICKS)]
    pick = {
        "account": [one.staff.account_id for one in chosen],
        "staff": [one.staff.staff_user_id for one in chosen],
        "conversation": [
            rng.choice(one.long if kind == "conversation" else one.conversations[:30]) for one in chosen
        ],
    }
    # One script whose picks are array elements: each connection prepares each statement once.
    array = {name: "('{" + ",".join(map(str, ids)) + "}'::uuid[])[:n]" for name, ids in pick.items()}
    text = {"post": POST, "list": LIST, "conversation": CONVERSATION}[kind].format(
        preview="ab" * 120, body="cd" * 200, **array
    )
    file = folder / f"{kind}.sql"
    file.write_text(f"\\set n random(1, {PICKS})\n{text}")
    command = ["taskset", "-c", "1", str(cluster.bin_dir / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1",
               "-T", str(max(1, round(seconds))), "-h", str(cluster.socket_dir), "-p", str(cluster.port), "-U", cluster.superuser, "-f", str(file), dbname]  # fmt: skip
    once = os.environ | {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=once)
    found = re.search(r"tps = ([\d.]+)", told.stdout)
    if told.returncode or not found:
        raise RuntimeError(f"pgbench gave no figure for {kind}: {told.stderr[-1500:]}")
    return float(found[1])
