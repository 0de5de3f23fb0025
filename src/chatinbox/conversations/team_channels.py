"""Who sees a channel: everybody, as long as no team has it; then the members of its teams, and who sets up channels."""

from collections.abc import Collection
from uuid import UUID

from chatinbox.accounts import sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.teams import read_teams
from chatinbox.conversations.change import tell
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation


async def set_channel_teams(
    inst: Installation, by: Staff, channel_id: UUID, team_ids: Collection[UUID]
) -> None:
    """Gives a channel to some teams, or with none to everybody. Raises unless `by` may, and not-found for either id.

    What somebody sees changes at once in this process and within two seconds in the others; their pages load anew.
    """
    by.need("channels")
    teams = {team.id: team for team in await read_teams(inst, by.account_id)}
    if not teams.keys() >= set(team_ids):
        raise not_found()

    def names(ids: Collection[UUID]) -> str:
        return ", ".join(team.name for team in teams.values() if team.id in ids) or "everybody"

    before = {team.id for team in teams.values() if channel_id in team.channel_ids}
    whose, key = [by.account_id, channel_id], await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        if not await tx.one("select 1 from channel where account_id = %s and id = %s for update", whose):
            raise not_found()
        await tx.execute("delete from team_channel where account_id = %s and channel_id = %s", whose)
        await tx.execute(
            "insert into team_channel (account_id, channel_id, team_id) select %s, %s, unnest(%s::uuid[])",
            [*whose, list(set(team_ids))],
        )
        await tx.execute(*noted(key, by, "channel.teams", names(before), names(team_ids), channel_id))
        fed = await tx.one(*tell(by.account_id, "team.channels", by.staff_user_id, channel_id))
    await sessions.staff_changed(inst, by.account_id)
    inst.bell.ring(by.account_id, fed[0] if fed else 0)
