"""What the tests of the live reader share: that tracing's own failures, which it swallows, are not overlooked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tracing.config import logger
from tracing.live import failopen

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def tracing_log() -> Iterator[list[str]]:
    """What tracing logs, for a test that expects it to."""
    handler = _Messages()
    logger.addHandler(handler)
    yield handler.messages
    logger.removeHandler(handler)


@pytest.fixture(autouse=True)
def _no_failure_goes_unseen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A kind of failure is logged once in a process: each test begins anew.
    monkeypatch.setattr(failopen, "_said", set())
    expected = "tracing_log" in request.fixturenames
    messages: list[str] = request.getfixturevalue("tracing_log")
    yield
    assert expected or messages == []
