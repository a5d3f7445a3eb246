"""The record of an attempt beside its result: what it keeps, how it gives way, and what of it is believed."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tracing.ledger import (
    MAX_DECODED_BYTES,
    MAX_STORED_BYTES,
    Ledger,
    LedgerEvent,
    LedgerSpan,
    encode_ledger,
    fit_ledger,
    read_ledger,
)
from tracing.ledger_spans import inner_span_fields, ledger_span
from tracing.spans.model import Event, Span, SpanKind, StatusCode

ATTEMPT = 0x3AD2377CCF84F419
STARTED_NS = 1_763_884_800_123_456_000

CHAT = Span(
    trace_id=0x0884FD559F037FEB254717F53BE6BB10,
    span_id=0x1111111111111111,
    parent_id=ATTEMPT,
    name="chat gpt-4o",
    kind=SpanKind.CLIENT,
    start=STARTED_NS + 1_000_000,
    end=STARTED_NS + 9_000_000,
    attributes={
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 101,
        "gen_ai.usage.output_tokens": 53,
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hello"}]}]',
        "gen_ai.conversation.id": "chat-17",
        "durable.cost.usd": 0.00078,
        "durable.cost.source": "genai-prices 0.2.3",
        "server.address": "api.openai.com",
        "http.response.status_code": 200,
        "url.full": "https://api.openai.com/v1/chat/completions?key=secret",
        "session.id": "chat-17",
    },
    status=StatusCode.ERROR,
    status_message="rate limited",
    events=(
        Event(
            "exception",
            STARTED_NS + 8_000_000,
            {
                "exception.type": "RateLimitError",
                "exception.message": "slow down",
                "exception.stacktrace": "Traceback …",
                "exception.escaped": "False",
            },
        ),
    ),
    scope="opentelemetry.instrumentation.openai",
)
"""A model call as its instrumentation recorded it."""


def ledger_of(*spans: LedgerSpan, cut: int = 0) -> Ledger:
    return Ledger(
        run="run-1",
        activity="1",
        attempt=2,
        started=STARTED_NS // 1_000,
        duration=12_000_000,
        identity="worker-1",
        resource={"service.name": "agents"},
        spans=list(spans),
        cut=cut,
    )


def read(data: bytes | None) -> Ledger | None:
    return read_ledger(data, run_id="run-1", activity_id="1", attempt=2)


def plain(**changes: Any) -> bytes:
    return msgspec.json.encode({"v": 1, **msgspec.to_builtins(ledger_of()), **changes})


def test_a_ledger_is_this_json() -> None:
    ledger = ledger_of(LedgerSpan("1111111111111111", "execute_tool add", STARTED_NS, STARTED_NS + 5))
    assert msgspec.json.decode(encode_ledger(ledger)) == {
        "v": 1,
        "run": "run-1",
        "activity": "1",
        "attempt": 2,
        "started": 1_763_884_800_123_456,
        "duration": 12_000_000,
        "identity": "worker-1",
        "resource": {"service.name": "agents"},
        "spans": [
            {
                "i": "1111111111111111",
                "n": "execute_tool add",
                "s": 1_763_884_800_123_456_000,
                "e": 1_763_884_800_123_456_005,
            }
        ],
    }


def test_without_content_it_keeps_usage_and_identity_only() -> None:
    assert msgspec.to_builtins(ledger_span(CHAT, ATTEMPT, content=False)) == {
        "i": "1111111111111111",
        "n": "chat gpt-4o",
        "k": 3,
        "s": 1_763_884_800_124_456_000,
        "e": 1_763_884_800_132_456_000,
        "st": 2,
        "a": {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 101,
            "gen_ai.usage.output_tokens": 53,
            "durable.cost.usd": 0.00078,
            "durable.cost.source": "genai-prices 0.2.3",
            "server.address": "api.openai.com",
            "http.response.status_code": 200,
        },
        "ev": [{"n": "exception", "t": 1_763_884_800_131_456_000, "a": {"exception.type": "RateLimitError"}}],
        "sc": "opentelemetry.instrumentation.openai",
    }


def test_with_content_it_keeps_messages_and_exception_texts_too() -> None:
    without, with_ = ledger_span(CHAT, ATTEMPT, content=False), ledger_span(CHAT, ATTEMPT, content=True)
    assert with_ == msgspec.structs.replace(
        without,
        attributes=without.attributes
        | {"gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hello"}]}]'},
        status_message="rate limited",
        events=[
            LedgerEvent(
                "exception",
                1_763_884_800_131_456_000,
                {
                    "exception.type": "RateLimitError",
                    "exception.message": "slow down",
                    "exception.stacktrace": "Traceback …",
                },
            )
        ],
    )


def test_a_parent_inside_the_attempt_is_kept() -> None:
    inner = ledger_span(replace(CHAT, parent_id=0x2222222222222222), ATTEMPT, content=False)
    assert inner.parent_id == "2222222222222222"


def test_a_small_ledger_stays_json_a_large_one_is_compressed() -> None:
    small, large = ledger_of(), ledger_of(*[ledger_span(CHAT, ATTEMPT, content=True)] * 20)
    assert encode_ledger(small).startswith(b'{"v":1,')
    assert encode_ledger(large).startswith(b"x\x9c")
    assert len(encode_ledger(large)) < 700
    assert (read(encode_ledger(small)), read(encode_ledger(large))) == (small, large)


def test_two_model_calls_take_about_a_kibibyte_at_most() -> None:
    calls = [ledger_span(replace(CHAT, span_id=span_id), ATTEMPT, content=False) for span_id in (1, 2)]
    assert len(encode_ledger(ledger_of(*calls))) < 1_024


@pytest.mark.parametrize(
    ("run_id", "activity_id", "attempt"),
    [("run-2", "1", 2), ("run-1", "2", 2), ("run-1", "1", 1)],
    ids=["another run", "another activity", "another attempt"],
)
def test_a_ledger_that_was_carried_elsewhere_is_ignored(run_id: str, activity_id: str, attempt: int) -> None:
    data = encode_ledger(ledger_of())
    assert read_ledger(data, run_id=run_id, activity_id=activity_id, attempt=attempt) is None


def test_where_the_attempt_is_not_known_any_of_the_activity_counts() -> None:
    assert read_ledger(encode_ledger(ledger_of()), run_id="run-1", activity_id="1") == ledger_of()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\x00\x01", id="neither JSON nor compressed"),
        pytest.param(plain(v=2), id="a later scheme"),
        pytest.param(plain(attempt=0), id="no attempt"),
        pytest.param(plain(attempt="2"), id="attempt of another type"),
        pytest.param(plain(duration=-1), id="negative duration"),
        pytest.param(plain(duration=1 << 63), id="endless duration"),
        pytest.param(plain(started=1 << 60), id="start beyond the calendar"),
        pytest.param(plain(scheduled=-1), id="scheduled before the epoch"),
        pytest.param(plain(scheduled=1 << 60), id="scheduled beyond the calendar"),
        pytest.param(plain(heartbeats=-1), id="negative heartbeats"),
        pytest.param(plain(spans=[{"i": "1"}]), id="a span without times"),
        pytest.param(plain(identity="i" * MAX_STORED_BYTES), id="too large"),
        pytest.param(zlib.compress(plain())[:-12], id="compressed and cut"),
        pytest.param(zlib.compress(b"[" * 100_000), id="nested without end"),
    ],
)
def test_a_broken_ledger_is_no_ledger(data: bytes | None) -> None:
    assert read(data) is None


def test_a_decompression_bomb_is_ignored() -> None:
    bomb = zlib.compress(plain() + b" " * (64 << 20))
    assert len(bomb) < MAX_STORED_BYTES < MAX_DECODED_BYTES < 64 << 20
    assert read(bomb) is None


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    assert read(data) is None
    assert read(zlib.compress(data)) is None
    assert read(b"{" + data) is None


class TestFit:
    """What a ledger gives up to stay within its limit, level by level."""

    ledger = ledger_of(
        *(
            ledger_span(
                replace(CHAT, span_id=span_id, attributes=CHAT.attributes | {"gen_ai.response.id": text}),
                ATTEMPT,
                content=True,
            )
            for span_id, text in ((1, "f3a0c41b"), (2, "9e77d205"), (3, "0b5c88fe"))
        )
    )

    @staticmethod
    def levels(ledger: Ledger) -> list[tuple[Ledger | None, int]]:
        """The ledger and its cut, each time with one byte less than it took before."""
        levels, limit = [], 10_000
        while True:
            data, cut = fit_ledger(ledger, limit)
            levels.append((read(data), cut))
            if data is None:
                return levels
            assert len(data) <= limit
            limit = len(data) - 1

    def test_within_its_limit_nothing_is_cut(self) -> None:
        assert self.levels(self.ledger)[0] == (self.ledger, 0)

    def test_first_goes_content(self) -> None:
        ledger, cut = self.levels(self.ledger)[1]
        assert cut == 6  # of each span the messages and the exception
        assert ledger
        assert ledger.cut == cut
        assert [(span.status_message, span.events, list(span.attributes)) for span in ledger.spans[:1]] == [
            (
                "",
                [],
                [
                    "gen_ai.operation.name",
                    "gen_ai.provider.name",
                    "gen_ai.request.model",
                    "gen_ai.request.temperature",
                    "gen_ai.response.id",
                    "gen_ai.response.finish_reasons",
                    "gen_ai.usage.input_tokens",
                    "gen_ai.usage.output_tokens",
                    "durable.cost.usd",
                    "durable.cost.source",
                    "server.address",
                    "http.response.status_code",
                ],
            )
        ]

    def test_then_everything_but_usage_and_cost(self) -> None:
        ledger, cut = self.levels(self.ledger)[2]
        assert cut == 21
        assert ledger
        assert [msgspec.to_builtins(span) for span in ledger.spans[:1]] == [
            {
                "i": "0000000000000001",
                "n": "chat gpt-4o",
                "k": 3,
                "s": 1_763_884_800_124_456_000,
                "e": 1_763_884_800_132_456_000,
                "st": 2,
                "a": {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.usage.input_tokens": 101,
                    "gen_ai.usage.output_tokens": 53,
                    "durable.cost.usd": 0.00078,
                    "durable.cost.source": "genai-prices 0.2.3",
                },
                "sc": "opentelemetry.instrumentation.openai",
            }
        ]

    def test_of_many_calls_then_the_spans_but_not_their_sums(self) -> None:
        many = msgspec.structs.replace(self.ledger, spans=self.ledger.spans * 20, rest={"durable.llm.calls": 2})
        ledger, cut = self.levels(many)[3]
        assert cut == 39 * 20
        assert ledger
        assert (ledger.spans, ledger.duration) == ([], self.ledger.duration)
        assert ledger.rest == {
            "durable.llm.calls": 62,  # with those that had no span before
            "durable.llm.input_tokens": 6_060,
            "durable.llm.output_tokens": 3_180,
            "durable.llm.cached_input_tokens": 0,
            "durable.llm.reasoning_tokens": 0,
            "durable.llm.unknown_cost_calls": 0,
            "durable.llm.cost": 0.0468,
        }

    def test_at_last_the_whole_ledger(self) -> None:
        assert self.levels(self.ledger)[3:] == [(None, 39)]

    def test_what_was_left_out_before_counts_as_well(self) -> None:
        cuts = [cut for _, cut in self.levels(msgspec.structs.replace(self.ledger, cut=5))]
        assert cuts == [5, 11, 26, 44]


class TestReadingSpans:
    """A recorded span as it is believed: IDs, times and attributes are checked one by one."""

    recorded = LedgerSpan(
        "1111111111111111",
        "chat gpt-4o",
        STARTED_NS,
        STARTED_NS + 5,
        attributes={"gen_ai.usage.input_tokens": 101, "gen_ai.response.finish_reasons": ["stop"]},
    )

    def test_a_parent_left_out_is_the_attempt(self) -> None:
        assert inner_span_fields(self.recorded, ATTEMPT) == (
            0x1111111111111111,
            ATTEMPT,
            {"gen_ai.usage.input_tokens": 101, "gen_ai.response.finish_reasons": ("stop",)},
            (),
        )

    def test_attributes_that_are_not_allowed_are_dropped(self) -> None:
        hostile = msgspec.structs.replace(
            self.recorded,
            attributes={
                "gen_ai.usage.output_tokens": 53,
                "gen_ai.usage.input_tokens": 1 << 70,
                "temporalRunID": "run-2",
                "session.id": "another",
                "gen_ai.conversation.id": "another",
                "user.id": "eve",
                "url.full": "https://example.com",
            },
            events=[LedgerEvent("exception", STARTED_NS, {"exception.type": "ValueError", "user.id": "eve"})],
        )
        assert inner_span_fields(hostile, ATTEMPT) == (
            0x1111111111111111,
            ATTEMPT,
            {"gen_ai.usage.output_tokens": 53},
            (Event("exception", STARTED_NS, {"exception.type": "ValueError"}),),
        )

    @pytest.mark.parametrize(
        "broken",
        [
            {"span_id": ""},
            {"span_id": "not hex"},
            {"span_id": "0000000000000000"},
            {"span_id": "1" * 17},
            {"span_id": "-111111111111111"},
            {"parent_id": "not hex"},
            {"parent_id": "0000000000000000"},
            {"start": -1},
            {"end": 1 << 63},
            {"events": [LedgerEvent("exception", -1)]},
        ],
        ids=str,
    )
    def test_a_span_with_broken_ids_or_times_is_left_out(self, broken: dict[str, Any]) -> None:
        assert inner_span_fields(msgspec.structs.replace(self.recorded, **broken), ATTEMPT) is None
