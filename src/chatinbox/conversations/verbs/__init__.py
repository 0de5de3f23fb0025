"""What can happen to a conversation: one file a verb. Nothing else writes messages, notes, events or conversations."""

from chatinbox.conversations.verbs.add_note import add_note
from chatinbox.conversations.verbs.assign import assign
from chatinbox.conversations.verbs.attach import attach, attach_from_customer
from chatinbox.conversations.verbs.correct_customer import correct_address, rename_customer
from chatinbox.conversations.verbs.mark_delivery import mark_delivery
from chatinbox.conversations.verbs.mark_seen import mark_seen
from chatinbox.conversations.verbs.mark_spam import mark_spam
from chatinbox.conversations.verbs.receive import receive
from chatinbox.conversations.verbs.rename import rename
from chatinbox.conversations.verbs.reply import reply
from chatinbox.conversations.verbs.save_draft import drop_draft, save_draft
from chatinbox.conversations.verbs.set_out import set_out
from chatinbox.conversations.verbs.set_status import set_status
from chatinbox.conversations.verbs.snooze import snooze
from chatinbox.conversations.verbs.tag import create_tag, tag, untag

__all__ = [
    "add_note",
    "assign",
    "attach",
    "attach_from_customer",
    "correct_address",
    "create_tag",
    "drop_draft",
    "mark_delivery",
    "mark_seen",
    "mark_spam",
    "receive",
    "rename",
    "rename_customer",
    "reply",
    "save_draft",
    "set_out",
    "set_status",
    "snooze",
    "tag",
    "untag",
]
