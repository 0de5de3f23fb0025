"""Who reads a report, and how: their zone, the period they chose, the names of their colleagues."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request

from chatinbox.accounts.profile import read_profile
from chatinbox.accounts.queries import Colleague, read_account_name, read_staff
from chatinbox.accounts.sessions import Session
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.workspace import read_workspace
from chatinbox.core.ids import read_id
from chatinbox.core.installation import Installation
from chatinbox.reports.period import Period, months, read_period, read_zone


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, what they chose, and whom they may read about. `lines`: whether there are lines per person."""

    by: Staff
    company: str
    period: Period
    channel_id: UUID | None
    staff: dict[UUID, Colleague]
    lines: bool

    @property
    def zone(self) -> ZoneInfo:
        """The reader's time zone."""
        return self.period.zone

    @property
    def query(self) -> str:
        """What they chose, to be carried to the next report."""
        return f"?period={self.period.name}&zone={self.zone.key.replace('+', '%2B')}"

    def behind(
        self, deed: str, of: UUID | None = None, channel: UUID | None = None, **line: UUID | date | None
    ) -> str:
        """The address of the conversations behind a figure: of somebody or all, of one `team`, `part` (channel) or `day`."""
        asked = {"deed": deed, "of": of, "channel": channel, **line}
        return f"/reports/conversations{self.query}&{urlencode({k: v for k, v in asked.items() if v})}"

    def periods(self) -> list[tuple[str, str]]:
        """What they can choose. Without lines per person whole months only: two periods that nearly agree would tell."""
        days = [("7d", "Last 7 days"), ("28d", "Last 4 weeks")] if self.lines else []
        return [*days, *months(self.zone)]

    def alphabetical(self) -> list[Colleague]:
        """Everybody who works here, and whoever worked here: by name, never by number."""
        return sorted(self.staff.values(), key=lambda one: (one.name.casefold(), one.id))


async def read_reader(inst: Installation, session: Session, request: Request) -> Reader:
    """The reader of a request."""
    by, ask = session.staff, request.query_params
    zone = ask.get("zone") or (await read_profile(inst, by.person_id)).time_zone
    lines = (await read_workspace(inst, by.account_id)).individual_reports == "on"
    return Reader(
        by,
        await read_account_name(inst, by.account_id),
        read_period(ask.get("period"), read_zone(zone), months_only=not lines),
        read_id(ask.get("channel", "")),
        {one.id: one for one in await read_staff(inst, by.account_id)},
        lines,
    )
