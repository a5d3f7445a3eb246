"""Spans of recognised calls: the same from a worker's ledger as from history; and what hostile results do not do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any, cast

import msgspec
import pytest

from tests.recognisers.results import payload, recognised
from tests.recognisers.test_shapes import COMPLETION
from tracing import TracingConfig
from tracing.identity import recognised_span_id
from tracing.ledger import Ledger, encode_ledger, read_ledger
from tracing.payloads import Payload
from tracing.pricing import price_source
from tracing.recognisers import Call, Completed, Tokens, recognise, recognised_calls, registry
from tracing.runs import Run
from tracing.spans.inner import inner_span
from tracing.spans.model import Span

RUN = Run(
    namespace="default",
    workflow_id="research-1",
    run_id="0198c0de-0000-7000-8000-000000000001",
    workflow_type="Research",
    trace_id=0x0123456789ABCDEF0123456789ABCDEF,
    resource={"service.name": "agents"},
)
ATTEMPT = 0xFEDCBA9876543210
START, END = 1_764_000_000_000_000_000, 1_764_000_001_500_000_000


def spans_of(result: Payload, activity_type: str = "ask") -> list[Span]:
    """The spans of the calls in a result, out of a ledger, as both readers make them."""
    recorded = recognised_calls(
        activity_type, attempt_span_id=ATTEMPT, start=START, end=END, given=list, result=[result]
    )
    written = encode_ledger(Ledger(run=RUN.run_id, activity="1", attempt=1, started=0, duration=0, spans=recorded))
    ledger = read_ledger(written, run_id=RUN.run_id, activity_id="1")
    assert ledger is not None
    spans = [inner_span(TracingConfig(), RUN, ledger, span, ATTEMPT) for span in ledger.spans]
    return [span for span in spans if span is not None]


def test_a_span() -> None:
    [span] = spans_of(payload(COMPLETION))
    assert (span.trace_id, span.span_id, span.parent_id) == (RUN.trace_id, recognised_span_id(ATTEMPT, 1), ATTEMPT)
    assert (span.name, span.kind.name, span.start, span.end) == ("chat gpt-4o-2024-08-06", "CLIENT", START, END)
    shown = {key: value for key, value in span.attributes.items() if key.startswith(("gen_ai.usage", "durable"))}
    assert shown == {
        "gen_ai.usage.input_tokens": 101,
        "gen_ai.usage.output_tokens": 53,
        "gen_ai.usage.cache_read.input_tokens": 13,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "durable.recognised": "openai",
        "durable.cost.usd": 0.00076625,
        "durable.cost.input_usd": 0.00023625,
        "durable.cost.output_usd": 0.00053,
        "durable.cost.source": price_source(),
    }


def test_the_ids_are_derived() -> None:
    assert f"{recognised_span_id(ATTEMPT, 1):016x}" == "909263d460059a19"
    assert recognised_span_id(ATTEMPT, 2) != recognised_span_id(ATTEMPT, 1)


def test_it_takes_little_room() -> None:
    recorded = recognised_calls(
        "ask", attempt_span_id=ATTEMPT, start=START, end=END, given=list, result=[payload(COMPLETION)]
    )
    ledger = Ledger(run=RUN.run_id, activity="1", attempt=1, started=0, duration=0)
    grown = msgspec.structs.replace(ledger, spans=recorded)
    assert len(encode_ledger(grown)) - len(encode_ledger(ledger)) < 500


class TestWhatIsNotRead:
    def test_an_encrypted_result(self) -> None:
        assert spans_of(Payload(payload(COMPLETION).data, {"encoding": b"binary/encrypted"})) == []

    def test_a_result_of_more_than_a_megabyte(self) -> None:
        assert spans_of(payload({**COMPLETION, "padding": "a" * (1 << 20)})) == []

    def test_broken_json(self) -> None:
        assert spans_of(Payload(b'{"usage": ', {"encoding": b"json/plain"})) == []

    def test_json_that_nests_without_end(self) -> None:
        assert spans_of(Payload(b'{"usage":' * 50_000, {"encoding": b"json/plain"})) == []

    def test_what_stands_too_deep(self) -> None:
        value: Any = COMPLETION
        for _ in range(20):
            value = [value]
        assert recognised("ask", value) == []

    def test_more_than_a_hundred_calls(self) -> None:
        assert len(spans_of(payload([{**COMPLETION, "id": f"chatcmpl-{n}"} for n in range(1_000)]))) == 100


class TestAbsurdValues:
    def test_counts(self) -> None:
        usage = {"prompt_tokens": 1 << 60, "completion_tokens": -5, "total_tokens": True}
        [span] = spans_of(payload({**COMPLETION, "usage": usage}))
        assert not [key for key in span.attributes if key.startswith("gen_ai.usage")]
        assert "durable.cost.usd" not in span.attributes

    def test_names(self) -> None:
        [span] = spans_of(payload({**COMPLETION, "model": "m" * 10_000, "id": {"a": 1}}))
        assert span.name == "chat"
        assert "gen_ai.response.id" not in span.attributes


class TestRecognisersOfPackages:
    @pytest.fixture
    def add(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """Let a package's entry point name one."""

        def add(name: str, value: object) -> None:
            entry = EntryPoint(name, "mine:recognise", registry.ENTRY_POINTS)
            monkeypatch.setattr(EntryPoint, "load", lambda _: value if value is not None else missing())
            monkeypatch.setattr(registry, "entry_points", lambda **_: [entry])
            registry.added.cache_clear()

        def missing() -> None:
            raise ImportError("no module named mine")

        yield add
        registry.added.cache_clear()

    def test_are_asked_first_and_about_any_result(self, add: Any) -> None:
        def mine(completed: Completed) -> list[Call]:
            if completed.activity_type != "bots.ask":
                return []
            return [Call(provider="mine", request_model="bot-1", tokens=Tokens(input=completed.result["tokens"]))]

        add("mine", mine)
        assert recognised("bots.ask", {"tokens": 5}) == [
            ("mine", Call(provider="mine", request_model="bot-1", tokens=Tokens(input=5)))
        ]
        assert recognised("ask", COMPLETION)[0][0] == "openai"

    def test_one_that_fails_is_named_once_and_the_others_go_on(
        self, add: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(completed: Completed) -> list[Call]:
            raise KeyError(completed.activity_type)

        monkeypatch.setattr(recognise, "_failed", set())
        add("mine", broken)
        with caplog.at_level(logging.WARNING, "durable_trace"):
            assert [recognised("ask", COMPLETION)[0][0] for _ in range(2)] == ["openai", "openai"]
        assert caplog.messages == ["Recogniser mine failed on a result of ask: KeyError"]

    @pytest.mark.parametrize(
        "call", [{"usage": 1}, Call(request_model=cast("str", 7)), Call(tokens=Tokens(input=cast("int", "12")))]
    )
    def test_one_that_gives_something_else_fails(self, add: Any, monkeypatch: pytest.MonkeyPatch, call: Any) -> None:
        monkeypatch.setattr(recognise, "_failed", failed := set())
        add("mine", lambda _: [call])
        assert recognised("ask", COMPLETION)[0][0] == "openai"
        assert failed == {"mine"}

    def test_one_that_cannot_be_loaded_is_left_out(self, add: Any, caplog: pytest.LogCaptureFixture) -> None:
        add("mine", None)
        with caplog.at_level(logging.WARNING, "durable_trace"):
            assert recognised("ask", COMPLETION)[0][0] == "openai"
        assert caplog.messages == ["Recogniser mine cannot be loaded (no module named mine): it is left out"]
