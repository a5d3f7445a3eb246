"""The ledger beside an attempt's outcome: put there ahead of codecs, read over by every converter, never in the way."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure as FailureProto
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    PayloadCodec,
    WithSerializationContext,
)
from temporalio.exceptions import ApplicationError, FailureError

from tests.live.attempts import RUN_ID, WorkerAttempt
from tracing.config import TracingConfig
from tracing.ledger import read_ledger
from tracing.live import converter as converter_module
from tracing.live.converter import LedgerDataConverter

if TYPE_CHECKING:
    from collections.abc import Sequence


class Encrypting(PayloadCodec):
    """Turns bytes around, and hides the metadata with them: enough to show what goes through a codec."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/encrypted"}, data=payload.SerializeToString()[::-1])
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


ENCRYPTED = dataclasses.replace(DataConverter.default, payload_codec=Encrypting())
ENCODED_FAILURES = dataclasses.replace(
    DataConverter.default, failure_converter_class=DefaultFailureConverterWithEncodedAttributes
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


def ledger_in(payload: Payload) -> bytes | None:
    return payload.metadata.get("durable-trace")


def readable(data: bytes | None) -> bool:
    return read_ledger(data, run_id=RUN_ID, activity_id="1", attempt=1) is not None


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

    async def test_what_is_encoded_by_no_attempt_has_none(self) -> None:
        payloads = await LedgerDataConverter.around(DataConverter.default).encode(["a", "b"])
        assert payloads == await DataConverter.default.encode(["a", "b"])

    async def test_a_codec_covers_it(self) -> None:
        payload = await finish(WorkerAttempt(), LedgerDataConverter.around(ENCRYPTED), "secret")
        assert dict(payload.metadata) == {"encoding": b"binary/encrypted"}
        [inside] = await Encrypting().decode([payload])
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
        assert ledger_in((await Encrypting().decode([payload]))[0]) is None
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
        [inside] = await Encrypting().decode([failure.encoded_attributes])
        assert readable(ledger_in(inside))
        assert [(span.attributes["error.type"], span.status.name) for span in attempt.let_go] == [("Boom", "ERROR")]

    async def test_without_a_ledger_failures_stay_as_they_were(self) -> None:
        attempt = WorkerAttempt(TracingConfig(ledger=False))
        failure = await fail(attempt, LedgerDataConverter.around(DataConverter.default), self.ERROR)
        assert not failure.HasField("encoded_attributes")
        assert [span.status.name for span in attempt.let_go] == ["ERROR"]


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
        converter = dataclasses.replace(LedgerDataConverter.around(DataConverter.default), payload_codec=Encrypting())
        payload = await finish(WorkerAttempt(), converter, "secret")
        [inside] = await Encrypting().decode([payload])
        assert readable(ledger_in(inside))

    async def test_the_serialization_context_reaches_the_users_converter(self) -> None:
        seen: list[str] = []

        class Contextual(DefaultPayloadConverter, WithSerializationContext):
            def with_context(self, context: Any) -> Contextual:
                seen.append(context.activity_id)
                return self

        own = dataclasses.replace(DataConverter.default, payload_converter_class=Contextual)
        converter = LedgerDataConverter.around(own).with_context(
            ActivitySerializationContext(
                namespace="default",
                workflow_id="research-1",
                workflow_type="Research",
                activity_type="call_llm",
                activity_id="1",
                activity_task_queue="research",
                is_local=False,
            )
        )
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

    async def test_failures_of_a_users_own_converter_class_are_stamped_too(self) -> None:
        class Shouting(DefaultFailureConverter):
            def to_failure(self, exception: BaseException, payload_converter: Any, failure: FailureProto) -> None:
                super().to_failure(exception, payload_converter, failure)
                failure.message = failure.message.upper()

        own = dataclasses.replace(DataConverter.default, failure_converter_class=Shouting)
        failure = await fail(WorkerAttempt(), LedgerDataConverter.around(own), ApplicationError("boom"))
        assert failure.encoded_attributes.data == b'{"message":"BOOM","stack_trace":""}'
