"""What tracing observes of itself: losses, from zero on, and the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import TracerProvider

from tests.live.metrics.counting import Counting
from tracing.live.delivery.drops import Drops
from tracing.live.delivery.spool.lost import LostAttempts
from tracing.live.delivery.spool.registry import set_spool
from tracing.live.delivery.spool.store import Spool
from tracing.live.metrics import health
from tracing.live.metrics.instruments import Metrics

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_lost_spans_are_observed_by_reason_from_zero_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, counting = Drops(), Counting()
    lost.add("queue_full", 3)
    monkeypatch.setattr(health, "drops", lost)
    # Two plugins in a process do not count twice.
    kept = [Metrics(counting.provider), Metrics(counting.provider)]
    points = counting.points()["durable.spans.dropped"]
    assert {point.attributes["durable.drop.reason"]: point.value for point in points} == {
        "outbox_full": 0,
        "queue_full": 3,
        "export_failed": 0,
        "refused": 0,
        "shutdown": 0,
        "unreadable": 0,
    }
    assert len(kept) == 2


def test_attempts_that_were_found_dead_in_the_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, counting = LostAttempts(), Counting()
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    place = {"temporal.workflow.type": "Research", "temporal.activity.type": "call_llm"}
    for attributes in (place | {"temporal.attempt": 1}, place | {"temporal.attempt": 2}, place):
        span = tracer.start_span("RunActivity:call_llm", attributes=attributes)
        lost.add(span)  # type: ignore[arg-type] # the SDK's spans are readable
    monkeypatch.setattr(health, "lost_attempts", lost)
    Metrics(counting.provider)
    [point] = counting.points()["durable.lost_attempts"]
    assert (point.value, point.attributes) == (2, place)


def test_a_spool_shows_its_size_its_limit_and_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting()
    monkeypatch.setattr(health, "spools", list)
    Metrics(counting.provider)
    assert not [name for name in counting.points() if name.startswith("durable.spool.")]

    spool, provider = Spool(tmp_path, 1_000_000), TracerProvider(shutdown_on_exit=False)
    set_spool(provider, spool)
    monkeypatch.setattr(health, "spools", lambda: [spool])
    holder = spool.add_exporter(lambda: None)
    with provider.get_tracer("test").start_as_current_span("chat gpt-4o") as span:
        pass
    spool.keep(span, holder)  # type: ignore[arg-type] # the SDK's spans are readable
    points = {name: found[0].value for name, found in counting.points().items() if name.startswith("durable.spool.")}
    assert points == {"durable.spool.size": spool.size(), "durable.spool.limit": 1_000_000, "durable.spool.waiting": 1}
    assert spool.size() == sum(file.stat().st_size for file in tmp_path.glob("*.spool")) > 0
    spool.close()
