"""Which port is free, and does a server answer on one?"""

from __future__ import annotations

import http.client
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_PROBE_SECONDS: Final = 2.0


def free_port() -> int:
    """A TCP port on the loopback address that nothing else will be given for about a minute.

    A connection is opened and closed on it, which leaves the port in the TIME_WAIT state: the system hands it to nobody
    who asks for any free port, while a server that asks for this one with SO_REUSEADDR, as servers do, gets it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, 0))
        listener.listen(1)
        address: tuple[str, int] = listener.getsockname()
        with socket.create_connection(address, timeout=_PROBE_SECONDS):
            accepted, _ = listener.accept()
            accepted.close()
    return address[1]


def accepts_connections(port: int) -> bool:
    """Whether something listens on a TCP port of the loopback address."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=_PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def answers_http(port: int, path: str) -> bool:
    """Whether ``GET path`` on a port of the loopback address is answered with 200."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
