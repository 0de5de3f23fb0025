"""Teams: who works together. Which channels a team has stands in the conversations' room."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from chatinbox.accounts import sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.free_name import free_name
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

MOST = 200


@dataclass(frozen=True, slots=True)
class Team:
    """A team with the ids of its members and of the channels that are its own."""

    id: UUID
    name: str
    member_ids: frozenset[UUID]
    channel_ids: frozenset[UUID]


async def read_teams(inst: Installation, account_id: UUID) -> list[Team]:
    """The teams of an account, the oldest first. One statement, however many there are."""
    ask = (
        "select t.id, t.name_sealed, array(select m.staff_user_id from team_member m where m.account_id = t.account_id"
        " and m.team_id = t.id), array(select c.channel_id from team_channel c where c.account_id = t.account_id"
        " and c.team_id = t.id) from team t where t.account_id = %s order by t.created_at, t.id"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    key = await inst.vault.account_key(account_id)
    return [
        Team(
            team_id,
            key.open_text(sealed, account_id, "team", "name", team_id),
            frozenset(members),
            frozenset(channels),
        )
        for team_id, sealed, members, channels in rows
    ]


async def create_team(inst: Installation, by: Staff, name: str) -> UUID:
    """Makes a team; its id. Raises unless `by` may, and a sentence for a name that is empty, too long or taken."""
    by.need("staff")
    teams = await read_teams(inst, by.account_id)
    name = free_name(name, "team", (team.name for team in teams))
    if len(teams) >= MOST:
        raise Refused(409, f"An account has at most {MOST} teams.", "team")
    key, team_id = await inst.vault.account_key(by.account_id), new_id()
    sealed = key.seal(name, by.account_id, "team", "name", team_id)
    await inst.db.run(
        by.account_id,
        (
            "insert into team (account_id, id, name_sealed, created_at) values (%s, %s, %s, %s)",
            [by.account_id, team_id, sealed, now()],
        ),
        noted(key, by, "team.made", after=name, subject_id=team_id),
    )
    return team_id


async def rename_team(inst: Installation, by: Staff, team_id: UUID, name: str) -> None:
    """Gives a team another name. Raises unless `by` may, not-found, and a sentence for a name that cannot be."""
    by.need("staff")
    team = await _team(inst, by, team_id)
    others = [one.name for one in await read_teams(inst, by.account_id) if one.id != team_id]
    name = free_name(name, "team", others)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        (
            "update team set name_sealed = %s where account_id = %s and id = %s",
            [key.seal(name, by.account_id, "team", "name", team_id), by.account_id, team_id],
        ),
        noted(key, by, "team.renamed", before=team.name, after=name, subject_id=team_id),
    )


async def set_members(inst: Installation, by: Staff, team_id: UUID, staff_user_ids: Collection[UUID]) -> None:
    """Who is in a team. Raises unless `by` may, and not-found for a team or somebody who is not of the account."""
    by.need("staff")
    team = await _team(inst, by, team_id)
    wanted = set(staff_user_ids)
    if by.staff_user_id in wanted - team.member_ids and team.channel_ids & by.kept_out:
        raise Refused(
            403, "This team has channels you do not see. Ask an owner to let you in.", "not_permitted"
        )
    key = await inst.vault.account_key(by.account_id)
    whose = [by.account_id, team_id]
    try:
        async with inst.db.account(by.account_id) as tx:
            await tx.execute("delete from team_member where account_id = %s and team_id = %s", whose)
            await tx.execute(
                "insert into team_member (account_id, team_id, staff_user_id) select %s, %s, unnest(%s::uuid[])",
                [*whose, list(wanted)],
            )
            for one in sorted(wanted ^ team.member_ids):
                what = "team.joined" if one in wanted else "team.left"
                await tx.execute(*noted(key, by, what, after=team.name, subject_id=one))
    except ForeignKeyViolation:
        raise not_found() from None
    await sessions.staff_changed(inst, by.account_id)


async def remove_team(inst: Installation, by: Staff, team_id: UUID) -> None:
    """Removes a team without channels of its own: with the last team its channels would be open to everybody."""
    by.need("staff")
    team = await _team(inst, by, team_id)
    key = await inst.vault.account_key(by.account_id)
    whose = [by.account_id, team_id]
    try:
        await inst.db.run(
            by.account_id,
            ("delete from team_member where account_id = %s and team_id = %s", whose),
            ("delete from team where account_id = %s and id = %s", whose),
            noted(key, by, "team.removed", before=team.name, subject_id=team_id),
        )
    except ForeignKeyViolation:
        raise Refused(
            409,
            "This team has channels of its own. Decide first who sees them without it.",
            "team_has_channels",
        ) from None
    await sessions.staff_changed(inst, by.account_id)


async def _team(inst: Installation, by: Staff, team_id: UUID) -> Team:
    for team in await read_teams(inst, by.account_id):
        if team.id == team_id:
            return team
    raise not_found()
