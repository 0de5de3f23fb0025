"""Security is kept by mechanisms that stop the program rather than warn: the database role owns nothing, every table is closed by account, pages run only our own scripts."""

from dataclasses import replace

from chatinbox.app import database, safety
from chatinbox.app.safety import unsafe_roles, unsafe_settings
from chatinbox.core import belonging, migrate
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.keystore import Keystore
from chatinbox.core.trouble import Trouble
from chatinbox.core.vault import keystore_of, ledger_of
from chatinbox.web.site import frame
from promises.catalogue import OF_ACCOUNTS
from promises.stage import Here, Stage

CLAUSES = ("C48",)
_PASSWORDS = "select rolpassword from pg_authid where rolname = 'chatinbox_app'"
PATHS = ("/", "/privacy", "/sign-in", "/sign-up", "/inbox", "/settings/profile", "/reports/me")


def look_at_the_role(here: Here) -> str:
    """The program's role owns nothing, is nobody else, and every account's table is closed to it without the account's word"""
    mine = "(select oid from pg_roles where rolname = 'chatinbox_app')"
    strong = here.column(
        f"select rolname from pg_roles where oid = {mine} and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)"
    )
    owns = here.column(f"select relname from pg_class where relowner = {mine}") + here.column(
        f"select proname from pg_proc where proowner = {mine}"
    )
    acts = here.column(f"select roleid::regrole::text from pg_auth_members where member = {mine}")
    assert not strong + owns + acts, f"the program's role may too much: {', '.join(strong + owns + acts)}"
    open_ = here.column(
        f"select oid::regclass::text from pg_class where oid in ({OF_ACCOUNTS}) and not (relrowsecurity and relforcerowsecurity)"
    )
    assert not open_, f"open to it: {', '.join(open_)}"
    return "The program's role owns nothing and acts as nobody; every account's table is closed."


async def proof_that_a_start_is_refused(stage: Stage) -> str:
    """What is unsafe keeps a start from happening, each for itself; no page runs a script that is not ours"""
    key = stage.settings.data / "keys" / "root.key"
    safe = list(unsafe_settings(stage.settings, {}))
    assert not safe, f"this stage is not safe itself: {safe}"
    unsafe = {
        "plain HTTP": (replace(stage.settings, public_url="http://inbox.example.com"), {}),
        "a development mode": (stage.settings, {"PYTHONASYNCIODEBUG": "1"}),
    }
    for what, (settings, environment) in unsafe.items():
        assert _refused(lambda s=settings, e=environment: unsafe_settings(s, e)), (
            f"{what} does not stop a start"
        )
    others = replace(stage.settings, public_url="https://inbox.example.com")
    for name, other in (("runs_as_root", lambda: True), ("libraries", _Old)):
        before = getattr(safety, name)
        setattr(safety, name, other)
        try:
            assert _refused(
                lambda n=name: unsafe_settings(replace(others, as_root=n != "runs_as_root"), {})
            ), f"{name} does not stop a start"
        finally:
            setattr(safety, name, before)
    key.chmod(0o644)
    assert _refused(lambda: unsafe_settings(stage.settings, {})), (
        "a key that others can read does not stop a start"
    )
    key.chmod(0o600)
    for strong in ("superuser", "bypassrls", "createrole"):
        stage.break_in(f"alter role chatinbox_app {strong}")
        try:
            assert _refused(lambda: unsafe_roles(stage.above.info.dsn)), (
                f"a role that is {strong} does not stop a start"
            )
        finally:
            stage.break_in(f"alter role chatinbox_app no{strong}")
    ada = await stage.people.owner("Ada", "Ada's Tea")
    for browser in (await stage.browser(), await stage.browser(ada)):
        for path in PATHS:
            answer = await browser.get(path, follow_redirects=True)
            policy = answer.headers.get("content-security-policy", "")
            scripts = [one.strip() for one in policy.split(";") if one.strip().startswith("script-src")]
            assert scripts and "unsafe-inline" not in scripts[0] and "http" not in scripts[0], (
                f"{path} would run other scripts: {scripts}"
            )
            assert "default-src" in policy, f"{path} has no policy"
    return f"{len(unsafe) + 6} unsafe things stopped a start; {len(PATHS)} pages run our own scripts alone."


async def proof_that_lost_keys_are_not_made_anew(stage: Stage) -> str:
    """Beside its database, a keystore that is missing or another's, or another's root key, ends a start, which changes nothing"""
    owner, here = stage.above.info.dsn, replace(stage.settings, database_url=stage.above.info.dsn)
    root, keys = here.data / "keys" / "root.key", keystore_of(here.data)
    right, aside = root.read_bytes(), keys.with_name("aside")

    async def starts() -> str:
        """What the start ended with; nothing where it did not end."""
        try:
            with database.opened(here):
                await (await Installation.open(here, owner)).close()
        except Trouble as trouble:
            return str(trouble)
        return ""

    assert not await starts(), "what belongs together does not start"
    was = stage.column(_PASSWORDS)  # each start that goes on salts them anew
    keys.rename(aside)
    try:
        assert "keystore is missing" in await starts(), "a missing keystore does not end a start"
        assert not keys.exists(), "an empty keystore was made"
        other = b"another installation's root key!"
        foreign = Keystore(keys, ledger_of(here.data, other))
        foreign.write_mark(new_id(), b"x" * 32)
        foreign.close()
        assert "of another installation" in await starts(), "another's keystore does not end a start"
        aside.replace(keys)
        root.write_bytes(other)
        assert "another root key" in await starts(), "another's root key does not end a start"
    finally:
        root.write_bytes(right)
        if aside.exists():
            aside.replace(keys)
    assert stage.column(_PASSWORDS) == was, "the database's passwords were set anew"
    return "A keystore that is missing or another's, and another's root key, ended the start; nothing was changed."


class _Old:
    """Libraries of which one is older than the list says."""

    @staticmethod
    def behind() -> list[str]:
        return ["a library 1.0 (the list has 1.1)"]


def _refused(find: object) -> bool:
    try:
        safety.refuse_unsafe(find())  # type: ignore[operator]
    except Trouble:
        return True
    return False


async def saboteur_only_warns(stage: Stage) -> None:
    """Warns where a start should be refused"""
    stage.swap(safety, "refuse_unsafe", list)


async def saboteur_lets_root_serve_people(stage: Stage) -> None:
    """Lets root serve people on other machines"""
    stage.swap(safety, "_root", lambda _settings: iter(()))


async def saboteur_takes_old_libraries(stage: Stage) -> None:
    """Does not look whether the libraries are those of the list"""
    stage.swap(safety, "_libraries", lambda: iter(()))


async def saboteur_gives_the_role_more(stage: Stage) -> None:
    """Gives the program's role what it may not have"""
    stage.break_in("create table watch.mine (x int)", "alter table watch.mine owner to chatinbox_app")


async def saboteur_opens_a_table(stage: Stage) -> None:
    """Opens one table of accounts"""
    stage.break_in("alter table tenant.note no force row level security")


async def saboteur_lets_any_script_run(stage: Stage) -> None:
    """Lets pages run any script"""
    stage.swap(frame, "_CSP", "default-src *; script-src * 'unsafe-inline'")


async def saboteur_forgets_the_keys(stage: Stage) -> None:
    """Does not look at who can read the keys"""
    stage.swap(safety, "_keys", lambda _settings: iter(()))


async def saboteur_makes_a_lost_keystore_anew(stage: Stage) -> None:
    """Begins an empty keystore where the database's own is missing"""
    stage.swap(belonging, "look_at_files", lambda _conn, _data: None)


async def saboteur_signs_before_it_compares(stage: Stage) -> None:
    """Sets passwords and signature for whatever keys lie there"""
    stage.swap(migrate, "compare", lambda _conn, _vault: None)
