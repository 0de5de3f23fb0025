"""`clock`: whether the clock is believed, and an operator's word that it is right."""

import psycopg

from chatinbox.app import database
from chatinbox.core import sure
from chatinbox.core.clock import now
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble


def tell_clock(settings: Settings, what: str) -> int:
    """Says how it stands, after confirming it where that is asked for; 1 while it is in doubt. Raises Trouble."""
    with database.of_an_installation(settings) as admin_dsn, psycopg.connect(admin_dsn) as conn:
        if (there := conn.execute("select to_regclass('work.clock')").fetchone()) and there[0] is None:
            raise Trouble("Nobody has looked after the clock here yet: start it once.")
        if what == "confirm":
            sure.confirm(conn)
        sure.take(sure.by_the_kept(conn))
    print(f"The clock says {now():%-d %B %Y %H:%M} UTC.")
    since, until = sure.doubt(), sure.waits_until()
    sure.leave()
    if since:
        print(
            f"It is in doubt since {since:%-d %B %Y %H:%M} UTC: it jumped, and nothing is destroyed by it. Set it right; or, if"
            " it is right, say so: bin/chatinbox clock confirm"
        )
    elif until:
        print(
            f"It is much later than when this last ran, so nothing is destroyed by it before {until:%-d %B %Y %H:%M} UTC. If"
            " that is right, nothing is to be done; to wait no longer: bin/chatinbox clock confirm"
        )
    else:
        print("It is believed.")
    return int(bool(since))
