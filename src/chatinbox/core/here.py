"""What is on this machine: what goes there crosses no network that somebody else could listen in."""

import ipaddress


def is_this_machine(host: str) -> bool:
    """Whether a host is here: none, a socket, or an address of the machine's own loop."""
    if (
        not host or host.startswith(("/", "@")) or host == "localhost" or host.endswith(".localhost")
    ):  # RFC 6761 §6.3
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
