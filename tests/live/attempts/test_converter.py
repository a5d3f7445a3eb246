"""The ledger beside an attempt's outcome: put there ahead of codecs, read over by every converter, never in the way."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import traceback
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import ANY

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure as FailureProto
from temporalio.common import RetryPolicy
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError, FailureError

from tests.decoding.codecs import Turning
from tests.live.attempts.attempts import RUN_ID, WorkerAttempt
from tracing.config import TracingConfig
from tracing.ledger import read_ledger
from tracing.live.attempts import converter as converter_module
from tracing.live.attempts.converter import LedgerDataConverter
from tracing.spans.model import StatusCode

if TYPE_CHECKING:
    from collections.abc import Sequence


ENCRYPTED = dataclasses.replace(DataConverter.default, payload_codec=Turning())
ENCODED_FAILURES = dataclasses.replace(
    DataConverter.default, failure_converter_class=DefaultFailureConverterWithEncodedAttributes
)
ACTIVITY = ActivitySerializationContext(
    namespace="default",
    workflow_id="research-1",
    workflow_type="Research",
    activity_type="call_llm",
    activity_id="1",
    activity_task_queue="research",
    is_local=False,
)
VALUES = [None, "text", {"a": [1]}, b"bytes", 17]


async def finish(attempt: WorkerAttempt, converter: DataConverter, value: Any) -> Payload:
    """Encode a value as a worker encodes the result of an attempt: in the task that ran it."""

    async def task() -> Payload:
        attempt.attempt.finish()
        [payload] = await converter.encode([value])
        return payload

    return await asyncio.create_task(task())


async def fail(attempt: WorkerAttempt, converter: DataConverter, error: BaseException) -> FailureProto:
    async def task() -> FailureProto:
        attempt.attempt.finish()
        failure = FailureProto()
        await converter.encode_failure(error, failure)
        return failure

    return await asyncio.create_task(task())


async def plainly(error: BaseException) -> FailureProto:
    failure = FailureProto()
    await DataConverter.default.encode_failure(error, failure)
    return failure


def ledger_in(payload: Payload) -> bytes | None:
    return payload.metadata.get("durable-trace")


def readable(data: bytes | None, attempt: int = 1) -> bool:
    return read_ledger(data, run_id=RUN_ID, activity_id="1", attempt=attempt) is not None


def _deep(frames: int) -> None:
    if frames:
        _deeper(frames)
    raise ApplicationError("boom")


def _deeper(frames: int) -> None:
    # Python writes a line that calls itself only once.
    _deep(frames - 1)


class TestResults:
    @pytest.mark.parametrize("value", VALUES, ids=repr)
    async def test_every_converter_reads_the_value_as_before(self, value: Any) -> None:
        attempt = WorkerAttempt()
        payload = await finish(attempt, LedgerDataConverter.around(DataConverter.default), value)
        assert readable(ledger_in(payload))
        assert await DataConverter.default.decode([payload]) == [value]
        assert await LedgerDataConverter.around(DataConverter.default).decode([payload]) == [value]
        assert [span.name for span in attempt.let_go] == ["RunActivity:call_llm"]

    async def test_what_is_encoded_after_it_has_no_ledger(self) -> None:
        attempt = WorkerAttempt()
        converter = LedgerDataConverter.around(DataConverter.default)
        attempt.attempt.finish()
        [first] = await converter.encode(["a"])
        [second] = await converter.encode(["b"])
        assert (readable(ledger_in(first)), ledger_in(second)) == (True, None)

    async def test_what_a_client_is_asked_for_before_it_has_none(self) -> None:
        """An interceptor of the user's around ours signals when the activity has returned."""
        converter = LedgerDataConverter.around(DataConverter.default)
        own = converter.with_context(ACTIVITY)
        attempt = WorkerAttempt()
        attempt.attempt.finish()
        signalling = converter.with_context(WorkflowSerializationContext("default", "research-1"))
        [signal] = await signalling.encode(["done"])
        failed = FailureProto()
        await signalling.encode_failure(ApplicationError("of another"), failed)
        [result] = await own.encode(["a"])
        assert ledger_in(signal) is None
        assert failed == await plainly(ApplicationError("of another"))
        assert readable(ledger_in(result))
        assert [span.name for span in attempt.let_go] == ["RunActivity:call_llm"]

    async def test_what_is_encoded_by_no_attempt_has_none(self) -> None:
        payloads = await LedgerDataConverter.around(DataConverter.default).encode(["a", "b"])
        assert payloads == await DataConverter.default.encode(["a", "b"])

    async def test_a_codec_covers_it(self) -> None:
        payload = await finish(WorkerAttempt(), LedgerDataConverter.around(ENCRYPTED), "secret")
        assert dict(payload.metadata) == {"encoding": b"binary/encrypted"}
        [inside] = await Turning().decode([payload])
        assert readable(ledger_in(inside))
        assert await ENCRYPTED.decode([payload]) == ["secret"]

    async def test_it_gives_way_where_the_result_would_grow_too_large(
        self, monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
    ) -> None:
        monkeypatch.setattr(converter_module, "MAX_RESULT_BYTES", 300)
        attempt = WorkerAttempt()
        with attempt.inside(), attempt.provider.get_tracer("app").start_as_current_span("chat gpt-4o") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
        payload = await finish(attempt, LedgerDataConverter.around(ENCRYPTED), "a" * 250)
        assert await ENCRYPTED.decode([payload]) == ["a" * 250]
        assert ledger_in((await Turning().decode([payload]))[0]) is None
        assert [span.attributes["durable.ledger.cut"] for span in attempt.let_go] == [1]
        assert tracing_log == [
            "The ledger of activity 1 (attempt 1) was left out: its result would have grown beyond 2 MiB"
        ]


class TestFailures:
    ERROR = ApplicationError("boom", "details", type="Boom", non_retryable=True)

    @pytest.mark.parametrize(
        "plain", [DataConverter.default, ENCODED_FAILURES, ENCRYPTED], ids=["plain", "encoded", "codec"]
    )
    async def test_every_converter_reads_the_error_as_before(self, plain: DataConverter) -> None:
        error = ApplicationError("boom", "details", type="Boom", non_retryable=True)
        error.__cause__ = ValueError("inner")
        expected = FailureProto()
        await plain.encode_failure(error, expected)
        attempt = WorkerAttempt()
        failure = await fail(attempt, LedgerDataConverter.around(plain), error)
        for one, other in ((failure, expected), (failure.cause, expected.cause)):
            assert (one.message, one.application_failure_info) == (other.message, other.application_failure_info)
        read, before = await plain.decode_failure(failure), await plain.decode_failure(expected)
        assert isinstance(read, ApplicationError)
        assert isinstance(before, ApplicationError)
        assert (read.message, read.type, read.details, read.non_retryable) == ("boom", "Boom", ("details",), True)
        assert read.failure
        assert before.failure
        assert read.failure.stack_trace == before.failure.stack_trace
        assert isinstance(read.__cause__, FailureError)
        assert read.__cause__.message == "inner"

    async def test_the_ledger_is_in_the_encoded_attributes(self) -> None:
        failure = await fail(WorkerAttempt(), LedgerDataConverter.around(DataConverter.default), self.ERROR)
        assert readable(ledger_in(failure.encoded_attributes))
        assert failure.encoded_attributes.data == b'{"message":"boom","stack_trace":""}'

    async def test_a_codec_covers_it(self) -> None:
        attempt = WorkerAttempt()
        failure = await fail(attempt, LedgerDataConverter.around(ENCRYPTED), self.ERROR)
        assert dict(failure.encoded_attributes.metadata) == {"encoding": b"binary/encrypted"}
        [inside] = await Turning().decode([failure.encoded_attributes])
        assert readable(ledger_in(inside))
        assert [(span.attributes["error.type"], span.status.name) for span in attempt.let_go] == [("Boom", "ERROR")]

    async def test_without_a_ledger_failures_stay_as_they_were(self) -> None:
        attempt = WorkerAttempt(TracingConfig(ledger=False))
        failure = await fail(attempt, LedgerDataConverter.around(DataConverter.default), self.ERROR)
        assert not failure.HasField("encoded_attributes")
        assert [span.status.name for span in attempt.let_go] == ["ERROR"]


class TestFailuresThatAreRetried:
    """The server keeps them in 4 KiB, and cuts a larger one, with all that is encoded in it."""

    RETRIED: ClassVar[dict[str, Any]] = {"attempt": 4}
    LAST: ClassVar[dict[str, Any]] = {"attempt": 5}
    LOCAL: ClassVar[dict[str, Any]] = {"attempt": 4, "is_local": True}
    FINAL: ClassVar[dict[str, Any]] = {
        "attempt": 4,
        "retry_policy": RetryPolicy(non_retryable_error_types=["Boom"]),
    }

    @staticmethod
    def attempt(info: dict[str, Any]) -> WorkerAttempt:
        """An attempt that has made a model call, with its prompt, of which the ledger's skeleton takes 400 bytes."""
        attempt = WorkerAttempt(TracingConfig(capture_content=True), info=info)
        with attempt.inside(), attempt.provider.get_tracer("app").start_as_current_span("chat gpt-4o") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.usage.input_tokens", 12)
            span.set_attribute("gen_ai.input.messages", random.Random(1).randbytes(5_000).hex())
        return attempt

    async def stored(self, info: dict[str, Any], message: str, *, retryable: bool = True) -> tuple[int, list[str]]:
        """Size of the failure, and the attributes of the model call in its ledger, else what it sums up."""
        error = ApplicationError(message, type="Boom", non_retryable=not retryable)
        failure = await fail(self.attempt(info), LedgerDataConverter.around(DataConverter.default), error)
        assert failure.message == message
        ledger = read_ledger(ledger_in(failure.encoded_attributes), run_id=RUN_ID, activity_id="1")
        if ledger is None:
            return failure.ByteSize(), []
        return failure.ByteSize(), sorted(ledger.spans[0].attributes if ledger.spans else ledger.rest)

    USAGE: ClassVar[list[str]] = ["gen_ai.operation.name", "gen_ai.usage.input_tokens"]
    ALL: ClassVar[list[str]] = ["gen_ai.input.messages", *USAGE]
    SUMS: ClassVar[list[str]] = [
        "durable.llm.cached_input_tokens",
        "durable.llm.calls",
        "durable.llm.cost",
        "durable.llm.input_tokens",
        "durable.llm.output_tokens",
        "durable.llm.reasoning_tokens",
        "durable.llm.unknown_cost_calls",
    ]

    async def test_content_gives_way_before_usage(self) -> None:
        size, attributes = await self.stored(self.RETRIED, "boom")
        assert size <= 4096
        assert attributes == self.USAGE

    @pytest.mark.parametrize(
        ("info", "retryable"),
        [(LAST, True), (LOCAL, True), (RETRIED, False), (FINAL, True)],
        ids=["its last attempt", "a local activity", "not retryable", "of a type that the policy does not retry"],
    )
    async def test_what_is_not_retried_keeps_all(self, info: dict[str, Any], retryable: bool) -> None:  # noqa: FBT001
        _, attributes = await self.stored(info, "boom", retryable=retryable)
        assert attributes == self.ALL

    @pytest.mark.parametrize("length", range(1_700, 1_960, 20))
    async def test_it_is_never_larger_than_the_server_keeps(self, length: int) -> None:
        # The message stands in it twice: SDKs read it beside the ledger, too.
        size, attributes = await self.stored(self.RETRIED, "m" * length)
        assert size <= 4096
        assert attributes in ([], self.SUMS, self.USAGE)

    async def test_its_stack_traces_give_way_to_usage_and_both_readers_show_what_is_left(self) -> None:
        attempt = self.attempt(self.RETRIED)
        try:
            _deep(20)
        except ApplicationError as error:
            whole = "\n".join(traceback.format_tb(error.__traceback__))
            failure = await fail(attempt, LedgerDataConverter.around(DataConverter.default), error)
        assert len(whole) > 2_000
        assert failure.ByteSize() <= 4096
        assert readable(ledger_in(failure.encoded_attributes), attempt=4)
        told = json.loads(failure.encoded_attributes.data)
        assert (told["message"], told["stack_trace"]) == (failure.message, failure.stack_trace) == ("boom", ANY)
        assert failure.stack_trace.startswith("  ...\n\n  File")
        assert whole.endswith(failure.stack_trace.removeprefix("  ...\n\n"))
        [span] = attempt.let_go
        assert [event.attributes["exception.stacktrace"] for event in span.events] == [failure.stack_trace]

    async def test_where_nobody_sees_what_happens_there_is_no_ledger_and_stack_traces_stay(self) -> None:
        attempt = WorkerAttempt(info=self.RETRIED, with_provider=False)
        try:
            _deep(60)
        except ApplicationError as error:
            whole = "\n".join(traceback.format_tb(error.__traceback__))
            failure = await fail(attempt, LedgerDataConverter.around(DataConverter.default), error)
        assert len(whole) > 4_096
        assert whole.endswith(failure.stack_trace)
        assert len(failure.stack_trace) > 4_096

    async def test_without_room_it_stays_as_it_was(self) -> None:
        attempt = self.attempt(self.RETRIED)
        failure = await fail(attempt, LedgerDataConverter.around(DataConverter.default), ApplicationError("m" * 2_100))
        assert not failure.HasField("encoded_attributes")
        assert [span.attributes["durable.ledger.cut"] for span in attempt.let_go] == [3]

    async def test_a_codec_that_makes_it_larger(self) -> None:
        class Swelling(Turning):
            async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
                return [Payload(data=each.data * 16) for each in await super().encode(payloads)]

        attempt = self.attempt(self.RETRIED)
        converter = dataclasses.replace(DataConverter.default, payload_codec=Swelling())
        failure = await fail(attempt, LedgerDataConverter.around(converter), ApplicationError("boom"))
        assert (failure.message, failure.HasField("encoded_attributes")) == ("boom", False)
        assert [span.attributes["durable.ledger.cut"] for span in attempt.let_go] == [3]


class TestComposition:
    """The user's converter stays the user's: class, methods, codec, context."""

    def test_around_itself_it_is_itself(self) -> None:
        converter = LedgerDataConverter.around(ENCRYPTED)
        assert LedgerDataConverter.around(converter) is converter

    def test_a_subclass_of_the_users_stays_one(self) -> None:
        @dataclasses.dataclass(frozen=True)
        class Own(DataConverter):
            region: str = "eu"

            def where(self) -> str:
                return self.region

        converter = LedgerDataConverter.around(Own(region="us"))
        assert isinstance(converter, Own)
        assert isinstance(converter, LedgerDataConverter)
        assert (converter.where(), type(converter).__name__) == ("us", "LedgerOwn")

    async def test_fields_can_be_replaced(self) -> None:
        converter = dataclasses.replace(LedgerDataConverter.around(DataConverter.default), payload_codec=Turning())
        payload = await finish(WorkerAttempt(), converter, "secret")
        [inside] = await Turning().decode([payload])
        assert readable(ledger_in(inside))

    async def test_the_serialization_context_reaches_the_users_converter(self) -> None:
        seen: list[str] = []

        class Contextual(DefaultPayloadConverter, WithSerializationContext):
            def with_context(self, context: Any) -> Contextual:
                seen.append(context.activity_id)
                return self

        own = dataclasses.replace(DataConverter.default, payload_converter_class=Contextual)
        converter = LedgerDataConverter.around(own).with_context(ACTIVITY)
        assert isinstance(converter, LedgerDataConverter)
        assert readable(ledger_in(await finish(WorkerAttempt(), converter, "a")))
        assert seen == ["1"]


class TestFailOpen:
    async def test_a_ledger_that_cannot_be_made_leaves_the_result(
        self, monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
    ) -> None:
        attempt = WorkerAttempt()
        monkeypatch.setattr(attempt.attempt, "ledger", lambda: 1 / 0)
        converter = LedgerDataConverter.around(DataConverter.default)
        assert await finish(attempt, converter, "a") == Payload(metadata={"encoding": b"json/plain"}, data=b'"a"')
        assert len(tracing_log) == 1
        assert "the ledger of a result" in tracing_log[0]

    async def test_a_result_that_cannot_be_encoded_raises_what_it_always_raised(self) -> None:
        attempt = WorkerAttempt()
        converter = LedgerDataConverter.around(DataConverter.default)
        with pytest.raises(TypeError, match="not JSON serializable"):
            await finish(attempt, converter, object())
        # The worker then encodes that as the attempt's failure.
        assert attempt.let_go == []
        failure = await fail(attempt, converter, TypeError("not JSON serializable"))
        assert readable(ledger_in(failure.encoded_attributes))
        assert [span.attributes["error.type"] for span in attempt.let_go] == ["TypeError"]

    async def test_a_failure_that_cannot_be_encoded_ends_its_attempt(self) -> None:
        attempt = WorkerAttempt(TracingConfig(capture_content=True))
        converter = LedgerDataConverter.around(DataConverter.default)
        with pytest.raises(TypeError, match="not JSON serializable"):
            await fail(attempt, converter, ApplicationError("no such topic", object(), type="Unknown"))
        # The worker tells the server this instead.
        [span] = attempt.let_go
        assert (span.name, span.status, span.status_message, span.attributes["error.type"]) == (
            "RunActivity:call_llm",
            StatusCode.ERROR,
            "Failed building exception result: Object of type object is not JSON serializable",
            "ApplicationError",
        )

    async def test_failures_of_a_users_own_converter_class_are_stamped_too(self) -> None:
        class Shouting(DefaultFailureConverter):
            def to_failure(self, exception: BaseException, payload_converter: Any, failure: FailureProto) -> None:
                super().to_failure(exception, payload_converter, failure)
                failure.message = failure.message.upper()

        own = dataclasses.replace(DataConverter.default, failure_converter_class=Shouting)
        failure = await fail(WorkerAttempt(), LedgerDataConverter.around(own), ApplicationError("boom"))
        assert failure.encoded_attributes.data == b'{"message":"BOOM","stack_trace":""}'
