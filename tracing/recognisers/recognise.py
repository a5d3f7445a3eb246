"""Which model calls does an activity's result show?

A pure function of what both readers know. A worker writes what it finds into the attempt's ledger, as if it had been
recorded: so it stays the same, whatever recognisers and prices the reader of the history has. In a history without such
a ledger the calls are found now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from tracing import conventions as c
from tracing.config import logger
from tracing.identity import recognised_span_id
from tracing.ledger import LedgerSpan
from tracing.ledger_spans import ledger_span
from tracing.payloads import PayloadMessage
from tracing.pricing import price_of_call
from tracing.recognisers.json_values import decoded, object_of, text_of
from tracing.recognisers.model import Call, Completed, Recogniser
from tracing.recognisers.registry import ANYWHERE, BUILT_IN, added
from tracing.spans.model import Span, SpanKind

MAX_BYTES: Final = 1 << 20
"""A result of more bytes is not read."""
MAX_CALLS: Final = 100
"""Calls in one result; more are none."""
_JSON: Final = frozenset({b"json/plain", b"json/protobuf"})
_MODEL_PATH: Final = re.compile(r"models/([^/:]{1,100}):")
"""Part of the path of a request to Gemini."""
_USAGE: Final = b"usage"
"""Stands in every result that one of ours knows: most results can so be passed over without being parsed."""

Given = Callable[[], Sequence[PayloadMessage]]
"""An activity's input; asked for only where its result shows a model call."""

_failed: set[str] = set()


def may_show_calls(result: Sequence[PayloadMessage]) -> bool:
    """Whether it is worth asking: most results can be passed over without being parsed."""
    for payload in result:
        if _USAGE in payload.data:
            return True
    return bool(added())


def recognised_calls(
    activity_type: str,
    *,
    attempt_span_id: int,
    start: int,
    end: int,
    given: Given,
    result: Sequence[PayloadMessage],
    prices: str = "",
) -> list[LedgerSpan]:
    """The model calls that a result shows, as a ledger records spans: below the attempt, and as long as that.

    Args:
        activity_type: Activity type.
        attempt_span_id: Span ID of the attempt that made the result.
        start: Start of the attempt, in ns since the epoch.
        end: Its end.
        given: Gives the activity's input.
        result: Its result; in other encodings than JSON, nothing is recognised.
        prices: Path of the user's own prices (`TracingConfig.prices`), or "".
    """
    recorded = []
    for nth, (recogniser, call) in enumerate(_calls(activity_type, given, result), 1):
        attributes = call.attributes() | {c.RECOGNISED: recogniser}
        price = price_of_call(attributes, start, prices)
        span = Span(
            trace_id=0,  # a ledger's spans are of the trace that it is found in
            span_id=recognised_span_id(attempt_span_id, nth),
            parent_id=attempt_span_id,
            name=call.span_name,
            kind=SpanKind.CLIENT,
            start=start,
            end=end,
            attributes=attributes | (price.attributes() if price is not None else {}),
        )
        recorded.append(ledger_span(span, attempt_span_id, content=False))
    return recorded


def _calls(activity_type: str, given: Given, result: Sequence[PayloadMessage]) -> list[tuple[str, Call]]:
    if not may_show_calls(result) or sum(len(payload.data) for payload in result) > MAX_BYTES:
        return []
    own = added()
    for payload in result:
        if payload.metadata.get("encoding", b"") not in _JSON:
            continue
        value = decoded(payload.data)
        if not isinstance(value, (dict, list)):
            continue
        for recognisers in (own, BUILT_IN):
            for name, recogniser in recognisers.items():
                calls = _ask(name, recogniser, Completed(activity_type, value))
                if calls:
                    return _made_here(name, recogniser, Completed(activity_type, value), given())
    return []


def _made_here(
    name: str, recogniser: Recogniser, completed: Completed, given: Sequence[PayloadMessage]
) -> list[tuple[str, Call]]:
    """The calls of a result that its activity made itself: no earlier ones, which it was given, and each once."""
    completed = Completed(completed.activity_type, completed.result, _asked_model(given))
    calls = _ask(name, recogniser, completed)
    inputs = [bytes(payload.data) for payload in given]
    known: set[str] = set()
    made: list[Call] = []
    for call in calls:
        response = call.response_id
        if response and (response in known or any(response.encode("utf-8", "replace") in data for data in inputs)):
            continue
        known.add(response)
        made.append(call)
    if name in ANYWHERE:
        # A conversation whose messages have no IDs: only the last can be this activity's.
        last = next((call for call in reversed(made) if not call.response_id), None)
        made = [call for call in made if call.response_id or call is last]
    return [(name, call) for call in made]


def _ask(name: str, recogniser: Recogniser, completed: Completed) -> list[Call]:
    try:
        calls = _first(recogniser(completed))
        return calls if recogniser is BUILT_IN.get(name) else [_checked(call) for call in calls]
    except Exception as error:  # noqa: BLE001 - what comes from outside must not end an export, or harm an agent
        if name not in _failed:
            _failed.add(name)
            # Its class only: its text may quote the result.
            failed = type(error).__name__
            logger.warning("Recogniser %s failed on a result of %s: %s", name, completed.activity_type, failed)
        return []


def _first(calls: Iterable[Call]) -> list[Call]:
    return [call for call, _ in zip(calls, range(MAX_CALLS), strict=False)]


def _checked(call: object) -> Call:
    """What a recogniser of others gives, if all in it is of the type that it must be of."""
    if not isinstance(call, Call):
        raise TypeError(f"a recogniser gives calls, not {type(call).__name__}")
    return msgspec.convert(msgspec.to_builtins(call), Call)


def _asked_model(given: Sequence[PayloadMessage]) -> str:
    """Model that the first argument names, as the AI plugins' inputs do."""
    if not given or given[0].metadata.get("encoding", b"") not in _JSON or len(given[0].data) > MAX_BYTES:
        return ""
    value = decoded(given[0].data)
    path = _MODEL_PATH.search(text_of(value, "path"))
    if path is not None:
        return path[1]
    return text_of(value, "model_name", "model") or text_of(object_of(value, "llm_request"), "model")
