"""Every path that reads customers, and what it does about who is set aside (GDPR Art. 18). The one list.

A module that asks the tables of customers, and does not stand here, fails a test; so does a line whose module asks no more.
Each that `leaves out` or `refuses` is tried by a test of its own, by name.
"""

from typing import Literal, TypeAlias

What: TypeAlias = Literal[
    "leaves out", "refuses", "shows that they are", "keeps", "for the person", "in numbers"
]
TABLES = (
    "customer", "address", "conversation", "message", "note", "attachment", "draft", "raw_mail", "kept_mail", "address_lookup",
)  # fmt: skip
PATHS: dict[str, tuple[What, str]] = {
    # nothing of them comes out
    "conversations.search.find": ("leaves out", "no search finds them: by words, name, address or number"),
    "notifications.news": ("leaves out", "no letter to staff tells of them"),
    "channels.email.acknowledge": ("leaves out", "no machine answers them"),
    "privacy.account_export": ("leaves out", "the export says how many it leaves out"),
    "privacy.retention.due": ("leaves out", "what is set aside is erased by no rule"),
    "conversations.verbs.reply": ("refuses", "an answer has to be sent knowingly"),
    "channels.email.send": ("refuses", "an answer from before does not leave after"),
    "integrations.send": ("leaves out", "no connected program hears of them"),
    "customers.bring": ("leaves out", "no connected program changes them"),
    # who works on it sees that they are set aside
    "conversations.rows": ("shows that they are", "the list and the head of the conversation"),
    "conversations.inbox": ("shows that they are", "by conversations.rows"),
    "reports.behind": ("shows that they are", "ids and times; by conversations.rows"),
    "conversations.timeline": ("shows that they are", "by conversations.rows"),
    "customers.read": ("shows that they are", "the side panel"),
    "web.panel": ("shows that they are", "by customers.read"),
    # storing goes on
    "conversations.verbs.receive": ("keeps", "what they write is stored"),
    "conversations.verbs.add_note": ("keeps", "finds its own note again"),
    "conversations.verbs.save_draft": ("keeps", "unsent words are stored"),
    "conversations.verbs.snooze": ("keeps", "comes back by its clock, ids only"),
    "conversations.verbs.set_out": ("keeps", "a delivery is noted; channels.email.send lets none out"),
    "conversations.change": ("keeps", "states and times"),
    "conversations.who": ("keeps", "whose key opens it"),
    "conversations.attachments": ("keeps", "files of an answer or a note"),
    "conversations.search.index": ("keeps", "what is found is decided when somebody searches"),
    "customers.addresses": ("keeps", "whose an address is, so that nobody is made twice"),
    "channels.email.raw": ("keeps", "letters as they arrived"),
    "channels.email.door": ("keeps", "letters as they arrive"),
    "channels.email.receive": ("keeps", "places letters"),
    "channels.email.threading": ("keeps", "finds the conversation of a letter"),
    "channels.email.held": ("keeps", "letters that wait for a decision are no customer's yet"),
    "channels.email.kept": ("keeps", "letters that left"),
    "web.files": ("keeps", "a file by its signed link"),
    "web.api.write": ("keeps", "files of what is written now"),
    "customers.restricted": ("keeps", "the condition itself"),
    "customers.erased": ("keeps", "a condition of its own: that their erasure has begun"),
    "conversations.verbs.correct_customer": ("keeps", "what is wrong is put right"),
    "core.egress.mail": ("keeps", "a letter that was let out, where no server is named"),
    "app.demo.afterwards": ("keeps", "the demo's own customers"),
    "app.command": ("in numbers", "names a table to privacy.breach"),
    "privacy.my_data": ("in numbers", "a person who signs in: their own letters, no customer's"),
    "reports.recorded": ("in numbers", "deeds of staff: ids and times, no word and no name"),
    "notifications.tell": ("in numbers", "whose conversations changed; notifications.news decides"),
    "privacy.erasure.receivers": (
        "in numbers",
        "how often something left about whom is erased, by kind of receiver",
    ),
    "privacy.erasure.quoted": (
        "in numbers",
        "which conversations quote somebody who is erased: their numbers, no word",
    ),
    "privacy.inventory": ("in numbers", "how much is held"),
    "privacy.breach": ("in numbers", "what was exposed has to be told, whoever it was"),
    # by or for the person themself (Art. 18(2))
    "channels.chat.box": ("for the person", "their own chat"),
    "channels.chat.live": ("for the person", "their own chat"),
    "channels.chat.view": ("for the person", "their own chat"),
    "channels.chat.send": (
        "for the person",
        "their own chat fetches it; what leaves goes by channels.email.send",
    ),
    "privacy.whose": ("for the person", "finds them for what follows"),
    "privacy.permission": ("keeps", "finds what a permission is about"),
    "privacy.access.read": ("shows that they are", "who looked at them: a record about staff, by their word"),
    "privacy.access.book": ("keeps", "chains who looked at whom, ids only"),
    "privacy.left.read": ("keeps", "what left before, and who asked for it"),
    "privacy.glass.grants": ("keeps", "finds what a look would be about"),
    "privacy.glass.tell": ("keeps", "that the operator looked, ids only"),
    "privacy.glass.look": ("keeps", "what the operator looks at is told to the account, set aside or not"),
    "privacy.glass.forget": ("for the person", "why somebody looked goes with them"),
    "privacy.glass.seen": ("keeps", "what the operator looked at"),
    "privacy.desk.files": ("keeps", "what files are called that an order names, for their business"),
    "conversations.looked": ("keeps", "that somebody looked, ids only"),
    "integrations.hear": ("keeps", "writes what a program would be told; integrations.send tells none of it"),
    "integrations.payload": ("keeps", "composes what integrations.send lets out"),
    "app.backup.copy": ("keeps", "a sealed copy"),
    "app.backup.replay": ("keeps", "a copy that is put back"),
    "web.entrance.wish": ("keeps", "the number of a person's own wish"),
    "privacy.letter": ("for the person", "they are told before it ends"),
    "privacy.restriction.restrict": ("for the person", "sets aside and takes up again"),
    "privacy.restriction.again": ("for the person", "sets aside after a copy was put back"),
    "privacy.package.gather": ("for the person", "their copy"),
    "privacy.package.person": ("for the person", "their copy"),
    "privacy.objection": ("for the person", "they are not written to"),
    "privacy.hold": ("keeps", "what must not be erased yet"),
    "privacy.hold_again": ("keeps", "what must not be erased yet, after a copy was put back"),
    "privacy.requests.case": ("for the person", "their own request"),
    "privacy.erasure.ask": ("for the person", "erasing at their wish"),
    "privacy.erasure.erase": ("for the person", "erasing at their wish"),
    "privacy.erasure.held": ("for the person", "what will be erased"),
}
