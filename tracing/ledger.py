"""What does the record of an attempt's inner spans look like, beside the attempt's result in the history?

Bytes under the key ``durable-trace`` in the metadata of the result's payload, or of a failure's encoded attributes:
JSON, compressed where that is smaller. Written by the worker, read by both readers. It comes back from outside and is
checked: it must name the run, activity and attempt it is found at, its attributes are allow-listed, its sizes capped
before and after decompression.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Annotated, Final

import msgspec

from tracing import conventions as c
from tracing.identity import SCHEME
from tracing.spans.model import SpanKind, StatusCode
from tracing.usage import total, usage_of_call, usage_of_sums
from tracing.versioned import encode_versioned

MAX_STORED_BYTES: Final = 1 << 20
"""A stored ledger of more bytes is ignored."""
MAX_DECODED_BYTES: Final = 8 << 20
"""A ledger that decompresses to more bytes is ignored."""
MAX_INT: Final = (1 << 63) - 1
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
        build: Build ID of the worker, or "".
        scheduled: Of a local activity, when it was scheduled by its worker's clock, in µs since the epoch: its marker
            has that time some µs off. Else 0.
        heartbeats: How often it heartbeat.
        resource: Service identity of the worker.
        spans: Inner spans, in the order they ended.
        cut: Number of attributes left out to keep the ledger small.
        rest: What the model calls have used whose spans were left out, by our own keys for sums.
    """

    v: int = SCHEME
    run: str
    activity: str
    attempt: Annotated[int, msgspec.Meta(ge=1, le=MAX_INT >> 32)]
    started: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT // 2_000)]
    duration: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT // 2)]
    identity: str = ""
    build: str = ""
    scheduled: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT // 2_000)] = 0
    heartbeats: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)] = 0
    resource: dict[str, str] = {}
    spans: list[LedgerSpan] = []
    cut: int = 0
    rest: dict[str, int | float] = {}


_DECODER: Final = msgspec.json.Decoder(Ledger)


def encode_ledger(ledger: Ledger) -> bytes:
    """Bytes of a ledger as stored."""
    plain = encode_versioned(ledger)
    if len(plain) < _COMPRESS_FROM:
        return plain
    packed = zlib.compress(plain, 6)
    return packed if len(packed) < len(plain) else plain


def fit_ledger(ledger: Ledger, max_bytes: int) -> tuple[bytes | None, int]:
    """Bytes of a ledger within a limit, and how many attributes had to be left out for it.

    Returns:
        The bytes of the fullest form that fits, None where none does; and the number of attributes left out.
    """
    fitting = (form for form in ledger_forms(ledger) if len(form[0]) <= max_bytes)
    return next(fitting, (None, count_attributes(ledger)))


def ledger_forms(ledger: Ledger) -> Iterator[tuple[bytes, int]]:
    """A ledger from its fullest form to its shortest, each with the number of attributes that it leaves out.

    What is largest goes first: content, then all attributes but those of usage, identity and cost. The skeleton (IDs,
    parents, names, times, usage) stays; in the end only the sums of what the model calls have used.
    """
    yield encode_ledger(ledger), ledger.cut
    for keep in (_is_no_content, _is_usage):
        reduced = _reduce(ledger, keep)
        yield encode_ledger(reduced), reduced.cut
    sums = _sums(ledger)
    yield encode_ledger(sums), sums.cut


def count_attributes(ledger: Ledger) -> int:
    """How many attributes are missing where the whole ledger is."""
    return ledger.cut + sum(len(span.attributes) for span in ledger.spans)


def read_ledger(
    data: bytes | None, *, run_id: str | None, activity_id: str, attempt: int | None = None
) -> Ledger | None:
    """Read a ledger found at an attempt's result or failure.

    Args:
        data: The stored bytes.
        run_id: Real run ID of the history it was found in; None where it may be that of a base run that was reset.
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
    if ledger.v != SCHEME or run_id not in {None, ledger.run} or ledger.activity != activity_id:
        return None
    return ledger if attempt is None or ledger.attempt == attempt else None


def _decompress(data: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    plain = decompressor.decompress(data, MAX_DECODED_BYTES)
    if decompressor.unconsumed_tail:
        raise zlib.error("larger than a ledger may be")
    return plain


def _is_no_content(key: str) -> bool:
    return not c.is_content(key)


def _is_usage(key: str) -> bool:
    return key.startswith(c.USAGE_KEY_PREFIXES) or key in {
        c.OPERATION,
        c.PROVIDER,
        c.REQUEST_MODEL,
        c.RESPONSE_MODEL,
        c.ERROR_TYPE,
    }


def _sums(ledger: Ledger) -> Ledger:
    calls = total(usage_of_call(span.attributes) for span in ledger.spans)  # type: ignore[arg-type] # lists are not read
    used = (calls + usage_of_sums(ledger.rest)).attributes()
    rest = {key: value for key, value in used.items() if isinstance(value, (int, float))}
    return msgspec.structs.replace(ledger, spans=[], rest=rest, cut=count_attributes(ledger))


def _reduce(ledger: Ledger, keep: Callable[[str], bool]) -> Ledger:
    cut = ledger.cut
    spans = []
    for span in ledger.spans:
        attributes = {key: value for key, value in span.attributes.items() if keep(key)}
        cut += len(span.attributes) - len(attributes) + len(span.events)
        spans.append(msgspec.structs.replace(span, attributes=attributes, events=[], status_message=""))
    return msgspec.structs.replace(ledger, spans=spans, cut=cut)
