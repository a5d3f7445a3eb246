"""Activities in another process, in a real pool: what ended there is recorded and sent here."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest

from tests.agent.conftest import server_process
from tests.live.attempts import pooled
from tests.live.attempts.attempts import ATTEMPT_SPAN, WorkerAttempt
from tracing.config import TracingConfig
from tracing.live.attempts import process_pool
from tracing.live.attempts.process_pool import pooled_executor
from tracing.spans.inner import inner_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

TRACE = 0x0884FD559F037FEB254717F53BE6BB10
ON = TracingConfig(capture_content=True)


@pytest.fixture(scope="module")
def pool() -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def run(pool: concurrent.futures.ProcessPoolExecutor) -> Callable[..., Any]:
    """Run a function for an attempt, in the pool, as the SDK's worker does."""

    def run(attempt: WorkerAttempt, function: Callable[..., Any], *args: Any) -> Any:
        executor = pooled_executor(pool, attempt.attempt)
        assert executor
        return executor.submit(function, *args).result(60)

    return run


def test_threads_and_async_activities_need_none_of_it() -> None:
    attempt = WorkerAttempt().attempt
    assert pooled_executor(None, attempt) is None
    with concurrent.futures.ThreadPoolExecutor() as threads:
        assert pooled_executor(threads, attempt) is threads


def test_the_attempt_is_around_the_code(run: Callable[..., Any]) -> None:
    assert run(WorkerAttempt(), pooled.what_is_around) == (TRACE, ATTEMPT_SPAN, True)
    assert run(WorkerAttempt(sampled=False), pooled.what_is_around) == (TRACE, ATTEMPT_SPAN, False)


class TestSpans:
    def test_are_recorded_and_sent_as_the_export_makes_them_of_the_ledger(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt(ON)
        assert run(attempt, pooled.ask, "why?") == "WHY?"
        ledger = attempt.ledger()
        assert [span.name for span in ledger.spans] == ["chat gpt-4o", "execute_tool search"]
        place = attempt.attempt.place
        assert attempt.let_go == [
            inner_span(ON, place.run, ledger, recorded, place.span_id) for recorded in ledger.spans
        ]
        chat, search = attempt.let_go
        assert (chat.trace_id, chat.parent_id, search.parent_id) == (TRACE, ATTEMPT_SPAN, ATTEMPT_SPAN)
        assert chat.attributes["durable.cost.usd"] == 0.0007825
        assert chat.attributes["output.value"] == '{"role":"assistant","content":"because"}'
        assert search.attributes["input.value"] == '{"query":"why?"}'
        assert chat.attributes["temporalRunID"] == place.run.run_id

    def test_without_content_have_none(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt()
        run(attempt, pooled.ask, "why?")
        assert "why" not in str(attempt.let_go).lower()
        assert attempt.let_go[0].attributes["gen_ai.usage.input_tokens"] == 101

    def test_of_an_unsampled_run_are_recorded_only(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt(sampled=False)
        run(attempt, pooled.ask, "why?")
        assert attempt.let_go == []
        assert [span.name for span in attempt.ledger().spans] == ["chat gpt-4o", "execute_tool search"]

    def test_come_back_with_an_error_that_stays_as_it_was(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt()
        with pytest.raises(LookupError) as raised:
            run(attempt, pooled.ask_and_fail, "why?")
        assert (type(raised.value), raised.value.args, vars(raised.value)) == (LookupError, ("why?", 17), {})
        assert [span.name for span in attempt.let_go] == ["chat gpt-4o", "execute_tool search"]

    def test_are_lost_where_the_result_cannot_come_back(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt()
        with pytest.raises(TypeError, match="cannot pickle"):
            run(attempt, pooled.ask_and_give_what_cannot_be_pickled, "why?")
        assert attempt.let_go == []

    def test_of_a_provider_over_there_are_sent_once_from_here(self, run: Callable[..., Any]) -> None:
        assert run(WorkerAttempt(), pooled.trace_with_a_provider_of_its_own) == ["it is set now"]
        attempt = WorkerAttempt()
        assert run(attempt, pooled.trace_with_a_provider_of_its_own) == []
        assert [span.name for span in attempt.let_go] == ["chat gpt-4o"]

    def test_of_openais_client_where_this_process_has_instrumented_it(
        self, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process_pool, "openai_instrumented", lambda: True)
        attempt = WorkerAttempt()
        with server_process("agent.local.model_server") as model:
            assert run(attempt, pooled.ask_openai, model.url) == "ChatCompletion"
        [chat] = attempt.let_go
        assert (chat.name, chat.scope) == ("chat gpt-4o", "opentelemetry.instrumentation.genai.openai")
        assert {"gen_ai.usage.input_tokens", "durable.cost.usd", "temporalRunID"} <= chat.attributes.keys()
        assert [span.name for span in attempt.ledger().spans] == ["chat gpt-4o"]


class TestRedaction:
    def test_a_redactor_that_can_be_pickled_is_called_over_there(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt(dataclasses.replace(ON, redact=hide))
        run(attempt, pooled.ask, "ada@example.com")
        assert attempt.let_go[1].attributes["input.value"] == '{"query":"[mail]"}'
        assert "ada@" not in str(attempt.ledger()).lower()

    def test_without_it_there_is_no_content(self, run: Callable[..., Any]) -> None:
        attempt = WorkerAttempt(dataclasses.replace(ON, redact=lambda _key, text: text))
        run(attempt, pooled.ask, "why?")
        assert "why" not in str(attempt.ledger()).lower()
        assert attempt.let_go[0].attributes["gen_ai.usage.input_tokens"] == 101


def hide(_key: str, text: str) -> str:
    return text.replace("ada@example.com", "[mail]").replace("ADA@EXAMPLE.COM", "[mail]")


class TestFailOpen:
    def test_what_cannot_be_traced_just_runs(
        self, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
    ) -> None:
        monkeypatch.setattr(process_pool, "openai_instrumented", lambda: 1 / 0)
        attempt = WorkerAttempt()
        assert run(attempt, pooled.ask, "why?") == "WHY?"
        assert attempt.let_go == []
        assert "an activity in another process" in tracing_log[0]

    def test_what_comes_back_broken_leaves_the_result(
        self, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
    ) -> None:
        attempt = WorkerAttempt()
        monkeypatch.setattr(attempt.attempt, "add_inner", lambda *_: 1 / 0)
        assert run(attempt, pooled.ask, "why?") == "WHY?"
        assert "an activity in another process" in tracing_log[0]

    def test_one_that_is_cancelled_before_it_runs_never_does(self) -> None:
        class Full(concurrent.futures.Executor):
            def __init__(self) -> None:
                self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()

            def submit(self, *_: Any, **__: Any) -> concurrent.futures.Future[Any]:
                return self.future

        full = Full()
        executor = pooled_executor(full, WorkerAttempt().attempt)
        assert executor
        future = executor.submit(pooled.ask, "why?")
        assert future.cancel()
        assert full.future.cancelled()

    def test_a_pool_that_breaks_says_so(self) -> None:
        attempt = WorkerAttempt()
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            executor = pooled_executor(pool, attempt.attempt)
            assert executor
            with pytest.raises(concurrent.futures.BrokenExecutor):
                executor.submit(pooled.die).result(60)
        assert attempt.let_go == []
