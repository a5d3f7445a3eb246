"""A history whose payloads a codec encoded gives the spans that it would give without the codec."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import ActivitySerializationContext, PayloadCodec, WorkflowSerializationContext

from tests.decoding.codecs import (
    Answering,
    Away,
    Contextual,
    Failing,
    Turning,
    Zipping,
    encoded,
    turned,
)
from tests.history.recording import Recording, failure, ledger, our_header, payload, step_header
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.decoding import Decoder
from tracing.decoding.problems import DecodingError
from tracing.history import History, read, to_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracing.spans.model import Span

SHOWN = TracingConfig(capture_content=True, decode_payloads=True)
HIDDEN = TracingConfig(capture_content=True)


def research() -> Recording:
    """A run with one step of each kind, content in all places that hold some."""
    run = Recording(input={"payloads": [payload('"where to?"')]}, header=our_header())
    task = run.task()
    first = run.activity(
        task, input={"payloads": [payload('"ask"'), payload("7")]}, summary="asks", header=step_header("1")
    )
    run.attempt(first, 2, last_failure=failure("too many", stored_ledger=ledger(1, 3, 1)))
    run.complete_activity(first, payload('"Rome"', **{c.HEADER: ledger(2, 5, 1)}))
    child = run.add(
        "start_child_workflow_execution_initiated",
        workflow_id="child",
        workflow_type={"name": "Child"},
        input={"payloads": [payload('"to the child"')]},
        workflow_task_completed_event_id=task,
        header=step_header("child", kind="child"),
    )
    run.add(
        "child_workflow_execution_started",
        initiated_event_id=child,
        workflow_execution={"workflow_id": "child", "run_id": "c" * 32},
    )
    run.add("child_workflow_execution_completed", initiated_event_id=child, result={"payloads": [payload('"done"')]})
    run.add("workflow_execution_signaled", signal_name="note", input={"payloads": [payload('"remember"')]})
    accepted = run.add(
        "workflow_execution_update_accepted",
        accepted_request={
            "meta": {"update_id": "u"},
            "input": {"name": "change", "args": {"payloads": [payload('"new plan"')]}},
        },
    )
    run.add(
        "workflow_execution_update_completed",
        meta={"update_id": "u"},
        accepted_event_id=accepted,
        outcome={"success": {"payloads": [payload('"changed"')]}},
    )
    operation = run.add(
        "nexus_operation_scheduled",
        endpoint="shop",
        service="Orders",
        operation="order",
        input=payload('"a ticket"'),
        workflow_task_completed_event_id=task,
    )
    run.add("nexus_operation_completed", scheduled_event_id=operation, result=payload('"ordered"'))
    marker = {"activity_id": "9", "activity_type": "look_up", "attempt": 1}
    run.add(
        "marker_recorded",
        marker_name="core_local_activity",
        workflow_task_completed_event_id=task,
        details={"data": {"payloads": [payload(json.dumps(marker))]}, "result": {"payloads": [payload('"found"')]}},
    )
    last = run.activity(task, "2", input={"payloads": [payload('"fly"')]})
    run.attempt(last)
    run.add(
        "activity_task_failed",
        scheduled_event_id=last,
        failure=failure("no plane", stored_ledger=ledger(1, 30, 1, activity_id="2")),
    )
    run.complete(payload('"Rome, by train"'))
    return run


def decoded(recording: Recording, codec: object = None, **means: Any) -> History:
    history = recording.read()
    with Decoder(codec, **means) as decoder:
        return decoder.decode(history)


def rendered(spans: Sequence[Span]) -> list[Any]:
    return [(s.name, s.span_id, s.parent_id, s.attributes, s.events, s.status_message, s.links) for s in spans]


def undecoded(spans: Sequence[Span]) -> dict[object, object]:
    return {span.attributes[c.ACTIVITY_ID]: value for span in spans if (value := span.attributes.get(c.UNDECODED))}


def test_a_step_says_that_nobody_decodes_what_closed_it() -> None:
    """Its result, its failure and the marker of a local activity, each of which may hold a ledger."""
    assert undecoded(to_spans(encoded(research()).read(), HIDDEN)) == {"1": 1, "2": 1, "9": 1}
    assert undecoded(to_spans(decoded(encoded(research()), Turning()), HIDDEN)) == {}
    assert undecoded(to_spans(research().read(), HIDDEN)) == {}


def test_a_decoded_history_gives_the_spans_of_one_that_no_codec_encoded() -> None:
    history = decoded(encoded(research()), Turning())
    assert (history.defects, history.decoded, history.undecoded) == ((), True, 0)
    assert rendered(to_spans(history, SHOWN)) == rendered(to_spans(research().read(), SHOWN))


def test_headers_that_a_codec_encoded_are_read_too() -> None:
    history = decoded(encoded(research(), headers=True), Turning())
    assert rendered(to_spans(history, SHOWN)) == rendered(to_spans(research().read(), SHOWN))


@pytest.mark.parametrize("form", ["JSON", "binary", "SDK"])
def test_it_does_not_matter_where_a_history_comes_from(form: str) -> None:
    recording = encoded(research())
    source: Any = {
        "JSON": lambda: json.dumps(recording.json()).encode(),
        "binary": lambda: recording.proto().SerializeToString(),
        "SDK": lambda: (recording.sdk(), recording.run_id),
    }[form]()
    [history] = read(source)
    assert isinstance(history, History)
    with Decoder(Turning()) as decoder:
        spans = to_spans(decoder.decode(history), SHOWN)
    assert rendered(spans) == rendered(to_spans(research().read(), SHOWN))


def test_without_decode_payloads_usage_is_read_and_content_stays_encoded() -> None:
    history = decoded(encoded(research()), Turning())
    spans = to_spans(history, HIDDEN)
    calls = [span for span in spans if span.name == "chat gpt-4o"]
    assert [call.attributes[c.USAGE_INPUT] for call in calls] == [101, 102, 101]
    contents = {value for span in spans for key, value in span.attributes.items() if c.is_content(key)}
    assert contents <= {"<encoded>", '["<encoded>","<encoded>"]', "null"}
    assert {span.status_message for span in spans} == {"", "Encoded failure"}
    said = (
        "where to",
        "Rome",
        "asks",
        "remember",
        "new plan",
        "changed",
        "ticket",
        "ordered",
        "found",
        "fly",
        "no plane",
        "too many",
    )
    assert [words for words in said if f"'{words}" in repr(spans)] == []


def test_messages_of_models_in_a_decoded_ledger_quote_payloads_and_stay_inside() -> None:
    from tracing.ledger import Ledger, LedgerSpan, encode_ledger  # noqa: PLC0415 - this test's own

    recording = Recording()
    task = recording.task()
    scheduled = recording.activity(task)
    started = recording.attempt(scheduled)
    time = recording.events[started - 1].event_time.ToNanoseconds()
    call = LedgerSpan(
        span_id="1" * 16,
        name="chat gpt-4o",
        start=time,
        end=time,
        attributes={
            c.OPERATION: "chat",
            c.INPUT_MESSAGES: '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
        },
    )
    record = Ledger(run=recording.run_id, activity="1", attempt=1, started=time // 1000, duration=1, spans=[call])
    recording.complete_activity(scheduled, payload('"x"', **{c.HEADER: encode_ledger(record)}))
    history = decoded(encoded(recording), Turning())

    def messages(config: TracingConfig) -> list[object]:
        return [span.attributes.get(c.INPUT_MESSAGES) for span in to_spans(history, config) if "chat" in span.name]

    assert messages(HIDDEN) == [None]
    assert messages(SHOWN) == ['[{"role":"user","parts":[{"type":"text","content":"hi"}]}]']


def test_a_codec_that_has_nothing_to_do_changes_nothing() -> None:
    history = research().read()
    with Decoder(Failing()) as decoder:
        assert decoder.decode(history) is history


def test_a_codec_that_changes_what_it_is_given_reveals_nothing() -> None:
    class Careless(Turning):
        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            for given, plain in zip(payloads, await super().decode(payloads), strict=True):
                given.CopyFrom(plain)
            return list(payloads)

    recording = encoded(research())
    raw = recording.proto().SerializeToString()
    [history] = read((recording.sdk(), recording.run_id))
    assert isinstance(history, History)
    with Decoder(Careless()) as decoder:
        spans = to_spans(decoder.decode(history), HIDDEN)
    assert spans[0].attributes[c.INPUT_VALUE] == "<encoded>"
    assert recording.proto().SerializeToString() == raw


def test_content_off_shows_nothing_with_a_codec_either() -> None:
    spans = to_spans(decoded(encoded(research()), Turning()), TracingConfig(decode_payloads=True))
    assert not [key for span in spans for key in span.attributes if c.is_content(key)]


def test_redaction_comes_after_decoding() -> None:
    config = TracingConfig(
        capture_content=True, decode_payloads=True, redact=lambda _key, text: text.replace("Rome", "…")
    )
    root = to_spans(decoded(encoded(research()), Turning()), config)[0]
    assert root.attributes[c.OUTPUT_VALUE] == "…, by train"


def test_a_codec_is_told_whose_payloads_it_gets() -> None:
    codec = Contextual()
    decoded(encoded(research()), codec)
    workflow = WorkflowSerializationContext(namespace="default", workflow_id="wf")
    activity = ActivitySerializationContext(
        namespace="default",
        activity_id="1",
        activity_type="call_llm",
        activity_task_queue="queue",
        workflow_id="wf",
        workflow_type="Research",
        is_local=False,
    )
    assert codec.seen["where to?"] == codec.seen["Rome, by train"] == codec.seen["remember"] == workflow
    assert codec.seen["asks"] == workflow  # a summary is the workflow's
    assert codec.seen["ask"] == codec.seen["7"] == codec.seen["Rome"] == activity
    child = WorkflowSerializationContext(namespace="default", workflow_id="child")
    assert codec.seen["to the child"] == codec.seen["done"] == child
    assert vars(codec.seen["a ticket"]) == vars(codec.seen["ordered"])
    assert vars(codec.seen["a ticket"]) == {"endpoint": "shop", "service": "Orders", "operation": "order"}
    local = codec.seen["found"]
    assert isinstance(local, ActivitySerializationContext)
    assert (local.activity_id, local.activity_type, local.is_local) == ("9", "look_up", True)


class TestDefects:
    def test_a_wrong_key_is_one_defect_for_all_payloads(self, caplog: pytest.LogCaptureFixture) -> None:
        history = decoded(encoded(research()), Failing())
        [defect] = history.defects
        assert defect == (
            "17 payloads in events 1, 5, 6, 7, 8 and 10 more cannot be decoded: the codec raises KeyError. "
            "They stay encoded, and usage in there is unknown."
        )
        # What the codec itself says is for the user's eyes: defects stand on the run's span.
        assert caplog.messages == ["A payload cannot be decoded: the codec raises KeyError ('key of 2024')"]
        assert (history.decoded, history.undecoded) == (False, 17)
        plain = encoded(research()).read()
        root, *steps = to_spans(history, SHOWN)
        assert rendered(steps) == rendered(to_spans(plain, SHOWN)[1:])
        assert root.attributes[c.DEFECTS] == (defect,)

    def test_one_lost_payload_leaves_the_others_of_its_field(self) -> None:
        recording = Recording(input={"payloads": [payload('"one"'), payload('"two"'), payload('"three"')]})
        recording.task()
        history = decoded(encoded(recording), Failing(failing=lambda it: it.data == turned(payload('"two"')).data))
        [defect] = history.defects
        assert defect == (
            "A payload in event 1 cannot be decoded: the codec raises KeyError. It stays encoded, and "
            "usage in there is unknown."
        )
        assert to_spans(history, SHOWN)[0].attributes[c.INPUT_VALUE] == '["one","<encoded>","three"]'

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda _payloads: None, "the codec gave something else than payloads"),
            (lambda _payloads: ["x"], "the codec gave something else than payloads"),
            (lambda _payloads: b"x", "the codec gave something else than payloads"),
            (lambda _payloads: [], "the codec gave 0 payloads for 1"),
        ],
    )
    def test_what_is_no_payload(self, answer: Callable[[Any], Any], reason: str) -> None:
        recording = Recording(input={"payloads": [payload('"x"')]})
        recording.task()
        [defect] = decoded(encoded(recording), Answering(answer)).defects
        assert reason in defect

    def test_a_codec_may_make_several_payloads_of_one(self) -> None:
        recording = Recording(input={"payloads": [payload('"x"')]})
        recording.task()
        history = decoded(encoded(recording), Answering(lambda _payloads: [payload('"a"'), payload('"b"')]))
        assert history.defects == ()
        assert to_spans(history, SHOWN)[0].attributes[c.INPUT_VALUE] == '["a","b"]'

    def test_but_not_where_there_is_room_for_one(self) -> None:
        recording = Recording()
        scheduled = recording.activity(recording.task(), summary="asks")
        history = decoded(encoded(recording), Answering(lambda _payloads: [payload('"a"'), payload('"b"')]))
        [defect] = history.defects
        assert defect.startswith(f"A payload in event {scheduled} cannot be decoded: the codec gave 2 payloads for 1.")

    def test_a_bomb_stays_packed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracing.decoding.one_history.MAX_PAYLOAD_BYTES", 10 << 10)
        recording = Recording(input={"payloads": [payload(json.dumps("x" * (20 << 10)))]})
        recording.task()
        packed = encoded(recording, lambda it: asyncio.run(Zipping().encode([it]))[0])
        history = decoded(packed, Zipping())
        assert "it decodes to more than" in history.defects[0]
        assert to_spans(history, SHOWN)[0].attributes[c.INPUT_VALUE] == "<encoded>"

    def test_many_bombs_do_not_add_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracing.decoding.one_history.MAX_HISTORY_BYTES", 50)
        monkeypatch.setattr("tracing.decoding.one_history.FIELDS_AT_A_TIME", 1)
        [defect] = decoded(encoded(research()), Turning()).defects
        assert "the payloads of its history decode to more than" in defect

    def test_a_codec_that_hangs_is_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracing.decoding.guarded_codec.SECONDS", 0.01)

        class Hanging(Turning):
            async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
                await asyncio.Event().wait()
                return list(payloads)

        recording = Recording(input={"payloads": [payload('"x"')]})
        recording.task()
        [defect] = decoded(encoded(recording), Hanging()).defects
        assert "the codec took more than 0.01 s" in defect

    def test_a_codec_that_refuses_its_context(self) -> None:
        class Refusing(Contextual):
            def with_context(self, context: Any) -> Contextual:
                raise LookupError(type(context).__name__)

        recording = Recording(input={"payloads": [payload('"x"')]})
        recording.task()
        [defect] = decoded(encoded(recording), Refusing()).defects
        assert "the codec raises LookupError." in defect


def test_a_decoder_can_be_used_inside_an_event_loop() -> None:
    async def use() -> History:
        return decoded(encoded(research()), Turning())

    assert asyncio.run(use()).decoded


def test_closing_twice_is_closing() -> None:
    decoder = Decoder(Turning())
    decoder.close()
    decoder.close()


def test_only_what_decodes_can_be_given() -> None:
    with pytest.raises(ValueError, match="it is no codec but int"):
        Decoder(7)
    assert issubclass(Turning, PayloadCodec)


class TestWhole:
    """For one who can come back later, what is away is no reason to leave payloads encoded."""

    @staticmethod
    def one_payload() -> History:
        recording = Recording(input={"payloads": [payload('"x"')]})
        recording.task()
        return encoded(recording).read()

    def test_a_codec_that_cannot_connect_raises_until_it_can(self) -> None:
        with Decoder(Away(times=1)) as decoder:
            with pytest.raises(DecodingError, match=r"the codec raises ConnectionRefusedError \(vault:8200\)"):
                decoder.decode(self.one_payload(), whole=True)
            assert decoder.decode(self.one_payload(), whole=True).undecoded == 0

    def test_otherwise_its_payloads_stay_encoded(self) -> None:
        with Decoder(Away(times=1)) as decoder:
            assert decoder.decode(self.one_payload()).undecoded == 1

    def test_a_lost_key_is_waited_for_by_nobody(self) -> None:
        with Decoder(Failing()) as decoder:
            assert decoder.decode(self.one_payload(), whole=True).undecoded == 1

    def test_closing_gives_up_what_is_being_decoded(self) -> None:
        asked = threading.Event()

        class Hanging(Turning):
            async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
                asked.set()
                await asyncio.Event().wait()
                return list(payloads)

        decoder = Decoder(Hanging())
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(decoder.decode, self.one_payload())
            assert asked.wait(60)
            decoder.close()
            assert isinstance(waiting.exception(60), CancelledError)
