"""One side of a comparison (bench/beside.py): run with the code and the bench of its own checkout, it fills an
installation, starts the app and says on one line how to ask it. For each line it is given, it waits until nothing of what
it was asked is left to do, and says so. It ends with its input.
"""

import asyncio
import json
import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import psycopg

from bench import fill, measure
from chatinbox.core import postgres
from chatinbox.core.installation import Installation
from chatinbox.core.settings import Settings

ACCOUNTS, LARGEST, EACH = 40, 10_000, 320


async def side(data: Path) -> None:
    """Fills, starts, tells, and waits."""
    os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
    cluster = postgres.up(data)
    try:
        measure._pin_database(cluster)
        with psycopg.connect(cluster.dsn(cluster.superuser, "postgres"), autocommit=True) as conn:
            conn.execute(f"create database {measure.DATABASE}")
        dsn = cluster.dsn(cluster.superuser, measure.DATABASE)
        settings = replace(Settings(), data=data, sign_up="open").with_addresses(0, 0)
        inst = await Installation.open(settings, dsn)
        try:
            made = await fill.accounts(inst, ACCOUNTS)
            await fill.fill(inst, dsn, made, LARGEST, EACH, random.Random(11))
        finally:
            await inst.close()
        async with measure.app(data) as running:
            accounts = [
                {"cookie": one.cookie, "address": one.address, "conversations": [*map(str, one.conversations)], "long": [*map(str, one.long)]}
                for one in made
            ]  # fmt: skip
            print(
                json.dumps(
                    {
                        "port": running.port,
                        "pid": running.pid,
                        "mail_port": running.mail_port,
                        "accounts": accounts,
                    }
                ),
                flush=True,
            )
            while await asyncio.to_thread(sys.stdin.readline):
                await measure._caught_up(cluster)
                print("calm", flush=True)
    finally:
        postgres.down(data)


if __name__ == "__main__":
    asyncio.run(side(Path(sys.argv[1])))
