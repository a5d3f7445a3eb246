"""With a spool, what an exporter cannot take now arrives later, in order and once; nobody waits for it."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags

from tests.live.delivery.spooling import Backend, Spooled, eventually, files
from tests.live.delivery.spooling_attempt import attempt_in
from tests.live.delivery.test_emitter import SPAN
from tracing.config import TracingConfig
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.drops import drops
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.exporter import PromptBatchProcessor, ReportingExporter
from tracing.live.delivery.spool import delivery
from tracing.live.delivery.spool.records import Kind, scan
from tracing.live.delivery.spool.setup import add_spool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    drops.reset()
    monkeypatch.setattr(delivery, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "LONGEST_WAIT_SECONDS", 0.02)


def test_what_has_arrived_leaves_the_spool(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path)
    spooled.span("chat gpt-4o", "embeddings")
    assert spooled.spool.waiting() == 2
    spooled.flush()
    assert (spooled.backend.names, spooled.spool.waiting()) == (["chat gpt-4o", "embeddings"], 0)
    spooled.close()
    assert files(tmp_path) == []


def test_a_process_that_ends_while_its_exporter_is_down_leaves_its_spans(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path, Backend(up=False))
    spooled.span("chat gpt-4o")
    spooled.close()
    assert files(tmp_path) == ["lock", "spool"]
    later = Spooled(tmp_path)
    eventually(lambda: later.backend.names == ["chat gpt-4o"])
    later.close()


def test_an_exporter_that_was_down_gets_everything_when_it_is_up(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path, Backend(up=False))
    names = [f"span {number}" for number in range(20)]
    spooled.span(*names)
    spooled.flush()
    eventually(lambda: ["span 1"] in spooled.backend.batches)  # it is asked with one at a time
    spooled.backend.up = True
    eventually(lambda: len(spooled.backend.names) == 20)
    assert sorted(spooled.backend.names) == sorted(names)
    assert drops.total == 0
    spooled.close()
    assert files(tmp_path) == []


def test_an_exporter_that_raises_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spooled = Spooled(tmp_path)
    export = spooled.backend.export
    calls: list[int] = []

    def once_broken(spans: Any) -> Any:
        calls.append(len(spans))
        if len(calls) == 1:
            raise ConnectionError("no route")
        return export(spans)

    monkeypatch.setattr(spooled.backend, "export", once_broken)
    spooled.span("chat gpt-4o")
    spooled.flush()
    eventually(lambda: spooled.backend.names == ["chat gpt-4o"])
    spooled.close()


def test_a_span_that_is_refused_keeps_no_other_and_is_given_up(tmp_path: Path, tracing_log: list[str]) -> None:
    spooled = Spooled(tmp_path, Backend(refuses={"poison"}))
    spooled.span("a", "poison", "b")
    spooled.flush()
    eventually(lambda: sorted(spooled.backend.names) == ["a", "b"])
    # That it is this span, and not the exporter, shows when others have arrived meanwhile.
    tries = spooled.backend.batches.count(["poison"])
    eventually(lambda: spooled.backend.batches.count(["poison"]) > tries)
    spooled.span("c")
    spooled.flush()
    eventually(lambda: drops.dropped == {"refused": 1})
    assert tracing_log == ["Backend refuses a span again and again, while it takes others: it is given up."]
    spooled.close()
    assert files(tmp_path) == []


def test_a_span_that_was_damaged_on_the_disk_is_named_and_keeps_no_other(
    tmp_path: Path, tracing_log: list[str]
) -> None:
    spooled = Spooled(tmp_path, Backend(up=False))
    spooled.span("a", "b", "c")
    [path] = tmp_path.glob("*.spool")
    [damaged, *_] = [record for record in scan(path.read_bytes()).records if record.kind is Kind.ENDED]
    with path.open("r+b") as file:
        file.seek(damaged.offset + 1)
        file.write(bytes(damaged.size - 1))
    spooled.flush()
    eventually(lambda: spooled.backend.batches[1:] != [])
    spooled.backend.up = True
    eventually(lambda: spooled.spool.waiting() == 0)
    assert sorted(spooled.backend.names) == ["b", "c"]
    assert tracing_log == [f"A span in {path} cannot be read: it is skipped."]
    assert drops.dropped == {"unreadable": 1}
    spooled.close()


class TestAFullQueue:
    """A hanging exporter: the queue fills up, and the agent does not wait."""

    def test_leaves_spans_to_the_spool(self, tmp_path: Path) -> None:
        spooled = Spooled(tmp_path, queue=2)
        spooled.backend.answers.clear()
        spooled.span("a", "b")
        flushing = threading.Thread(target=spooled.flush)
        flushing.start()
        assert spooled.backend.asked.wait(30)
        spooled.span("c", "d", "e", "f")  # returns, though the exporter does not
        assert spooled.spool.waiting() == 6
        spooled.backend.answers.set()
        flushing.join()
        eventually(lambda: (spooled.flush(), len(spooled.backend.names))[1] == 6)
        assert sorted(spooled.backend.names) == ["a", "b", "c", "d", "e", "f"]
        assert drops.total == 0
        spooled.close()

    def test_drops_and_counts_where_the_spool_is_full_as_well(self, tmp_path: Path, tracing_log: list[str]) -> None:
        spooled = Spooled(tmp_path, max_bytes=0, queue=2)
        spooled.backend.answers.clear()
        spooled.span("a", "b")
        flushing = threading.Thread(target=spooled.flush)
        flushing.start()
        assert spooled.backend.asked.wait(30)
        spooled.span("c", "d", "e")
        assert (drops.dropped, drops.unspooled) == ({"queue_full": 1}, 5)
        spooled.backend.answers.set()
        flushing.join()
        spooled.flush()
        assert spooled.backend.names == ["a", "b", "c", "d"]
        assert tracing_log == [
            (
                f"The spool {tmp_path} takes no more spans (holds 0 bytes). They are exported all the same, if they "
                "can be; a worker that is killed loses them. DURABLE_TRACE_SPOOL_MAX_BYTES sets its size."
            )
        ]
        spooled.close()

    def test_without_a_spool_is_counted_and_said_once(self, tracing_log: list[str]) -> None:
        backend = Backend()
        backend.answers.clear()
        processor = PromptBatchProcessor(ReportingExporter(backend, "http://collector:4318/v1/traces", "of.the.test"))
        processor._batch_processor._max_queue_size = 2
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(processor)
        for name in ("a", "b", "c", "d"):
            provider.get_tracer("test").start_span(name).end()
        # One that is recorded for the ledger alone, and not sampled, never was to be queued.
        unsampled = ReadableSpan("e", SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT)))
        processor.on_end(unsampled)
        assert drops.dropped == {"queue_full": 2}
        assert len([said for said in tracing_log if "Spans do not arrive" in said]) == 1
        backend.answers.set()
        provider.shutdown()


def test_the_user_is_told_where_spans_are_that_do_not_arrive(tmp_path: Path, tracing_log: list[str]) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    reporting = ReportingExporter(Backend(up=False), "http://collector:4318/v1/traces", "of.the.test")
    provider.add_span_processor(PromptBatchProcessor(reporting))
    prepare_provider(provider)
    add_spool(provider, TracingConfig(spool=str(tmp_path)))
    provider.get_tracer("test").start_span("chat gpt-4o").end()
    provider.shutdown()
    assert tracing_log == [
        (
            "Spans do not arrive at http://collector:4318/v1/traces (no answer). The agent goes on. Start a Collector "
            "there, or set OTEL_EXPORTER_OTLP_ENDPOINT to one that runs; `durable-trace doctor` checks it, and the "
            f"spool {tmp_path} keeps them until they do."
        ),
        (
            f"1 spans were not exported to http://collector:4318/v1/traces. They are in {tmp_path}: the next process "
            "that uses this spool sends them."
        ),
    ]
    assert drops.total == 0


class TestAnApplicationsProvider:
    """Its own processors and exporters get the spool, too."""

    def test_with_two_exporters_each_gets_what_it_lacks(self, tmp_path: Path) -> None:
        good, down = Backend(), Backend(up=False)
        provider = TracerProvider(shutdown_on_exit=False)
        for backend in (good, down):
            provider.add_span_processor(BatchSpanProcessor(backend, schedule_delay_millis=10_000_000))
        prepare_provider(provider)
        add_spool(provider, TracingConfig(spool=str(tmp_path)))
        provider.get_tracer("test").start_span("chat gpt-4o").end()
        provider.force_flush()
        down.up = True
        eventually(lambda: down.names == ["chat gpt-4o"])
        provider.shutdown()
        assert good.names == ["chat gpt-4o"]
        assert files(tmp_path) == []

    def test_with_a_simple_processor(self, tmp_path: Path) -> None:
        backend = Backend(up=False)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(backend))
        prepare_provider(provider)
        add_spool(provider, TracingConfig(spool=str(tmp_path)))
        provider.get_tracer("test").start_span("chat gpt-4o").end()
        backend.up = True
        eventually(lambda: backend.names == ["chat gpt-4o"])
        provider.shutdown()
        assert files(tmp_path) == []

    def test_with_processors_in_threads_of_their_own(self, tmp_path: Path) -> None:
        backend = Backend()
        provider = TracerProvider(active_span_processor=ConcurrentMultiSpanProcessor(), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(backend, schedule_delay_millis=10_000_000))
        prepare_provider(provider)
        add_spool(provider, TracingConfig(spool=str(tmp_path)))
        provider.get_tracer("test").start_span("chat gpt-4o").end()
        [path] = tmp_path.glob("*.spool")
        assert b"chat gpt-4o" in path.read_bytes()
        provider.shutdown()
        assert backend.names == ["chat gpt-4o"]
        assert files(tmp_path) == []

    def test_without_an_exporter_has_no_use_for_one(self, tmp_path: Path, tracing_log: list[str]) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        add_spool(provider, TracingConfig(spool=str(tmp_path)))
        assert files(tmp_path) == []
        assert tracing_log[0].startswith("The tracer provider has no exporter yet that a spool could be put before")


class TestASpanOfOurs:
    """It waits in the outbox before it comes to the span processors."""

    def test_is_kept_from_the_moment_it_ends(self, tmp_path: Path) -> None:
        spooled = Spooled(tmp_path)
        emitter = Emitter(spooled.provider)
        emitter.keep(SPAN)
        assert spooled.spool.waiting() == 1
        emitter.emit(SPAN)
        assert spooled.spool.waiting() == 1
        spooled.flush()
        assert (spooled.backend.names, spooled.spool.waiting()) == (["StartActivity:call_llm"], 0)
        spooled.close()

    def test_is_sent_by_the_spool_where_the_outbox_dropped_it(self, tmp_path: Path) -> None:
        spooled = Spooled(tmp_path)
        emitter = Emitter(spooled.provider)
        emitter.keep(SPAN)
        emitter.fail(SPAN)
        eventually(lambda: spooled.backend.names == ["StartActivity:call_llm"])
        spooled.close()

    def test_that_no_exporter_is_given_is_forgotten(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        spooled = Spooled(tmp_path)
        monkeypatch.setattr(spooled.processor, "on_end", lambda _: None)  # a processor that sends some spans only
        emitter = Emitter(spooled.provider)
        emitter.keep(SPAN)
        emitter.emit(SPAN)
        assert spooled.spool.waiting() == 0
        spooled.close()

    def test_that_another_process_will_end_is_not_waited_for(self, tmp_path: Path) -> None:
        spooled = Spooled(tmp_path)
        attempt = attempt_in(spooled.provider)
        Emitter(spooled.provider).dismiss(attempt.place.run.trace_id, attempt.place.span_id)
        spooled.close()
        assert files(tmp_path) == []


def test_one_thread_sends_again_however_many_ask_for_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled = Spooled(tmp_path)
    spooled.taken_over()
    exporter: Any = spooled.processor.span_exporter
    asking = [threading.Thread(target=exporter.begin_resending) for _ in range(4)]
    senders: list[threading.Thread] = []
    start = threading.Thread.start

    def slowly(thread: threading.Thread) -> None:
        if thread not in asking:
            senders.append(thread)
            time.sleep(0.05)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", slowly)
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert [sender.name for sender in senders] == ["durable-trace-spool-sender"]
    spooled.close()


def test_a_forked_child_has_a_file_of_its_own(tmp_path: Path) -> None:
    spooled = Spooled(tmp_path, Backend(up=False))
    spooled.span("of the parent")
    [before] = tmp_path.glob("*.spool")
    content = before.read_bytes()
    child = os.fork()
    if child == 0:
        try:
            spooled.span("of the child")
            os.kill(os.getpid(), 9)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 9
    assert before.read_bytes() == content
    assert len(list(tmp_path.glob("*.spool"))) == 2
    # The child is dead, the parent is not: who starts now takes over what is the child's.
    other = Spooled(tmp_path)
    eventually(lambda: other.backend.names == ["of the child"])
    other.close()
    assert other.backend.names == ["of the child"]
    spooled.backend.up = True
    spooled.close()
    assert spooled.backend.names == ["of the parent"]
    assert files(tmp_path) == []
