"""One running ChatInbox: its settings and the tools every room is given. Opened by the app, passed to every verb."""

from dataclasses import dataclass, replace
from typing import Self

from psycopg.conninfo import make_conninfo

from chatinbox.core.bell import Bell
from chatinbox.core.calm import Calm
from chatinbox.core.db import Database
from chatinbox.core.egress import Egress, Names
from chatinbox.core.egress.beforehand import Beforehand
from chatinbox.core.files import Files
from chatinbox.core.intake import Intake
from chatinbox.core.jobs import Jobs
from chatinbox.core.links import SignedLinks
from chatinbox.core.migrate import app_dsn, migrate
from chatinbox.core.outbox import Outbox
from chatinbox.core.presence import Presence
from chatinbox.core.root.opening import open_vault
from chatinbox.core.settings import Settings
from chatinbox.core.vault import Vault


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and tools. `uploads` is the room for what staff send; strangers' doors have their own.
    `behind` are the connections of work that nobody waits for.
    """

    settings: Settings
    vault: Vault
    db: Database
    behind: Database
    bell: Bell
    calm: Calm
    presence: Presence
    outbox: Outbox
    files: Files
    egress: Egress
    jobs: Jobs
    links: SignedLinks
    uploads: Intake

    @classmethod
    async def open(cls, settings: Settings, admin_dsn: str) -> Self:
        """Opens keys, brings the schema up to date and connects as the app role. Raises Trouble where keys and database do not
        belong together.
        """
        vault = open_vault(settings)
        try:
            migrate(admin_dsn, vault)
        except BaseException:
            vault.close()
            raise
        dsn = app_dsn(admin_dsn, vault)
        db = await Database.open(dsn, vault)
        behind = await Database.open(make_conninfo(dsn, application_name="chatinbox behind"), vault, 3, 1)
        bell, calm = Bell(), Calm()
        bell.hear_all(lambda ring: vault.forget() if ring.fleeting and "erased" in ring.fleeting else None)
        jobs = Jobs(dsn, calm)
        await jobs.open()
        names = Names(settings.resolver)
        egress = Egress(behind, vault, settings.smtp_url, settings.inside_targets, names=names)
        egress.place("stripe", settings.stripe_api_base)
        egress.place("google_analytics", settings.google_analytics_base)
        await Beforehand(settings.data).hand_on(behind)
        return cls(
            settings=settings,
            vault=vault,
            db=db,
            behind=behind,
            bell=bell,
            calm=calm,
            presence=Presence(bell),
            outbox=Outbox(behind, bell, calm),
            files=Files(settings.data / "files"),
            egress=egress,
            jobs=jobs,
            links=SignedLinks(vault, settings.files_url),
            uploads=Intake(8 * settings.max_upload_bytes),
        )

    def behind_the_scenes(self) -> Self:
        """The same installation for work that nobody waits for. Its connections are few and its own: it never stands in
        front of people, and what it asks is planned a few times only.
        """
        return replace(self, db=self.behind)

    async def refresh(self) -> None:
        """Lets go of connections that are dead, after the database was away."""
        await self.db.refresh()
        await self.behind.refresh()

    async def close(self) -> None:
        """Closes everything it opened."""
        await self.bell.close()
        await self.jobs.close()
        await self.db.close()
        await self.behind.close()
        self.vault.close()
