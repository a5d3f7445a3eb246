"""A run with everything that a report shows, and its replay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cost.runs import CONTENT, REFUSED, Attempt, Call, RecordedRun, at
from tracing import conventions as c
from tracing import waiting_for_person
from tracing.config import TracingConfig
from tracing.payloads import Payload
from tracing.replay import Replay, ReplayedStep, replay_spans
from tracing.spans.model import NS_PER_S
from tracing.spans.signal import signal_span
from tracing.spans.step import Outcome
from tracing.spans.timer import timer_span
from tracing.spans.wait import Answer, Wait

if TYPE_CHECKING:
    from tracing.spans.model import Span

QUESTION = "Which database engines support durable execution, and what do they cost to run?"


def asked(start: float, end: float, cost: float | None, tokens: tuple[int, int], answer: str) -> Call:
    """A model call with its messages."""
    question = [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
    reply = [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
    system = [{"type": "text", "content": "You are a careful research assistant."}]
    return Call(
        start,
        end,
        cost,
        *tokens,
        cached=tokens[0] // 2,
        reasoning=tokens[1] // 4,
        more={
            c.SYSTEM_INSTRUCTIONS: json.dumps(system),
            c.INPUT_MESSAGES: json.dumps(question),
            c.OUTPUT_MESSAGES: json.dumps(reply),
        },
    )


def research_run() -> list[Span]:
    """A research agent whose worker was killed twice."""
    run = RecordedRun("0198f2c1-77aa-7e31-9c1e-3f1c5a20b7d4", workflow_id="research-durable-execution")
    given, refused = json.dumps({"topic": QUESTION}), Call(16.1, 16.4, None, error="RateLimitError")
    plan = asked(1.6, 3.8, 0.0046325, (1009, 211), "1. Temporal 2. DBOS 3. Restate")
    first = asked(16.6, 19.8, 0.0080775, (2003, 307), "Temporal keeps each step's result in an event history.")
    broken = asked(20.6, 21.9, 0.0022675, (503, 101), "{not JSON")
    summary = asked(23.1, 29.8, 0.0115125, (3001, 401), "Durable execution trades storage for repeated work.")
    (
        run.step("call_llm", 1, 4, Attempt(1.5, 3.9, [plan]), given=given, result='"a plan"')
        .step("search_web", 4, 6, Attempt(4.9, 5.9), given='"Temporal"', result='["…"]')
        .step("search_web", 4, 5.5, Attempt(4.6, 5.4), given='"DBOS"', result='["…"]')
        .step("call_llm", 6, 20, Attempt(16, 19.9, [refused, first], number=2), given=given, result='"a synthesis"')
        .step(
            "call_llm",
            20,
            30,
            Attempt(20.5, 22, [broken], number=1, failure=REFUSED),
            Attempt(23, 29.9, [summary], number=2),
            given=given,
            result='"a summary"',
        )
        .step("generate_report", 41, 43, Attempt(41.5, 42.9), given='"a summary"', result='"# Durable execution"')
    )
    root, *steps = run.spans(45, timeouts=(40.0,), given=given, result='"# Durable execution"')
    timer = timer_span(TracingConfig(), run.run, "1", start=at(30), outcome=Outcome(at(31)), timeout=1_000_000_000)
    signal = signal_span(TracingConfig(), run.run, "approve", event_id=40, time=at(35), given=[])
    return [root, *steps, timer, signal]


def approval_run() -> list[Span]:
    """An agent whose draft nobody looked at for a day; then somebody else approved it within the hour."""
    hour = 3600.0
    run = RecordedRun("0198f2c1-77aa-7e31-9c1e-3f1c5a20b7d5", workflow_id="approval-1", workflow_type="ApprovalGate")
    run.step("call_llm", 0, 3, Attempt(0.5, 2.5, [asked(0.6, 2.4, 0.0046325, (1009, 211), "A draft.")]))
    run.step("generate_report", 25 * hour, 25 * hour + 1, Attempt(25 * hour + 0.2, 25 * hour + 0.9))
    approved = Wait("answered", [Answer("update", "decision-1", "decide", "grace")])
    waits = [(3.0, 24 * hour, Wait("timed_out")), (24 * hour, 25 * hour, approved)]
    about = Payload(f'"{waiting_for_person("approval of the draft")}"'.encode(), {"encoding": b"json/plain"})
    timers = [
        timer_span(
            CONTENT,
            run.run,
            str(number),
            start=at(start),
            outcome=Outcome(at(end)),
            timeout=86_400 * NS_PER_S,
            summary=about,
            wait=wait,
        )
        for number, (start, end, wait) in enumerate(waits, 1)
    ]
    root, *steps = run.spans(25 * hour + 2)
    return [root, *steps, *timers]


def replay_of_research_run() -> list[Span]:
    """Its replay, which reproduced it."""
    spans = research_run()
    ids = [span for span in spans if span.name.startswith(c.start_activity(""))]
    begin, ms = at(600), 1_000_000
    replay = Replay(
        replay_id="replay-1",
        namespace="default",
        workflow_id="research-durable-execution",
        run_id=str(spans[0].attributes[c.RUN_ID]),
        workflow_type="ResearchAgentWorkflow",
        outcome="reproduced",
        message="",
        started=begin,
        duration=40 * ms,
        steps=tuple(
            ReplayedStep(
                "activity",
                str(span.attributes[c.ACTIVITY_TYPE]),
                str(span.attributes[c.ACTIVITY_ID]),
                1,
                begin + (4 + 5 * number) * ms,
                begin + (8 + 5 * number) * ms,
            )
            for number, span in enumerate(ids)
        ),
    )
    return replay_spans(replay, spans, TracingConfig())


def run_of_days() -> list[Span]:
    """A run that waited for days: for timers, for a worker, and for the next attempt."""
    hour = 3600.0
    run = RecordedRun("0198f2c1-77aa-7e31-9c1e-000000000005", workflow_id="watch-prices", workflow_type="PriceWatch")
    timers = []
    for day in range(3):
        begin = day * 24 * hour
        asking = asked(begin + 2.2, begin + 6, 0.003, (900, 120), "No change.")
        run.step("call_llm", begin + 1, begin + 7, Attempt(begin + 2, begin + 6.5, [asking]))
        end = at((day + 1) * 24 * hour)
        timers.append(
            timer_span(
                TracingConfig(), run.run, str(day), start=at(begin + 8), outcome=Outcome(end), timeout=86_400 * 10**9
            )
        )
    begin = 72 * hour
    refused = Attempt(begin + 6 * hour, begin + 6 * hour + 9, number=1, failure=REFUSED)
    run.step(
        "buy", begin + 1, begin + 8 * hour + 20, refused, Attempt(begin + 8 * hour, begin + 8 * hour + 15, number=2)
    )
    root, *steps = run.spans(begin + 8 * hour + 30)
    return [root, *steps, *timers]
