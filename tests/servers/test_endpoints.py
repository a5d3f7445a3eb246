from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agent.servers.endpoints import accepts_connections, answers_http, free_port


def test_free_ports_are_given_once() -> None:
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == 100


def test_a_free_port_can_be_listened_on_at_once() -> None:
    port = free_port()
    assert not accepts_connections(port)
    with socket.create_server(("127.0.0.1", port)):
        assert accepts_connections(port)


class HealthCheck(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to print."""


def test_only_200_counts_as_an_answer() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), HealthCheck) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert answers_http(server.server_port, "/ready")
        assert not answers_http(server.server_port, "/starting")
        server.shutdown()
    assert not answers_http(server.server_port, "/ready")
