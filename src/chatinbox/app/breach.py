"""`breach`: what an exposure touched, account by account; the record with its clock; and a notice for each account alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from chatinbox.accounts.regimes import Regime, regime_for, regime_of
from chatinbox.app import database
from chatinbox.app.opening import open_installation
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.core.settings import Settings
from chatinbox.core.trouble import Trouble
from chatinbox.privacy import breach_record as record
from chatinbox.privacy.breach import Exposure, Touched, notice, read_exposure
from chatinbox.privacy.breach_record import Breach


def print_breach(settings: Settings, what: str, of: str, noticed: str, drill: bool) -> int:
    """Does it and prints it. Raises Trouble for what is no exposure, no time, or no recorded breach."""
    settings = settings.with_addresses(settings.port, settings.mail_port)
    exposure = None if what in ("list", "tell") else read_exposure(what, of)  # type: ignore[arg-type]
    noticed_at = _moment(noticed)
    with database.of_an_installation(settings) as admin_dsn:
        asyncio.run(_print(settings, admin_dsn, what, of, exposure, noticed_at, drill))
    return 0


def _moment(text: str) -> datetime:
    if not text:
        return now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(f"“{text}” is not a time, such as 2026-11-20T03:00 (UTC).") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at > now():
        raise Trouble("It cannot have been noticed in the future.")
    return at


async def _print(
    settings: Settings,
    admin_dsn: str,
    what: str,
    of: str,
    exposure: Exposure | None,
    noticed_at: datetime,
    drill: bool,
) -> None:
    inst = await open_installation(settings, admin_dsn)
    try:
        if exposure:
            breach, touched = await record.record(inst, exposure, noticed_at, drill)
            lines = worked_out(inst, breach, touched)
        else:
            lines = told(inst, of) if what == "tell" else listed(inst)
        async for line in lines:
            print(line)
    finally:
        await inst.close()


async def worked_out(inst: Installation, breach: Breach, touched: list[Touched]) -> AsyncIterator[str]:
    """What was touched, and the notice of each account, one after the other."""
    yield f"{breach.purpose.capitalize()} {breach.id}: {len(touched)} accounts touched. {_clock(breach, _ours(inst))}"
    for one in touched:
        yield f"\n=== account {one.account_id}: {sum(one.counts.values())} rows, {one.customers} customers, {one.staff} staff"
        law = await regime_of(inst, one.account_id)
        yield notice(breach.exposure, one, breach.noticed_at, law, _answers(inst), breach.is_drill)
    yield f"Nobody was told yet. To tell each account's owners: bin/chatinbox breach tell {breach.id}"


async def listed(inst: Installation) -> AsyncIterator[str]:
    """Every recorded one, a line each."""
    told_of = await record.told(inst)
    for breach in await record.read_breaches(inst):
        done, count = told_of.get(breach.id, (0, 0))
        exposed = f"{breach.exposure.kind} {breach.exposure.exposed}"
        yield f"{breach.id}  {breach.purpose}: {exposed}. {done} of {count} accounts told. {_clock(breach, _ours(inst))}"


async def told(inst: Installation, of: str) -> AsyncIterator[str]:
    """Tells the accounts of one, and says how many heard it and why others could not. Raises Trouble for none that is recorded."""
    found = [one for one in await record.read_breaches(inst) if str(one.id) == of]
    if not found:
        raise Trouble(f"No breach {of} is recorded. See: bin/chatinbox breach list")
    telling = await record.tell(inst, found[0], _answers(inst))
    yield f"{telling.told_count} accounts told. {_clock(found[0], _ours(inst))}"
    if telling.unreached:
        why = "; ".join(f"{count}: {reason}" for reason, count in sorted(telling.unreached.items()))
        yield f"{telling.unreached.total()} could not be reached, and still have to be told ({why})."


def _ours(inst: Installation) -> Regime:
    """The law of who runs this installation: where they are the controller, their own clock runs."""
    return regime_for(inst.settings.operator_country)


def _clock(breach: Breach, law: Regime) -> str:
    left = breach.noticed_at + law.breach_within - now()
    hours = int(abs(left.total_seconds()) // 3600)
    word = f"{hours} hours are left of" if left.total_seconds() > 0 else f"{hours} hours past"
    within, who = law.breach_within // timedelta(hours=1), law.authority.replace("your", "our")
    return f"Noticed {breach.noticed_at:%Y-%m-%d %H:%M} UTC; {word} the {within} in which {who} must hear."


def _answers(inst: Installation) -> str:
    operator = operator_of(inst.settings)
    return operator.privacy_email if operator else ""
