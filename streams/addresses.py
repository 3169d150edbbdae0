"""Whether anybody answers at an address, asked without a client library."""

import socket


def reachable(servers: str, timeout_s: float = 1.0) -> bool:
    """Whether one of the servers (``host:port``, several parted by commas) takes a connection."""
    for address in servers.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout_s):
                return True
        except OSError:
            continue
    return False
