"""The workflows and activities that the tests of the live reader run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from tests.e2e.gates import gates, happened
    from tracing import agent, llm_call, tool

SOON = timedelta(milliseconds=10)
SHORT = timedelta(seconds=60)


def answer_of(content: str) -> dict[str, object]:
    """What a model answers."""
    return {
        "id": "chatcmpl-1",
        "model": "gpt-4o",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {
            "prompt_tokens": 101,
            "completion_tokens": 53,
            "prompt_tokens_details": {"cached_tokens": 13},
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    }


def ask_model(prompt: str) -> str:
    """A model call: its client is not instrumented."""
    with llm_call(model="gpt-4o", provider="openai", messages=[{"role": "user", "content": prompt}]) as call:
        call.record(answer_of(f"Re: {prompt}"))
    return f"Re: {prompt}"


@activity.defn
async def classify(question: str) -> str:
    """An async activity with a model call."""
    await asyncio.sleep(0)
    return ask_model(question)


@tool
def search(query: str) -> list[str]:
    """Search the archive."""
    return [query.upper()]


@activity.defn
@agent("archivist")
def look_up(topic: str) -> list[str]:
    """A threaded activity that is an agent and uses a tool."""
    return search(topic)


@activity.defn
async def flaky(topic: str) -> str:
    """Fails at its first attempt, after a model call that cost something."""
    said = ask_model(topic)
    if activity.info().attempt == 1:
        raise ApplicationError(f"no luck with {topic}", type="Unlucky")
    return said


@activity.defn(no_thread_cancel_exception=True)
def too_slow() -> None:
    """Goes on until its worker tells it that it has timed out, and then ends as if nothing were."""
    activity.wait_for_cancelled_sync()


@workflow.defn
class Support:
    """Everything that the live reader follows."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    @workflow.run
    async def run(self, question: str) -> str:
        kind = await workflow.execute_activity(classify, question, start_to_close_timeout=SHORT)
        search("a tool in workflow code just runs: its replay would repeat the span")
        await workflow.sleep(SOON)
        found = await workflow.execute_activity(look_up, "cats", start_to_close_timeout=SHORT)
        said = await workflow.execute_activity(
            flaky,
            "dogs",
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=SOON, maximum_attempts=3),
        )
        try:
            await workflow.execute_activity(
                too_slow, start_to_close_timeout=SOON, retry_policy=RetryPolicy(maximum_attempts=1)
            )
        except ActivityError:
            self._notes.append("too slow")
        return f"{kind}; {found}; {said}; {self._notes}"

    @workflow.signal
    def note(self, text: str) -> None:
        self._notes.append(text)


@workflow.defn
class Echo:
    """One activity."""

    @workflow.run
    async def run(self, question: str) -> str:
        return await workflow.execute_activity(classify, question, start_to_close_timeout=SHORT)


@workflow.defn
class Refused:
    """Ends in a workflow task during which a signal may arrive, so that the server refuses the end."""

    def __init__(self) -> None:
        self._signals: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.execute_activity(classify, "why?", start_to_close_timeout=SHORT)
        with workflow.unsafe.sandbox_unrestricted():
            gates[f"{workflow.info().workflow_id}/end"].wait()
        return self._signals

    @workflow.signal
    def note(self, text: str) -> None:
        self._signals.append(text)


@workflow.defn
class Buggy:
    """Its code raises at first, so that its workflow task fails; then it is mended."""

    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(classify, "before", start_to_close_timeout=SHORT)
        handle = workflow.start_activity(classify, "after", start_to_close_timeout=SHORT)
        bug = f"{workflow.info().workflow_id}/bug"
        if bug not in happened:
            happened.add(bug)
            raise RuntimeError("a bug in the workflow")
        return await handle


@workflow.defn
class Stalled:
    """Its last workflow task takes longer than it may, and would end the run otherwise than the next one does."""

    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(classify, "why?", start_to_close_timeout=SHORT)
        stall = f"{workflow.info().workflow_id}/stall"
        if stall in happened:
            return "kept"
        happened.add(stall)
        with workflow.unsafe.sandbox_unrestricted():
            gates[stall].wait()
        return "discarded"


@workflow.defn
class Waiting:
    """Waits for a signal that may never come."""

    def __init__(self) -> None:
        self._done = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._done)

    @workflow.signal
    def finish(self) -> None:
        self._done = True

    @workflow.signal
    def note(self, text: str) -> None:
        """Is only noted in the trace."""


@workflow.defn
class Failing:
    """An activity that fails for good, and the run with it."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            flaky, "cats", start_to_close_timeout=SHORT, retry_policy=RetryPolicy(maximum_attempts=1)
        )


@workflow.defn
class Pages:
    """Continues as new until its last page."""

    @workflow.run
    async def run(self, page: int) -> str:
        said = await workflow.execute_activity(classify, f"page {page}", start_to_close_timeout=SHORT)
        if page < 2:
            workflow.continue_as_new(page + 1)
        return said


@activity.defn
async def large(size: int) -> str:
    """A result of some size, after a model call."""
    ask_model("how large?")
    return "a" * size


@workflow.defn
class Large:
    """Its activity's result is near what the server takes."""

    @workflow.run
    async def run(self, size: int) -> int:
        result = await workflow.execute_activity(
            large, size, start_to_close_timeout=SHORT, retry_policy=RetryPolicy(maximum_attempts=1)
        )
        return len(result)


@workflow.defn
class Updated:
    """Ends when an update says so."""

    def __init__(self) -> None:
        self._finished = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._finished)

    @workflow.update
    def finish(self, when: str) -> str:
        self._finished = True
        return f"finished {when}"


WORKFLOWS = [Support, Echo, Refused, Stalled, Buggy, Waiting, Failing, Pages, Large, Updated]
ACTIVITIES: list[Callable[..., Any]] = [classify, look_up, flaky, too_slow, large]
