"""What a recovered run need not do again is counted once, when the run goes on."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.bridge.proto.workflow_activation import UpdateRandomSeed, WorkflowActivationJob

from tests.live.metrics.counting import Counting
from tests.live.workflows.steps.commands import complete, schedule
from tests.live.workflows.steps.jobs import completed, query
from tests.live.workflows.steps.payloads import ledger, text, with_ledger
from tests.live.workflows.steps.worker import Worker
from tracing.live.metrics.instruments import Metrics
from tracing.live.workflows.recovery import Recoveries

RESET = WorkflowActivationJob(update_random_seed=UpdateRandomSeed(randomness_seed=7))


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def recoveries(counting: Counting) -> Recoveries:
    return Recoveries(Metrics(counting.provider))


def causes(counting: Counting) -> dict[Any, Any]:
    return {
        point.attributes["durable.recovery.cause"]: point.value
        for point in counting.points().get("durable.recoveries", [])
    }


def recovered(recoveries: Recoveries, *, goes_on: bool = True) -> Worker:
    """A worker is given a run whose first activity, a model call for 0.00078 USD, has ended."""
    worker = Worker(recoveries=recoveries)
    worker.task(commands=[schedule(1)], replaying=True)
    worker.task(completed(1, with_ledger(text("because"), ledger())), commands=[schedule(2)], replaying=True)
    if goes_on:
        worker.task(completed(2), commands=[complete()])
    return worker


def test_another_worker_had_it_before(counting: Counting, recoveries: Recoveries) -> None:
    recovered(recoveries)
    assert counting.sums() == {"durable.recoveries": 1, "durable.reused_steps": 1, "durable.reused_cost": 0.00078}
    assert causes(counting) == {"worker_change": 1}
    [step] = counting.points()["durable.reused_steps"]
    assert step.attributes == {
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "temporal.activity.type": "call_llm",
        "temporal.task_queue": "test",
        "durable.recovery.cause": "worker_change",
    }


def test_a_run_that_its_own_worker_had_evicted_saved_nothing(counting: Counting, recoveries: Recoveries) -> None:
    recoveries.evicted(Worker().tracker.run.run_id)
    recovered(recoveries)
    assert counting.sums() == {"durable.recoveries": 1}
    assert causes(counting) == {"evicted": 1}
    recovered(recoveries)  # evicted nowhere here: another worker had it in between
    assert causes(counting) == {"evicted": 1, "worker_change": 1}


def test_a_reset_run_reuses_what_its_base_run_paid_for(counting: Counting, recoveries: Recoveries) -> None:
    worker = Worker(recoveries=recoveries)
    worker.task(commands=[schedule(1), schedule(2)], replaying=True)
    of_base = with_ledger(text("because"), ledger(run_id="the-base-run"))
    worker.task(completed(1, of_base), commands=[], replaying=True)
    worker.task(completed(2, with_ledger(text("so"), ledger("2", run_id="the-base-run"))), RESET, commands=[complete()])
    assert counting.sums() == {"durable.recoveries": 1, "durable.reused_steps": 2, "durable.reused_cost": 0.00156}
    assert causes(counting) == {"reset": 1}


def test_a_ledger_of_another_run_is_nobodys_saving(counting: Counting, recoveries: Recoveries) -> None:
    worker = Worker(recoveries=recoveries)
    worker.task(commands=[schedule(1)], replaying=True)
    passed_through = with_ledger(text("because"), ledger(run_id="another-run"))
    worker.task(completed(1, passed_through), commands=[schedule(2)], replaying=True)
    worker.task(completed(2), commands=[complete()])
    assert counting.sums() == {"durable.recoveries": 1, "durable.reused_steps": 1}


def test_what_only_replays_is_no_recovery(counting: Counting, recoveries: Recoveries) -> None:
    worker = recovered(recoveries, goes_on=False)
    worker.task(query("1"))
    assert counting.sums() == {}


def test_it_is_counted_once_however_long_the_run_goes_on(counting: Counting, recoveries: Recoveries) -> None:
    worker = Worker(recoveries=recoveries)
    worker.task(commands=[schedule(1)], replaying=True)
    worker.task(completed(1), commands=[schedule(2)])
    worker.task(completed(2), commands=[schedule(3)])
    worker.task(completed(3), commands=[complete()])
    assert counting.sums() == {"durable.recoveries": 1}


def test_a_new_run_is_no_recovery(counting: Counting, recoveries: Recoveries) -> None:
    worker = Worker(recoveries=recoveries)
    worker.task(commands=[schedule(1)])
    worker.task(completed(1), commands=[complete()])
    assert counting.sums() == {}


def test_only_so_many_evicted_runs_are_remembered(recoveries: Recoveries) -> None:
    for number in range(10_001):
        recoveries.evicted(f"run-{number}")
    assert recoveries.cause("run-0", reset=False) == "worker_change"
    assert recoveries.cause("run-1", reset=False) == "evicted"
