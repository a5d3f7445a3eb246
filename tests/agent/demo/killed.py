"""A story without servers: a run whose worker was killed in its third step, and what the model server counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.demo.exported import ReplayedRun
from agent.demo.story import Step, Story
from agent.local.journal import Asked, RequestRecord, TokenUsage
from tests.cost.runs import killed_run

if TYPE_CHECKING:
    from pathlib import Path

    from tracing import TracingConfig
    from tracing.tracefile import Span


def request(activity_id: str, attempt: int, tokens: tuple[int, int] | None, *, run_id: str = "run-1") -> RequestRecord:
    """A request of an attempt, answered with so many tokens in and out; None is a client that went away."""
    asked = Asked("/v1/chat/completions", "Step", "", "gpt-4o", f"{run_id}/{activity_id}/{attempt}")
    usage = None if tokens is None else TokenUsage(tokens[0], 0, tokens[1], 0)
    return RequestRecord(1, asked, "disconnected" if usage is None else "answered", usage=usage)


REQUESTS = (
    request("1", 1, (1009, 211)),
    request("3", 1, (77, 7)),  # answered, but the worker died with it: nobody has a record
    request("3", 2, (2003, 307)),
    request("4", 1, (503, 101)),
    request("4", 2, (3001, 401)),
)
STORY = Story(
    title="A worker was killed in step 3",
    told=(),
    completed=frozenset({Step("run-1", "1"), Step("run-1", "2")}),
    requests=REQUESTS,
)
SPANS = killed_run().spans()


@dataclass(frozen=True)
class Exported:
    """A run of an engine that is none: all that the results ask of one."""

    spans: list[Span]
    name: str = "research-1"

    def write_history(self, folder: Path) -> Path | None:
        raise NotImplementedError(folder)

    async def replay(self, config: TracingConfig) -> ReplayedRun:
        raise NotImplementedError(config)
