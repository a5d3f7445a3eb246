"""How do spans get from here to a backend?

As OTLP/HTTP with protobuf, which every backend takes, in bounded requests. Open spans are never sent: a backend that
keeps the first of two spans with one ID would keep the unfinished one.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec
import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tracing.backends.client import Client, shortened, shown
from tracing.backends.target import Target, TargetError
from tracing.spans.model import Span
from tracing.tracefile.missing import missing
from tracing.tracefile.protobuf import request_message
from tracing.tracefile.reroot import reroot

BATCH_SPANS: Final = 512
"""Most spans of one request."""
BATCH_BYTES: Final = 4 * 1024 * 1024
"""Largest request of more than one span, before compression."""

_PROTOBUF: Final = "application/x-protobuf"
_ABOUT_SPANS: Final = frozenset({400, 413, 422})
"""Refusals of one batch for what is in it; any other would meet every batch."""
_MAX_PROBLEMS: Final = 20


@dataclass
class SendResult:
    """What became of the spans.

    Attributes:
        sent: Spans that the target took.
        skipped_open: Spans that are still open, and so were not sent.
        known: Spans that the target had already, where it was asked.
        rejected: Spans that the target refused.
        unsent: Spans left when the target could not be used at all, or no longer.
        batches: Requests that the target took.
        problems: Why spans were refused or left; each says what to do about it.
    """

    sent: int = 0
    skipped_open: int = 0
    known: int = 0
    rejected: int = 0
    unsent: int = 0
    batches: int = 0
    problems: tuple[str, ...] = ()


class Sender:
    """Sends spans to one target in batches.

    Attributes:
        result: What became of the spans so far.
    """

    def __init__(self, target: Target, *, batch_spans: int = BATCH_SPANS, batch_bytes: int = BATCH_BYTES) -> None:
        self.result = SendResult()
        self._target = target
        self._batch_spans = batch_spans
        self._batch_bytes = batch_bytes
        self._client = Client(target.settings)

    def deliver(self, portions: Iterable[Sequence[Span]]) -> SendResult:
        """Send spans as they are, but for the open ones; batches go across portions.

        Args:
            portions: Spans, in portions that may be made while others are sent.

        Returns:
            What became of them. A target that cannot be used is one of its problems.
        """
        waiting: list[Span] = []
        result = self.result
        given = 0
        try:
            for spans in portions:
                closed = [span for span in spans if span.end is not None]
                result.skipped_open += len(spans) - len(closed)
                given += len(closed)
                waiting += closed
                while len(waiting) >= self._batch_spans:
                    self._send(waiting[: self._batch_spans])
                    del waiting[: self._batch_spans]
            if waiting:
                self._send(waiting)
        except TargetError as error:
            self._problem(str(error))
            result.unsent += given - result.sent - result.rejected
        finally:
            self._client.close()
        return result

    def _send(self, spans: Sequence[Span]) -> None:
        body = request_message(spans).SerializeToString()
        if len(body) > self._batch_bytes and len(spans) > 1:
            self._halve(spans)
            return
        headers = {"Content-Type": _PROTOBUF}
        if self._target.compression == "gzip":
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
        response = self._client.post(self._target.endpoint, body, headers)
        status = response.status_code
        if status // 100 == 2:  # noqa: PLR2004 - HTTP's class of success
            self._accepted(len(spans), response)
        elif status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(spans) > 1:
            self._halve(spans)
        elif status in _ABOUT_SPANS:
            self.result.rejected += len(spans)
            self._problem(str(self._client.refusal(response)))
        else:
            raise self._client.refusal(response)

    def _halve(self, spans: Sequence[Span]) -> None:
        half = len(spans) // 2
        self._send(spans[:half])
        self._send(spans[half:])

    def _accepted(self, count: int, response: requests.Response) -> None:
        rejected, message = _partial_success(response)
        self.result.batches += 1
        self.result.sent += count - rejected
        self.result.rejected += rejected
        if rejected or message:
            self._problem(
                f"{shown(response.url)} refused {rejected} of {count} spans"
                f"{f' ({shortened(message)})' if message else ''}. Look at its log."
            )

    def _problem(self, sentence: str) -> None:
        if sentence not in self.result.problems and len(self.result.problems) < _MAX_PROBLEMS:
            self.result.problems = (*self.result.problems, sentence)


def send(spans: Iterable[Span], target: Target) -> SendResult:
    """Send the closed spans of one or more traces, each once, each trace with a root that the target then has.

    Args:
        spans: All spans that are at hand of these traces, open ones included.
        target: Where to.

    Returns:
        What became of them. A target that cannot be used is one of its problems.
    """
    rerooted = reroot(spans)
    sender = Sender(target)
    sender.result.skipped_open = sum(span.end is None for span in rerooted)
    return sender.deliver([missing(rerooted, ())])


def _partial_success(response: requests.Response) -> tuple[int, str]:
    """How many spans the target refused of those it took, and its words."""
    kind = response.headers.get("Content-Type", "")
    if "html" in kind:
        raise TargetError(
            f"{shown(response.url)} answered with a web page: that is no OTLP endpoint, whose path ends in /v1/traces."
        )
    try:
        if "json" in kind:
            return _partial_success_json(response.content)
        answer = ExportTraceServiceResponse.FromString(response.content)
    except (DecodeError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0, ""  # it took them all the same: the status says so
    return answer.partial_success.rejected_spans, answer.partial_success.error_message


class _PartialSuccess(msgspec.Struct, rename="camel"):
    rejected_spans: int = 0
    error_message: str = ""


class _Response(msgspec.Struct, rename="camel"):
    partial_success: _PartialSuccess | None = None


def _partial_success_json(content: bytes) -> tuple[int, str]:
    partial = msgspec.json.decode(content, type=_Response, strict=False).partial_success
    return (partial.rejected_spans, partial.error_message) if partial else (0, "")
