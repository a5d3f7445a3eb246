"""What happened in a demo: which runs there were, what was done before the failure, what the model server was asked?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.demo.exported import RunSource
    from agent.local.journal import RequestRecord


class Step(NamedTuple):
    """A step of a run: an activity of Temporal, a step of DBOS."""

    run_id: str
    activity_id: str


@dataclass(frozen=True)
class Told:
    """A run that the story tells of, with the runs continued from it and its children.

    Attributes:
        label: What the tables call it.
        source: Where it is kept.
    """

    label: str
    source: RunSource


@dataclass(frozen=True)
class Story:
    """What happened.

    Attributes:
        title: Title of the report.
        told: What it tells of: mostly one run; of two, the first is compared with the second.
        completed: Steps whose completion was in the history when the failure came.
        requests: Requests that the model server received, oldest first. Each says which step asked by its
            ``X-Client-Request-Id``, ``RUN/ACTIVITY/ATTEMPT``.
        checks: What else the pattern claims, and whether it held.
        caption: What the first table does not say by itself.
    """

    title: str
    told: Sequence[Told]
    completed: frozenset[Step]
    requests: Sequence[RequestRecord]
    checks: Mapping[str, bool] = field(default_factory=dict)
    caption: str = "The gap is where the worker was killed."

    def requests_of(self) -> Counter[Step]:
        """Number of model requests of each step, by the model server's own count."""
        return Counter(step_of(request) for request in self.requests)

    def steps_asked(self) -> dict[Step, str]:
        """What each step asked the model for; a step that asked for several things is left out."""
        asked: dict[Step, set[str]] = {}
        for request in self.requests:
            asked.setdefault(step_of(request), set()).add(request.asked.step)
        return {step: next(iter(names)) for step, names in asked.items() if len(names) == 1}


def step_of(request: RequestRecord) -> Step:
    """The step that made a request; both names are empty where the request does not say."""
    run_id, _, rest = request.asked.client_request_id.partition("/")
    return Step(run_id, rest.partition("/")[0])


def attempt_of(request: RequestRecord) -> int | None:
    """Number of the attempt that made a request; None where the request does not say."""
    number = request.asked.client_request_id.rpartition("/")[2]
    return int(number) if number.isdecimal() else None
