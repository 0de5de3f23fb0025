"""The staff inbox's JSON doors: each parses, calls one verb or one reading, answers."""

from collections.abc import Callable

from starlette.types import ASGIApp

from chatinbox.core.declared import Declared, Way
from chatinbox.web.answer import Door
from chatinbox.web.api import arrange, read, write

ROUTES: list[tuple[str, str, Door]] = [
    # The router looks from the top, so what is asked most stands first.
    ("GET", "/api/conversations/{id}", read.get_conversation),
    ("GET", "/api/sync", read.get_sync),
    ("GET", "/api/list", read.get_list),
    ("POST", "/api/conversations/{id}/messages", write.post_message),
    ("PUT", "/api/here", arrange.put_here),
    ("GET", "/api/search", read.get_search),
    ("POST", "/api/tags", arrange.post_tag),
    ("POST", "/api/conversations/{id}/notes", write.post_note),
    ("POST", "/api/conversations/{id}/files", write.post_file),
    ("PUT", "/api/conversations/{id}/assignment", arrange.put_assignment),
    ("PUT", "/api/conversations/{id}/status", arrange.put_status),
    ("PUT", "/api/conversations/{id}/snooze", arrange.put_snooze),
    ("PUT", "/api/conversations/{id}/tags/{tag_id}", arrange.put_tag),
    ("DELETE", "/api/conversations/{id}/tags/{tag_id}", arrange.delete_tag),
    ("PUT", "/api/conversations/{id}/spam", arrange.put_spam),
    ("DELETE", "/api/conversations/{id}/spam", arrange.delete_spam),
    ("PUT", "/api/conversations/{id}/seen", arrange.put_seen),
    ("PUT", "/api/conversations/{id}/subject", arrange.put_subject),
    ("PUT", "/api/conversations/{id}/draft", write.put_draft),
    ("DELETE", "/api/conversations/{id}/draft", write.delete_draft),
    ("GET", "/api/customers/{id}", read.get_customer),
    ("GET", "/api/customers/{id}/looked", read.get_looked),
    ("PUT", "/api/customers/{id}", arrange.put_customer),
]


def routes(door: Callable[[Door], ASGIApp]) -> list[Way]:
    """The routes, each behind the same door (who acts, same origin, errors)."""
    to = Declared(("staff",), ("T", "U"))
    return [Way(path, door(act), to, [method]) for method, path, act in ROUTES]
