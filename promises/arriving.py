"""Letters that arrive from the internet, and the domains they say they are from."""

import asyncio
import base64
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP

from aiosmtpd import smtp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chatinbox.channels.email.dkim import sign
from chatinbox.channels.email.door import Door
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.watch.security_log import SecurityLog
from promises.name_server import PEER, NameServer

ELSEWHERE = "5.9.99.99"
"""An address from which no domain has its letters sent."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain that says by its records who sends for it and how its letters are signed."""

    name: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def publish(self, server: NameServer, policy: str = "v=DMARC1; p=reject") -> "Domain":
        """Has the name server know it; without a policy, all but that."""
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        server.knows[f"TXT s1._domainkey.{self.name}"] = [f"v=DKIM1; k=ed25519; p={public}"]
        server.knows[f"TXT {self.name}"] = [f"v=spf1 ip4:{PEER} -all"]
        if policy:
            server.knows[f"TXT _dmarc.{self.name}"] = [policy]
        return self

    def sign(self, raw: bytes) -> bytes:
        """A letter, signed."""
        return sign(raw, self.name, "s1", self.key)


def written(words: str, writer: str, **headers: str) -> bytes:
    """A letter's bytes."""
    message = EmailMessage()
    usual = {"From": writer, "Subject": "A question", "Message-ID": f"<{new_id()}@mail.example>"}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in (usual | given).items():
        message[name] = value
    message.set_content(words)
    return message.as_bytes(policy=SMTP)


async def bring(
    inst: Installation, to: str, raw: bytes, sender: str = "x@elsewhere.example", peer: str = PEER
) -> str:
    """Brings a letter to the door as a server at `peer` would; what the door says."""
    session, envelope = smtp.Session(asyncio.get_running_loop()), smtp.Envelope()
    session.peer, session.host_name = (peer, 40_000), "mx.elsewhere.example"  # type: ignore[assignment]
    envelope.content, envelope.mail_from, envelope.rcpt_tos = raw, sender, [to]
    door = Door(inst, SecurityLog())
    return await door.handle_DATA(smtp.SMTP(door), session, envelope)
