"""A keyholder for tests: the parts of Vault's HTTP API that are asked, by its published words, over TLS on this machine.

It keeps what it was sent, so that a test can say what it never was.
"""

import base64
import datetime
import ipaddress
import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

TOKEN, ROLE, SECRET = "s.the-operators-token", "role-of-the-inbox", "secret-of-the-role"


@dataclass(slots=True)
class Holder:
    """One of them. `says` is an answer in place of the right one: a status and what it says."""

    url: str
    ca: Path
    folder: Path
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    keys: dict[str, bytes] = field(default_factory=lambda: {"transit/chatinbox": os.urandom(32)})
    namespace: str = ""
    says: tuple[int, bytes] | None = None
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    logins: int = 0

    def answer(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, bytes]:
        """What Vault answers to a POST."""
        self.asked.append((path, headers, body))
        if self.says:
            return self.says
        if headers.get("x-vault-namespace", "") != self.namespace:
            return _errors(403, "permission denied")
        if path == "/v1/auth/approle/login":
            if (body.get("role_id"), body.get("secret_id")) != (ROLE, SECRET):
                return _errors(400, "invalid role or secret ID")
            self.logins += 1
            self.tokens = {f"s.login-{self.logins}"}
            return _told({"auth": {"client_token": f"s.login-{self.logins}", "lease_duration": 60}})
        if headers.get("x-vault-token") not in self.tokens:
            return _errors(403, "permission denied")
        mount, verb, key = path.removeprefix("/v1/").rsplit("/", 2)
        held = self.keys.get(f"{mount}/{key}")
        if held is None:
            return _errors(400 if verb == "decrypt" else 404, "encryption key not found")
        return self._turn(verb, AESGCM(held), body)

    def _turn(self, verb: str, key: AESGCM, body: dict[str, Any]) -> tuple[int, bytes]:
        if verb == "encrypt":
            nonce = os.urandom(12)
            sealed = nonce + key.encrypt(nonce, base64.b64decode(body["plaintext"]), b"")
            return _told(
                {"data": {"ciphertext": f"vault:v1:{base64.b64encode(sealed).decode()}", "key_version": 1}}
            )
        sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"))
        try:
            plain = key.decrypt(sealed[:12], sealed[12:], b"")
        except InvalidTag:
            return _errors(400, "cipher: message authentication failed")
        return _told({"data": {"plaintext": base64.b64encode(plain).decode()}})

    def settings(self, **more: str) -> dict[str, str]:
        """How one reaches it, signing in with the token."""
        token = self.folder / "token"
        token.write_text(f"{TOKEN}\n")
        return {
            "keyholder_url": self.url,
            "keyholder_ca": str(self.ca),
            "keyholder_token_file": str(token),
            **more,
        }

    def by_role(self, **more: str) -> dict[str, str]:
        """The same, signing in by a role."""
        secret = self.folder / "secret"
        secret.write_text(SECRET)
        role = {"keyholder_role_id": ROLE, "keyholder_secret_file": str(secret)}
        return {"keyholder_url": self.url, "keyholder_ca": str(self.ca), **role, **more}


@contextmanager
def held(folder: Path) -> Iterator[Holder]:
    """A keyholder on this machine while the block runs."""
    ca, key = _certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    holder = Holder(f"https://127.0.0.1:{server.server_port}", ca, folder)
    server.holder = holder  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield holder
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, said = self.server.holder.answer(self.path, headers, body)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        if status in (301, 302, 307):
            self.send_header("location", "https://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None: ...


def _told(what: dict[str, Any]) -> tuple[int, bytes]:
    return 200, json.dumps({"request_id": "x", "warnings": None, **what}).encode()


def _errors(status: int, word: str) -> tuple[int, bytes]:
    return status, json.dumps({"errors": [word]}).encode()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, which is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keyholder of tests")])
    at = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - datetime.timedelta(days=1))
        .not_valid_after(at + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "keyholder.pem", folder / "keyholder.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths
