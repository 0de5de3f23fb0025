"""The stage: plays one step of a thread by the verb that real life would call, at the time the clock then shows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.app.demo.enclosures import enclosure
from chatinbox.app.demo.letters import LETTERS
from chatinbox.app.demo.script import Step, Thread
from chatinbox.channels.email.parse import Address, Parsed, Part
from chatinbox.channels.email.receive import body_of
from chatinbox.channels.email.threading import reference_blind
from chatinbox.conversations import verbs
from chatinbox.conversations.body import Body
from chatinbox.conversations.incoming import Incoming, Received, Sender
from chatinbox.conversations.verbs import rename_customer
from chatinbox.conversations.verbs.claim_address import claim_address
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation


@dataclass(slots=True)
class House:
    """The business as far as the play needs it."""

    account_id: UUID
    staff: dict[str, Staff]
    mail_channel: UUID
    chat_channel: UUID
    mail_address: str
    tags: dict[str, UUID] = field(default_factory=dict)


@dataclass(slots=True)
class Scene:
    """A thread being played: its conversation once there is one, and the last words said in it."""

    thread: Thread
    conversation_id: UUID | None = None
    customer_id: UUID | None = None
    position: int = 0
    said_at: datetime | None = None
    said_by: str = ""
    last_reply: UUID | None = None
    titled: bool = False


class Stage:
    """Plays steps. Every word is stored by the same verbs that the doors call."""

    def __init__(self, inst: Installation, house: House) -> None:
        self._inst, self._house = inst, house
        self._acts: dict[str, Callable[[Scene, Staff, Step], Awaitable[object]]] = {
            "reply": self._reply,
            "note": self._note,
            "draft": self._draft,
            "take": self._take,
            "assign": self._assign,
            "tag": self._tag,
        }

    async def play(self, scene: Scene, step: Step, at: datetime, until: datetime | None) -> None:
        """One step, now."""
        if step.act in ("say", "auto"):
            await self._say(scene, step)
        else:
            by = self._house.staff[step.who]
            await self._give_title(scene, by)
            await self._do(scene, by, step, until)
        if step.text:
            scene.said_at, scene.said_by = at, step.who

    async def _do(self, scene: Scene, by: Staff, step: Step, until: datetime | None) -> None:
        conversation_id = _there(scene)
        if step.act in self._acts:
            await self._acts[step.act](scene, by, step)
        elif step.act == "snooze":
            await verbs.snooze(self._inst, by, conversation_id, until)
        elif step.act == "spam":
            await verbs.mark_spam(self._inst, by, conversation_id, True)
        else:
            status = {"done": "done", "waiting": "waiting", "todo": "todo"}[step.act]
            await verbs.set_status(self._inst, by, conversation_id, status)  # type: ignore[arg-type]

    async def _say(self, scene: Scene, step: Step) -> None:
        received = await (self._by_mail if scene.thread.via == "email" else self._by_chat)(scene, step)
        first = scene.conversation_id is None
        scene.conversation_id, scene.position = received.conversation_id, received.position
        scene.customer_id = received.customer_id
        if first and scene.thread.via == "chat" and scene.thread.email:
            where = self._house.account_id, received.conversation_id, received.customer_id
            await claim_address(self._inst, *where, self._house.chat_channel, scene.thread.email)
            await rename_customer(
                self._inst, next(iter(self._house.staff.values())), received.customer_id, scene.thread.name
            )

    async def _by_chat(self, scene: Scene, step: Step) -> Received:
        files = [enclosure(name) for name in step.files]
        known = scene.conversation_id is not None
        attached = [
            await verbs.attach(self._inst, self._house.account_id, _there(scene), file)
            for file in (files if known else ())
        ]
        return await self._receive(
            scene,
            Incoming(
                channel_id=self._house.chat_channel,
                via="chat",
                sender=Sender(customer_id=scene.customer_id),
                message_id=new_id(),
                body=Body(text=step.text),
                conversation_id=scene.conversation_id,
                files=() if known else files,
                attachment_ids=attached,
            ),
        )

    async def _by_mail(self, scene: Scene, step: Step) -> Received:
        thread, message_id = scene.thread, new_id()
        letter = _letter(
            thread, step, self._house.mail_address, f"{message_id}@{thread.email.partition('@')[2]}"
        )
        blind = await reference_blind(self._inst, self._house.account_id, letter.message_id or "")
        return await self._receive(
            scene,
            Incoming(
                channel_id=self._house.mail_channel,
                via="email",
                sender=Sender(email=thread.email, name=thread.name, customer_id=scene.customer_id),
                message_id=message_id,
                body=body_of(letter),
                subject=thread.subject,
                conversation_id=scene.conversation_id,
                files=[enclosure(name) for name in step.files],
                references=[blind],
                automatic=step.act == "auto",
                spam=thread.end == "spam",
            ),
        )

    async def _receive(self, scene: Scene, incoming: Incoming) -> Received:
        return await verbs.receive(self._inst, self._house.account_id, incoming)

    async def _give_title(self, scene: Scene, by: Staff) -> None:
        """A chat begins without a subject; the first of the staff who turns to it writes one."""
        if scene.thread.via == "chat" and scene.thread.subject and not scene.titled:
            await verbs.rename(self._inst, by, _there(scene), scene.thread.subject)
        scene.titled = True

    async def _attached(self, scene: Scene, step: Step) -> Sequence[UUID]:
        return [
            await verbs.attach(self._inst, self._house.account_id, _there(scene), enclosure(name))
            for name in step.files
        ]

    async def _reply(self, scene: Scene, by: Staff, step: Step) -> None:
        scene.last_reply = new_id()
        body = Body(text=step.text, author_name=by.name)
        attached = await self._attached(scene, step)
        await verbs.reply(
            self._inst,
            by,
            _there(scene),
            scene.last_reply,
            body,
            seen_position=scene.position,
            attachment_ids=attached,
            send_anyway=True,
        )

    async def _note(self, scene: Scene, by: Staff, step: Step) -> None:
        attached = await self._attached(scene, step)
        body = Body(text=step.text, author_name=by.name)
        await verbs.add_note(self._inst, by, _there(scene), new_id(), body, attachment_ids=attached)

    async def _draft(self, scene: Scene, by: Staff, step: Step) -> None:
        await verbs.save_draft(self._inst, by, _there(scene), "reply", Body(text=step.text), 1)

    async def _take(self, scene: Scene, by: Staff, step: Step) -> None:
        await verbs.assign(self._inst, by, _there(scene), by.staff_user_id)

    async def _assign(self, scene: Scene, by: Staff, step: Step) -> None:
        await verbs.assign(self._inst, by, _there(scene), self._house.staff[step.about].staff_user_id)

    async def _tag(self, scene: Scene, by: Staff, step: Step) -> None:
        tag_id = self._house.tags.get(step.about)
        if tag_id is None:
            tag_id = (await verbs.create_tag(self._inst, by, step.about)).id
            self._house.tags[step.about] = tag_id
        await verbs.tag(self._inst, by, _there(scene), tag_id)


def _there(scene: Scene) -> UUID:
    if scene.conversation_id is None:
        raise ValueError(f"{scene.thread.subject}: nobody has written yet")
    return scene.conversation_id


def _letter(thread: Thread, step: Step, to: str, message_id: str) -> Parsed:
    """A letter as the mail door would have read it."""
    text = f"{step.text}\n\n{step.quoted}" if step.quoted else step.text
    return Parsed(
        sender=Address(thread.name, thread.email),
        to=[Address("", to)],
        subject=thread.subject,
        message_id=message_id,
        text=text,
        html=LETTERS.get(step.html),
        parts=[Part(file.name, file.type, file.content, None, False) for file in map(enclosure, step.files)],
    )
