"""A backend's API on the loopback address: answers that were written down, by path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.serving import serving


@dataclass
class Asked:
    """One question: path, parameters of the query, content of the body, and `Authorization`."""

    path: str
    parameters: dict[str, str]
    content: Any
    authorization: str | None


@dataclass
class Api:
    """Gives the answers of a path one after the other; a path without any is not found.

    Attributes:
        url: Base address.
        answers: JSON, or the text of an answer that is none, by path.
        statuses: Status by path, where it is not 200.
        retry_after: Seconds for which it asks to be left alone, with every answer; "" for none.
        asked: The questions.
    """

    url: str = ""
    answers: dict[str, list[Any]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    retry_after: str = ""
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        self.asked.append(asked)
        waiting = self.answers.get(asked.path)
        if not waiting:
            return self.statuses.get(asked.path, 404), b'{"message": "not found"}'
        content = waiting.pop(0)
        body = content if isinstance(content, str) else json.dumps(content)
        return self.statuses.get(asked.path, 200), body.encode()


@pytest.fixture
def api() -> Iterator[Api]:
    served = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length", "0"))
            content = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), content, self.headers.get("authorization"))
            status, body = served.answer(asked)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if served.retry_after:
                self.send_header("Retry-After", served.retry_after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Questions are kept, not printed."""

    with serving(Handler) as served.url:
        yield served
