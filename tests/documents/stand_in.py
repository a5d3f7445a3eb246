"""Phoenix and Langfuse as far as the documents ask them: they have a span of each trace, and take whatever comes."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.serving import serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_SPAN = "00000000000000f1"
_OF_PHOENIX = {"edges": [{"node": {"spanId": _SPAN}}], "pageInfo": {"hasNextPage": False, "endCursor": None}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"data": [{"id": _SPAN}], "meta": {"cursor": None, "totalPages": 1}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        path = urlsplit(self.path).path
        if path == "/graphql":
            self._answer({"data": {"getTraceByOtelId": {"spans": _OF_PHOENIX}}})
        elif path == "/v1/trace_annotations":
            self._answer({"data": [{"id": str(number)} for number, _ in enumerate(json.loads(body)["data"])]})
        elif path == "/api/public/scores":
            self._answer({"id": json.loads(body)["id"]})
        else:
            self._answer(None)  # OTLP: an empty answer is an empty message

    def _answer(self, content: Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if body else "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to print."""


def backends() -> AbstractContextManager[str]:
    """The address of both."""
    return serving(_Handler)
