"""What a server tells of activities that an open run waits for is encoded, too: last failure and heartbeat details."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payloads
from temporalio.converter import ActivitySerializationContext

from tests.decoding.codecs import Contextual, Failing, Shelf, Turning, encoded, encoded_pending, reference
from tests.history.recording import Recording, payload
from tests.history.test_pending import third_try, waiting
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.decoding import Decoder
from tracing.history import History, to_spans
from tracing.history.pending import pending_from_proto

if TYPE_CHECKING:
    from temporalio.api.workflow.v1 import PendingActivityInfo

    from tracing.spans.model import Span

SHOWN = TracingConfig(capture_content=True, decode_payloads=True)
HIDDEN = TracingConfig(capture_content=True)


def history(recording: Recording, *pending: PendingActivityInfo) -> History:
    return replace(recording.read(), pending=pending_from_proto(pending))


def decoded(codec: object, *pending: PendingActivityInfo, **means: Any) -> History:
    with Decoder(codec, **means) as decoder:
        return decoder.decode(history(encoded(waiting()), *map(encoded_pending, pending)))


def contents(spans: list[Span]) -> list[tuple[str, Any, Any]]:
    return [(s.name, s.attributes.get(c.LAST_FAILURE_MESSAGE), s.attributes.get(c.PENDING_HEARTBEAT)) for s in spans]


def test_decoded_they_give_the_spans_of_a_run_that_no_codec_encoded() -> None:
    result = decoded(Turning(), third_try())
    assert (result.defects, result.decoded, result.undecoded) == ((), True, 0)
    spans = to_spans(result, SHOWN)
    assert spans == to_spans(history(waiting(), third_try()), SHOWN)
    assert contents(spans) == [
        ("RunWorkflow:Research", None, None),
        ("StartActivity:call_llm", "slow down", '{"page": 7}'),
        ("RunActivity:call_llm", None, None),
        ("chat gpt-4o", None, None),
    ]


def test_without_decode_payloads_the_failed_attempt_is_a_span_and_what_was_said_stays_encoded() -> None:
    assert contents(to_spans(decoded(Turning(), third_try()), HIDDEN)) == [
        ("RunWorkflow:Research", None, None),
        ("StartActivity:call_llm", "Encoded failure", "<encoded>"),
        ("RunActivity:call_llm", None, None),
        ("chat gpt-4o", None, None),
    ]


def test_what_cannot_be_decoded_is_named_by_the_event_that_asked_for_the_activity() -> None:
    result = decoded(Failing(failing=lambda it: b"egap" in it.data), third_try())
    [defect] = result.defects
    assert defect.startswith("A payload in event 5 cannot be decoded: the codec raises KeyError.")
    assert contents(to_spans(result, SHOWN))[1] == ("StartActivity:call_llm", "slow down", "<encoded>")


def test_a_codec_is_told_the_activity() -> None:
    codec = Contextual()
    decoded(codec, third_try(last_failure=None))
    context = codec.seen['{"page": 7}']
    assert isinstance(context, ActivitySerializationContext)
    assert (context.activity_id, context.activity_type) == ("1", "call_llm")


def test_heartbeat_details_are_fetched_from_external_storage() -> None:
    shelf = Shelf()
    stored = reference(shelf.put(payload('{"page": 8}')))
    given = history(waiting(), third_try(heartbeat_details=Payloads(payloads=[stored]), last_failure=None))
    with Decoder(external_storage=shelf) as decoder:
        spans = to_spans(decoder.decode(given), HIDDEN)
    assert contents(spans)[1] == ("StartActivity:call_llm", None, '{"page": 8}')
