"""What came of a failure, with durable execution and without?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.failures.spent import Spent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.demo.pairs import Pair
    from agent.failures.failure import Failure
    from agent.local.journal import RequestRecord
    from tracing.cost import RunAccount
    from tracing.tracefile import Span


@dataclass(frozen=True)
class Plain:
    """The script's side.

    Attributes:
        report: What it wrote in the end.
        starts: How often it was begun.
        requests: What the model server received, oldest first.
    """

    report: str
    starts: int
    requests: Sequence[RequestRecord]

    @property
    def spent(self) -> Spent:
        """What it spent."""
        return Spent.of(self.requests)


@dataclass(frozen=True)
class Durable:
    """The workflow's side.

    Attributes:
        report: What it wrote in the end.
        requests: What the model server received, oldest first.
        completed: IDs of the activities whose completion was in the history when the failure hit.
        spans: Exported spans.
        pairs: Live and exported spans.
        account: What the exported trace says was spent.
    """

    report: str
    requests: Sequence[RequestRecord]
    completed: frozenset[str]
    spans: Sequence[Span]
    pairs: Sequence[Pair]
    account: RunAccount

    @property
    def spent(self) -> Spent:
        """What it spent."""
        return Spent.of(self.requests)

    @property
    def requests_of(self) -> Counter[str]:
        """Number of model requests for each activity ID."""
        return Counter(attempt_of(request)[0] for request in self.requests)


def attempt_of(request: RequestRecord) -> tuple[str, int]:
    """Which attempt of which activity made a request: the agent sends RUN/ACTIVITY/ATTEMPT as its request ID."""
    _, activity_id, attempt = request.asked.client_request_id.split("/")
    return activity_id, int(attempt)


@dataclass(frozen=True)
class Outcome:
    """Both sides of one failure."""

    failure: Failure
    plain: Plain
    durable: Durable

    def as_json(self) -> dict[str, Any]:
        """The outcome as JSON knows it; money is text, in USD."""
        return {
            "failure": self.failure.name,
            "title": self.failure.title,
            "without": {"what_happens": self.failure.without, "starts": self.plain.starts, **_spent(self.plain.spent)},
            "with": {"what_happens": self.failure.with_it, **_spent(self.durable.spent)},
        }


def _spent(spent: Spent) -> dict[str, Any]:
    return {
        "requests": spent.requests,
        "answers": spent.answers,
        "answers_paid_twice": spent.repeated,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "usd": str(spent.usd),
    }
