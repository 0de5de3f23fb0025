"""Listening: sockets are bound before anything else starts, so that a taken port is known at once."""

import contextlib
import errno
import resource
import socket

from chatinbox.core.trouble import Trouble

WAITING = 2048  # connections the kernel keeps for us while we are busy


def bind(host: str, port: int, option: str) -> socket.socket:
    """A listening socket; port 0 takes a free one. `option` is the one to change. Raises Trouble."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(WAITING)
    except OSError as error:
        listening.close()
        raise Trouble(_why_not(error, host, port, option)) from None
    listening.setblocking(False)
    return listening


def _why_not(error: OSError, host: str, port: int, option: str) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Choose another with --host."
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken: another program listens there. Stop it, or choose another with {option}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that this user does not have. Choose one above 1023 with {option}."
    return f"Cannot listen on {host}, port {port} ({error.strerror})."


def port_of(listening: socket.socket | None, otherwise: int) -> int:
    """The port that was taken."""
    return int(listening.getsockname()[1]) if listening else otherwise


def raise_file_limit() -> None:
    """Takes all open files the system allows: each live connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
