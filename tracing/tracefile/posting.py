"""What does a target answer to a batch?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

import msgspec
import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tracing.backends.client import Client, shortened, shown
from tracing.backends.target import Target, TargetError
from tracing.tracefile.batches import Batch

_PROTOBUF: Final = "application/x-protobuf"
_ABOUT_SPANS: Final = frozenset({400, 413, 422})
"""Refusals of one batch for what is in it; any other would meet every batch."""


class Verdict(Enum):
    """What a target does with a batch."""

    TAKEN = auto()
    TOO_LARGE = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class PostResult:
    """A target's answer to a batch.

    Attributes:
        verdict: What it does with it.
        rejected: Spans that it refuses, of a batch that it takes.
        problem: Why, and what to do about it; "" where there is nothing to say.
    """

    verdict: Verdict
    rejected: int = 0
    problem: str = ""


def post(client: Client, target: Target, batch: Batch) -> PostResult:
    """Post a batch; the answer is about this batch.

    Raises:
        TargetError: When the target cannot be used: any other batch would fare no better.
    """
    headers = {"Content-Type": _PROTOBUF}
    if batch.encoding is not None:
        headers["Content-Encoding"] = batch.encoding
    response = client.post(target.endpoint, batch.body, headers)
    status = response.status_code
    if status // 100 == 2:  # noqa: PLR2004 - HTTP's class of success
        return _taken(batch, response)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and batch.spans > 1:
        return PostResult(Verdict.TOO_LARGE)
    if status in _ABOUT_SPANS:
        return PostResult(Verdict.REFUSED, batch.spans, str(client.refusal(response)))
    raise client.refusal(response)


def _taken(batch: Batch, response: requests.Response) -> PostResult:
    rejected, message = _partial_success(response)
    problem = ""
    if rejected or message:
        words = f" ({shortened(message)})" if message else ""
        problem = f"{shown(response.url)} refused {rejected} of {batch.spans} spans{words}. Look at its log."
    return PostResult(Verdict.TAKEN, rejected, problem)


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
