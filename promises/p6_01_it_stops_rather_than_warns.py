"""Security is kept by mechanisms that stop the program rather than warn: the database role owns nothing, every table is closed by account, pages run only our own scripts."""

from dataclasses import replace

from chatinbox.app import safety
from chatinbox.app.safety import unsafe_roles, unsafe_settings
from chatinbox.core.trouble import Trouble
from chatinbox.web.site import frame
from promises.catalogue import OF_ACCOUNTS
from promises.stage import Here, Stage

CLAUSES = ("C48",)
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
    return f"{len(unsafe) + 4} unsafe things stopped a start; {len(PATHS)} pages run our own scripts alone."


def _refused(find: object) -> bool:
    try:
        safety.refuse_unsafe(find())  # type: ignore[operator]
    except Trouble:
        return True
    return False


async def saboteur_only_warns(stage: Stage) -> None:
    """Warns where a start should be refused"""
    stage.swap(safety, "refuse_unsafe", list)


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
