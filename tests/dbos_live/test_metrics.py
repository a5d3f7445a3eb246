"""What is counted of DBOS workflows: what really ran, once; what DBOS took from its database, as reused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS, SetWorkflowID
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.dbos_live.conftest import OFF, Live, short, traced
from tests.dbos_live.test_recovery import Died
from tests.dbos_live.test_resumed import until
from tests.live.metrics.counting import Counting
from tracing import conventions as c
from tracing import llm_call

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
COST = pytest.approx(0.0035)
"""USD for a call of gpt-4o with 1,000 tokens in and 100 out."""


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def live(url: str, counting: Counting) -> Iterator[Live]:
    with traced(url, OFF, meter_provider=counting.provider) as running:
        yield running


def answer(prompt: str) -> str:
    with llm_call(model="gpt-4o", provider="openai") as call:
        call.usage(input_tokens=1_000, output_tokens=100)
    return f"{prompt}!"


def told(counting: Counting, name: str) -> dict[tuple[Any, ...], Any]:
    """What a metric counts, by step and what tells its values apart; histograms by how many values they have."""
    return {
        tuple(
            short(str(point.attributes[key]))
            for key in (c.ACTIVITY_TYPE, c.METRIC_OUTCOME, c.ERROR_TYPE, c.TOKEN_TYPE, c.METRIC_RECOVERY_CAUSE)
            if key in point.attributes
        ): point.value if hasattr(point, "value") else point.count
        for point in counting.points().get(name, [])
    }


def counted(live: Live, counting: Counting, *workflow_ids: str) -> dict[str, Any]:
    """Sums, once all that has ended is sent."""
    for workflow_id in workflow_ids:
        assert live.spans(workflow_id)
    return {name: value for name, value in counting.sums().items() if not name.endswith((".duration", ".size"))}


def test_calls_tokens_attempts_and_steps(live: Live, counting: Counting) -> None:
    tries: list[str] = []

    @DBOS.step(name="ask", retries_allowed=True, interval_seconds=0.01)
    def ask(prompt: str) -> str:
        tries.append(prompt)
        said = answer(prompt)
        if len(tries) == 1:
            raise TimeoutError
        return said

    @DBOS.step(name="note")
    def note(text: str) -> str:
        return text

    @DBOS.workflow(name="research")
    def research(topic: str) -> str:
        DBOS.sleep(0.01)
        return note(ask(topic))

    live.launch()
    with SetWorkflowID("w"):
        research("tides")
    assert counted(live, counting, "w") == {
        "durable.cost": pytest.approx(0.007),
        "durable.failed_cost": COST,
        "durable.calls": 2,
        "durable.tokens": 2_200,
        "durable.attempts": 3,
        "durable.steps": 3,
        "gen_ai.client.token.usage": 2_200,
    }
    assert told(counting, "durable.attempts") == {
        ("ask", "failed", "TimeoutError"): 1,
        ("ask", "completed"): 1,
        ("note", "completed"): 1,
    }
    assert told(counting, "durable.tokens") == {("ask", "input"): 2_000, ("ask", "output"): 200}
    durations = {name: sum(told(counting, name).values()) for name in counting.points() if name.endswith(".duration")}
    assert durations == {
        "durable.attempt.duration": 3,
        "durable.step.duration": 3,
        "durable.run.duration": 1,
        "gen_ai.client.operation.duration": 2,
    }
    assert told(counting, "durable.ledger.size") == {("ask",): 2}
    [cost] = counting.points()["durable.cost"]
    place = {"durable.engine": "dbos", "temporal.workflow.type": "research", "temporal.activity.type": "ask"}
    assert cost.attributes == place | CALL
    [run] = counting.points()["durable.run.duration"]
    assert run.attributes == {
        "durable.engine": "dbos",
        "temporal.workflow.type": "research",
        "temporal.run.status": "completed",
    }


def test_what_a_recovered_workflow_replays_is_reused_and_costs_nothing_again(live: Live, counting: Counting) -> None:
    alive: list[bool] = []

    @DBOS.step(name="ask")
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.step(name="note")
    def note(text: str) -> str:
        if not alive:
            raise Died
        return text

    @DBOS.workflow(name="research")
    def research(topic: str) -> str:
        return note(ask(ask(topic)))

    live.launch()
    with SetWorkflowID("w"), pytest.raises(Died):
        research("tides")
    before = counted(live, counting, "w")
    assert (before["durable.cost"], before["durable.steps"]) == (pytest.approx(0.007), 2)
    assert "durable.recoveries" not in before

    alive.append(True)
    DBOS.destroy()
    live.launch()  # takes up what was pending
    assert DBOS.retrieve_workflow("w").get_result() == "tides!!"
    after = counted(live, counting, "w")
    assert {name: after[name] for name in before} == before | {"durable.attempts": 3, "durable.steps": 3}
    assert {name: value for name, value in after.items() if name not in before} == {
        "durable.recoveries": 1,
        "durable.reused_steps": 2,
        "durable.reused_cost": pytest.approx(0.007),
    }
    assert told(counting, "durable.reused_steps") == {("ask", "worker_change"): 2}


def test_forks_and_what_is_resumed_reuse_too(live: Live, counting: Counting) -> None:
    cancelled: list[str] = []

    @DBOS.step(name="ask")
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.step(name="cancel")
    def cancel(text: str) -> str:
        if DBOS.workflow_id not in cancelled:
            cancelled.append(str(DBOS.workflow_id))
            DBOS.cancel_workflow(str(DBOS.workflow_id))
        return text

    @DBOS.workflow(name="research")
    def research(topic: str) -> str:
        return cancel(ask(ask(topic)))

    live.launch()
    with SetWorkflowID("w"), pytest.raises(BaseException, match="cancelled"):
        research("tides")
    until(lambda: any(c.RUN_STATUS in span.attributes for span in live.spans("w")))
    assert DBOS.resume_workflow("w").get_result() == "tides!!"
    counted(live, counting, "w")
    assert told(counting, "durable.recoveries") == {("resume",): 1}

    cancelled += ["fork", "again"]
    for fork, base in (("fork", "w"), ("again", "fork")):  # what the second takes over, the first took over, too
        with SetWorkflowID(fork):
            assert DBOS.fork_workflow(base, 2).get_result() == "tides!!"
    sums = counted(live, counting, "fork", "again")
    assert told(counting, "durable.recoveries") == {("resume",): 1, ("reset",): 2}
    assert told(counting, "durable.reused_steps") == {("ask", "resume"): 2, ("ask", "reset"): 2}
    assert sums["durable.reused_cost"] == pytest.approx(4 * 0.0035)
    assert sums["durable.calls"] == 4  # two at first, and one for each fork


def test_what_is_sampled_out_counts_what_it_spent(url: str, counting: Counting) -> None:
    with traced(url, OFF, sampler=ALWAYS_OFF, meter_provider=counting.provider) as live:

        @DBOS.step(name="ask")
        def ask(prompt: str) -> str:
            return answer(prompt)

        @DBOS.workflow(name="research")
        def research(topic: str) -> str:
            return ask(topic)

        live.launch()
        with SetWorkflowID("w"):
            research("tides")
        assert live.spans("w") == []
    sums = counting.sums()
    assert (sums["durable.cost"], sums["durable.attempts"], "durable.steps" in sums) == (COST, 1, False)
