"""The failure table: each failure really happens to a run on Temporal and to a script, and both are counted."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.demo.pairs import Pair
from agent.failures.checks import checks
from agent.failures.experiment import Experiments
from agent.failures.experiments import FAILURES
from agent.failures.laboratory import Laboratory
from agent.failures.outcome import Outcome
from agent.failures.table import as_json, markdown, with_table
from agent.servers.locate import ServerNotFoundError
from agent.servers.progress import Progress
from tracing import conventions as c
from tracing.cost import account, compare, recovery_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.local.journal import RequestRecord
    from tracing.spans.model import Span

# All failures happen before the first test.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
NS_PER_MINUTE = 60 * 10**9

Came = dict[str, Outcome | BaseException]

ONCE = {"Plan": 1, "Synthesis 1 of 3": 1, "Synthesis 2 of 3": 1, "Synthesis 3 of 3": 1, "Summary": 1}
BEGUN_AGAIN = {"Plan": 2, "Synthesis 1 of 3": 2, "Synthesis 2 of 3": 2, "Synthesis 3 of 3": 1, "Summary": 1}
ALL_ONCE_OF_11 = {"Plan": 1, **{f"Synthesis {number} of 11": 1 for number in range(1, 12)}, "Summary": 1}
BEGUN_AGAIN_OF_11 = {"Plan": 2, **{f"Synthesis {number} of 11": 2 for number in range(1, 12)}, "Summary": 1}

REQUESTS = {
    # failure: requests of each step by the script, and by the workflow
    "llm-timeout": ({**BEGUN_AGAIN, "Synthesis 2 of 3": 4}, {**ONCE, "Synthesis 2 of 3": 4}),
    "rate-limit": ({**BEGUN_AGAIN, "Synthesis 2 of 3": 4}, {**ONCE, "Synthesis 2 of 3": 4}),
    "pod-kill": (BEGUN_AGAIN, {**ONCE, "Synthesis 2 of 3": 2}),
    "deploy-patched": ({**BEGUN_AGAIN, "Check": 1}, {**ONCE, "Check": 1}),
    "deploy-pinned": ({**BEGUN_AGAIN, "Check": 1}, ONCE),
    "deploy-auto-upgrade": ({**BEGUN_AGAIN, "Check": 1}, {**ONCE, "Check": 1}),
    "database-connection": ({**BEGUN_AGAIN, "Synthesis 2 of 3": 1}, ONCE),
    "temporal-server": (ONCE, ONCE),
    "long-run": (BEGUN_AGAIN_OF_11, {**ALL_ONCE_OF_11, "Synthesis 11 of 11": 2}),
}

TRIED_AGAIN = {
    # failure: the attempts of the steps that were tried more than once, as both traces together show them
    "llm-timeout": [
        "call_llm 1 APITimeoutError",
        "call_llm 2 APITimeoutError",
        "call_llm 3 APITimeoutError",
        "call_llm 4",
    ],
    "rate-limit": ["call_llm 1 RateLimitError", "call_llm 2 RateLimitError", "call_llm 3 RateLimitError", "call_llm 4"],
    "pod-kill": ["call_llm 1 worker_lost", "call_llm 2"],
    "deploy-patched": [],
    "deploy-pinned": [],
    "deploy-auto-upgrade": [],
    "database-connection": ["look_up 1 OperationalError", "look_up 2"],
    "temporal-server": [],
    "long-run": ["call_llm 1 worker_lost", "call_llm 2"],
}

WORKERS = {
    # failure: the worker of each model call that was answered
    "pod-kill": ["worker-1", "worker-1", "worker-2", "worker-2", "worker-2"],
    "deploy-patched": ["worker-1", "worker-1", "worker-1", "worker-2", "worker-2", "worker-2"],
    "deploy-pinned": ["worker-1 build-1"] * 5,
    "deploy-auto-upgrade": [*["worker-1 build-1"] * 3, *["worker-2 build-2"] * 3],
    "long-run": [*["worker-1"] * 11, *["worker-2"] * 2],
}


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> Came:
    """What came of each failure, by its name. They happen at the same time: most of them wait most of the time."""

    async def make() -> list[Outcome | BaseException]:
        async with Laboratory(tmp_path_factory.mktemp("laboratory"), Progress(io.StringIO())) as laboratory:
            return await Experiments(laboratory).outcomes(FAILURES)

    return dict(zip([failure.name for failure in FAILURES], asyncio.run(make()), strict=True))


def outcome(came: Came, name: str) -> Outcome:
    found = came[name]
    if isinstance(found, ServerNotFoundError):
        pytest.skip(str(found))
    if isinstance(found, BaseException):
        raise found
    return found


def by_step(requests: Sequence[RequestRecord]) -> dict[str, int]:
    return Counter(request.asked.step for request in requests)


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_of_both_sides_are_these_and_all_that_is_claimed_holds(came: Came, name: str) -> None:
    found = outcome(came, name)

    assert (by_step(found.plain.requests), by_step(found.durable.requests)) == REQUESTS[name]
    assert [claim for claim, held in checks(found).items() if not held] == []


def all_spans(found: Outcome) -> list[Span]:
    """The spans of both traces, each once."""
    both = [pair.exported or pair.live for pair in found.durable.pairs]
    return [span for span in both if span is not None]


@pytest.mark.parametrize("name", TRIED_AGAIN)
def test_the_traces_show_each_attempt_and_why_it_failed(came: Came, name: str) -> None:
    attempts = [span for span in all_spans(outcome(came, name)) if c.ATTEMPT in span.attributes and is_activity(span)]
    tries = Counter(span.parent_id for span in attempts)

    again = [span for span in attempts if tries[span.parent_id] > 1]
    assert sorted(map(attempt, again)) == TRIED_AGAIN[name]


def attempt(span: Span) -> str:
    told = (span.attributes.get(key) for key in (c.ACTIVITY_TYPE, c.ATTEMPT, c.ERROR_TYPE))
    return " ".join(str(each) for each in told if each is not None)


def is_activity(span: Span) -> bool:
    return c.ACTIVITY_ID in span.attributes


@pytest.mark.parametrize("name", WORKERS)
def test_the_exported_trace_shows_who_did_what(came: Came, name: str) -> None:
    exported = outcome(came, name).durable.spans
    calls = [span for span in exported if span.name == c.run_activity("call_llm")]
    calls.sort(key=lambda span: int(str(span.attributes[c.ACTIVITY_ID])))
    versioned = "build-" in WORKERS[name][0]

    def worker(span: Span) -> str:
        identity, build = span.attributes[c.WORKER_IDENTITY], span.attributes[c.BUILD_ID]
        return f"{identity} {build}" if versioned else str(identity)

    assert [worker(span) for span in calls] == WORKERS[name]


@pytest.mark.parametrize(
    ("name", "patched"), [("deploy-patched", True), ("deploy-auto-upgrade", True), ("deploy-pinned", False)]
)
def test_the_runs_span_shows_the_patch_where_the_new_build_went_on(came: Came, name: str, patched: bool) -> None:  # noqa: FBT001 - a case
    for spans in (outcome(came, name).durable.spans, live_spans(outcome(came, name))):
        [run] = [span for span in spans if span.name == c.run_workflow("ResearchAgentWorkflow")]
        patches = [event.attributes[c.PATCH_ID] for event in run.events if c.PATCH_ID in event.attributes]
        assert patches == (["check-findings"] if patched else [])


def live_spans(found: Outcome) -> list[Span]:
    return [pair.live for pair in found.durable.pairs if pair.live]


def test_the_long_run_took_29_minutes_that_nobody_waited_for(came: Came) -> None:
    spans = outcome(came, "long-run").durable.spans
    [run] = [span for span in spans if span.name == c.run_workflow("ResearchAgentWorkflow")]
    timers = [span for span in spans if span.name == c.TIMER]

    assert run.end
    assert 29 < (run.end - run.start) / NS_PER_MINUTE < 31
    assert len(timers) == 10


def test_the_readme_has_the_table_of_these_runs(came: Came) -> None:
    outcomes = [outcome(came, failure.name) for failure in FAILURES]
    readme = (ROOT / "README.md").read_text()

    assert with_table(readme, markdown(outcomes)) == readme
    assert as_json(outcomes) == (ROOT / "docs" / "failures.json").read_text()


@pytest.mark.parametrize("name", ["pod-kill", "long-run"])
def test_a_killed_run_tells_how_many_requests_a_script_would_have_made_and_it_made_them(came: Came, name: str) -> None:
    """The account's counterfactual, from either trace alone, against the script that was really begun again."""
    found = outcome(came, name)
    exported, live = found.durable.account, account(live_spans(found))

    for run in (exported, live):
        [crash] = recovery_points(run)
        assert set(crash.completed) == {f"activity:{activity_id}" for activity_id in found.durable.completed}
    again = compare(exported, exported).counterfactual
    # An answer that nobody has is a request of unknown cost.
    assert again.known_parts + again.unknown_parts == found.plain.spent.requests


def test_a_claim_that_does_not_hold_is_seen(came: Came) -> None:
    found = outcome(came, "rate-limit")
    durable = found.durable
    first = durable.pairs[0]
    assert first.exported
    fakes = {
        "both sides wrote the same report": replace(durable, report="Another."),
        "each model call whose completion was in the history when it happened was made exactly once": replace(
            durable, completed=frozenset({"6"})
        ),
        "the model server counted one request for each attempt, none besides": replace(
            durable, requests=durable.requests[1:]
        ),
        "calls, tokens and cost of the exported trace are those that the model server gave": replace(
            durable, account=replace(durable.account, steps=durable.account.steps[1:])
        ),
        "every live span is in the export, identical, but for attempts that history does not keep": replace(
            durable, pairs=[Pair(first.live, None), *durable.pairs[1:]]
        ),
        "every exported span came live, but for a step or timer whose end a killed worker had not told yet": replace(
            durable, pairs=[Pair(None, first.exported), *durable.pairs[1:]]
        ),
    }

    for claim, fake in fakes.items():
        assert checks(replace(found, durable=fake))[claim] is False, claim
    assert fakes.keys() == checks(found).keys()
