"""What does the record of an attempt's inner spans look like, beside the attempt's result in the history?

Bytes under the key ``durable-trace`` in the metadata of the result's payload, or of a failure's encoded attributes:
JSON, compressed where that is smaller. Written by the worker, read by both readers. It comes back from outside and is
checked: it must name the run, activity and attempt it is found at, its attributes are allow-listed, its sizes capped
before and after decompression.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from tracing import conventions as c
from tracing.identity import SCHEME
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Event, Span, SpanKind, StatusCode

MAX_STORED_BYTES: Final = 1 << 20
"""A stored ledger of more bytes is ignored."""
MAX_DECODED_BYTES: Final = 8 << 20
"""A ledger that decompresses to more bytes is ignored."""
_MAX_INT: Final = (1 << 63) - 1
"""Largest integer of OTLP, and so largest time in ns."""
_COMPRESS_FROM: Final = 400
_JSON_START: Final = b"{"

Scalar = str | bool | int | float | list[str]


class LedgerEvent(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"name": "n", "time": "t", "attributes": "a"}
):
    """An event of an inner span; ``time`` in ns since the epoch."""

    name: str
    time: int
    attributes: dict[str, Scalar] = {}


class LedgerSpan(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "span_id": "i",
        "parent_id": "p",
        "name": "n",
        "kind": "k",
        "start": "s",
        "end": "e",
        "status": "st",
        "status_message": "sm",
        "attributes": "a",
        "events": "ev",
        "scope": "sc",
    },
):
    """An inner span: IDs as 16 hex digits (parent "" is the attempt itself), times in ns since the epoch."""

    span_id: str
    name: str
    start: int
    end: int
    parent_id: str = ""
    kind: int = SpanKind.INTERNAL.value
    status: int = StatusCode.UNSET.value
    status_message: str = ""
    attributes: dict[str, Scalar] = {}
    events: list[LedgerEvent] = []
    scope: str = ""


class Ledger(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one attempt recorded.

    Attributes:
        v: Version of the identity scheme.
        run: Real run ID.
        activity: Activity ID.
        attempt: Number of the attempt.
        started: The server's started time, in µs since the epoch.
        duration: How long the attempt took by the worker's own clock, in ns.
        identity: Identity of the worker.
        resource: Service identity of the worker.
        spans: Inner spans, in the order they ended.
        cut: Number of attributes left out to keep the ledger small.
    """

    v: int = SCHEME
    run: str
    activity: str
    attempt: Annotated[int, msgspec.Meta(ge=1, le=_MAX_INT >> 32)]
    started: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT // 2_000)]
    duration: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT // 2)]
    identity: str = ""
    resource: dict[str, str] = {}
    spans: list[LedgerSpan] = []
    cut: int = 0


_DECODER: Final = msgspec.json.Decoder(Ledger)


def encode_ledger(ledger: Ledger) -> bytes:
    """Bytes of a ledger as stored."""
    plain = msgspec.json.encode({"v": ledger.v, **msgspec.to_builtins(ledger)})
    if len(plain) < _COMPRESS_FROM:
        return plain
    packed = zlib.compress(plain, 6)
    return packed if len(packed) < len(plain) else plain


def fit_ledger(ledger: Ledger, max_bytes: int) -> tuple[bytes | None, int]:
    """Bytes of a ledger within a limit, and how many attributes had to be left out for it.

    What is largest goes first: content, then all attributes but those of usage, identity and cost. The skeleton (IDs,
    parents, names, times, usage) stays; ``cut`` counts what went.

    Returns:
        The bytes, None where even the skeleton is larger than the limit; and the number of attributes left out.
    """
    reduced = ledger
    data = encode_ledger(reduced)
    for keep in (_is_no_content, _is_usage):
        if len(data) <= max_bytes:
            break
        reduced = _reduce(ledger, keep)
        data = encode_ledger(reduced)
    return (data, reduced.cut) if len(data) <= max_bytes else (None, count_attributes(ledger))


def count_attributes(ledger: Ledger) -> int:
    """How many attributes are missing where the whole ledger is."""
    return ledger.cut + sum(len(span.attributes) for span in ledger.spans)


def read_ledger(data: bytes | None, *, run_id: str, activity_id: str, attempt: int | None = None) -> Ledger | None:
    """Read a ledger found at an attempt's result or failure.

    Args:
        data: The stored bytes.
        run_id: Real run ID of the history it was found in.
        activity_id: Activity it was found at.
        attempt: Attempt it was found at, where that is known.

    Returns:
        The ledger; None where there is none, or where it is broken, too large, of another scheme, or of another attempt
        (a payload that was passed through, a failure that was copied).
    """
    if not data or len(data) > MAX_STORED_BYTES:
        return None
    try:
        plain = bytes(data) if data.startswith(_JSON_START) else _decompress(data)
        ledger = _DECODER.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, zlib.error, RecursionError):
        return None
    if ledger.v != SCHEME or ledger.run != run_id or ledger.activity != activity_id:
        return None
    return ledger if attempt is None or ledger.attempt == attempt else None


def ledger_span(span: Span, attempt_span_id: int, *, content: bool) -> LedgerSpan:
    """What the ledger keeps of an inner span."""
    return LedgerSpan(
        span_id=f"{span.span_id:016x}",
        parent_id="" if span.parent_id in {None, attempt_span_id} else f"{span.parent_id:016x}",
        name=span.name,
        kind=span.kind.value,
        start=span.start,
        end=span.end if span.end is not None else span.start,
        status=span.status.value,
        status_message=span.status_message if content else "",
        attributes=_allowed(span.attributes, content=content),
        events=[LedgerEvent(e.name, e.time, _allowed_event(e.attributes, content=content)) for e in span.events],
        scope=span.scope,
    )


def inner_span_fields(
    recorded: LedgerSpan, attempt_span_id: int
) -> tuple[int, int, Attributes, tuple[Event, ...]] | None:
    """Span ID, parent ID, attributes and events of a recorded span; None where its IDs or times are none."""
    try:
        span_id = int(recorded.span_id, 16)
        parent_id = int(recorded.parent_id, 16) if recorded.parent_id else attempt_span_id
    except ValueError:
        return None
    times = (recorded.start, recorded.end, *(event.time for event in recorded.events))
    if not 0 < span_id < 1 << 64 or not 0 < parent_id < 1 << 64 or not all(0 <= time <= _MAX_INT for time in times):
        return None
    attributes = _allowed(recorded.attributes, content=True)
    events = tuple(
        Event(e.name, e.time, _attributes(_allowed_event(e.attributes, content=True))) for e in recorded.events
    )
    return span_id, parent_id, _attributes(attributes), events


def _decompress(data: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    plain = decompressor.decompress(data, MAX_DECODED_BYTES)
    if decompressor.unconsumed_tail:
        raise zlib.error("larger than a ledger may be")
    return plain


def _attributes(values: dict[str, Scalar]) -> Attributes:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
        if not isinstance(value, int) or -_MAX_INT <= value <= _MAX_INT
    }


def _allowed(attributes: Attributes | dict[str, Scalar], *, content: bool) -> dict[str, Scalar]:
    return {
        key: _scalar(value)
        for key, value in attributes.items()
        if key.startswith(c.LEDGER_KEY_PREFIXES) and key != c.CONVERSATION_ID and (content or key not in c.CONTENT_KEYS)
    }


def _allowed_event(attributes: Attributes | dict[str, Scalar], *, content: bool) -> dict[str, Scalar]:
    return {
        key: _scalar(value)
        for key, value in attributes.items()
        if key == c.EXCEPTION_TYPE
        or (content and key in {c.EXCEPTION_MESSAGE, c.EXCEPTION_STACKTRACE})
        or (key.startswith(c.LEDGER_KEY_PREFIXES) and (content or key not in c.CONTENT_KEYS))
    }


def _scalar(value: AttributeValue | list[str]) -> Scalar:
    return list(value) if isinstance(value, tuple) else value


def _is_no_content(key: str) -> bool:
    return key not in c.CONTENT_KEYS


def _is_usage(key: str) -> bool:
    return key.startswith(c.USAGE_KEY_PREFIXES) or key in {
        c.OPERATION,
        c.PROVIDER,
        c.REQUEST_MODEL,
        c.RESPONSE_MODEL,
        c.ERROR_TYPE,
    }


def _reduce(ledger: Ledger, keep: Callable[[str], bool]) -> Ledger:
    cut = ledger.cut
    spans = []
    for span in ledger.spans:
        attributes = {key: value for key, value in span.attributes.items() if keep(key)}
        cut += len(span.attributes) - len(attributes) + len(span.events)
        spans.append(msgspec.structs.replace(span, attributes=attributes, events=[], status_message=""))
    return msgspec.structs.replace(ledger, spans=spans, cut=cut)
