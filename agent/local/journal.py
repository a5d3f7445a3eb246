"""Which requests has a local server received, and what became of each?"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal

import msgspec

RECORDS_KEPT = 10_000
PROMPT_CHARACTERS_KEPT = 500
STEP_CHARACTERS_KEPT = 120

State = Literal["received", "answered", "failed", "disconnected"]


class TokenUsage(msgspec.Struct, frozen=True):
    """The tokens that one answer used: input includes cached tokens, output includes reasoning tokens."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


class Asked(msgspec.Struct, frozen=True):
    """What a request asks, in the words that the journal and the faults need.

    Attributes:
        endpoint: The request's path.
        step: What names the step that asked: the first line of the user's message, or a search's query.
        prompt: Everything the request says, in which faults look for their text.
        model: The model's name; empty for a search.
        client_request_id: The caller's `X-Client-Request-Id`; empty if it sent none.
    """

    endpoint: str
    step: str
    prompt: str
    model: str = ""
    client_request_id: str = ""


class RequestRecord(msgspec.Struct):
    """One request and what became of it.

    Attributes:
        sequence: The request's place in the order of arrival, from 1.
        asked: What it asked; texts are cut to the first characters.
        state: `received` until it is answered or fails, or until its client goes away unanswered.
        status: The HTTP status of the answer, where there was one.
        fault: The kind of the fault that it met, if any.
        usage: The tokens that its answer used, if any.
    """

    sequence: int
    asked: Asked
    state: State = "received"
    status: int | None = None
    fault: str | None = None
    usage: TokenUsage | None = None


class StepCount(msgspec.Struct):
    """How many requests one step made, in all and by what became of them."""

    requests: int = 0
    received: int = 0
    answered: int = 0
    failed: int = 0
    disconnected: int = 0


class Journal:
    """The requests in order of arrival, with counts per step.

    The last 10,000 records are kept, with the first characters of their texts; the counts are exact beyond that.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Forget every request."""
        self._records: deque[RequestRecord] = deque(maxlen=RECORDS_KEPT)
        self._counts: dict[str, StepCount] = {}
        # By identity: a request that waited during a reset must not be counted in the steps that came after.
        self._open: dict[int, StepCount] = {}
        self._last_sequence = 0
        self._notify()

    @property
    def records(self) -> list[RequestRecord]:
        """The records that are kept, oldest first."""
        return list(self._records)

    @property
    def counts(self) -> dict[str, StepCount]:
        """The counts per step, in order of the step's first request."""
        return self._counts

    def receive(self, asked: Asked, *, fault: str | None = None) -> RequestRecord:
        """Record a new request, and the kind of the fault that it meets, if any."""
        self._last_sequence += 1
        kept = msgspec.structs.replace(
            asked, step=asked.step[:STEP_CHARACTERS_KEPT], prompt=asked.prompt[:PROMPT_CHARACTERS_KEPT]
        )
        record = RequestRecord(sequence=self._last_sequence, asked=kept, fault=fault)
        self._records.append(record)
        count = self._counts.setdefault(kept.step, StepCount())
        count.requests += 1
        count.received += 1
        self._open[id(record)] = count
        self._notify()
        return record

    def close(
        self, record: RequestRecord, state: State, *, status: int | None = None, usage: TokenUsage | None = None
    ) -> None:
        """Record what became of a request; once for each."""
        count = self._open.pop(id(record), None)
        if count is not None:
            count.received -= 1
            setattr(count, state, getattr(count, state) + 1)
        record.state, record.status, record.usage = state, status, usage
        self._notify()

    def number_of(self, *, step: str = "", state: State | None = None) -> int:
        """Count the requests of one step (or all) in one state (or any)."""
        chosen = self._counts.values() if not step else [self._counts.get(step, StepCount())]
        return sum(getattr(count, state or "requests") for count in chosen)

    async def wait_for(self, number: int, *, step: str = "", state: State | None = None) -> None:
        """Wait until at least `number` requests of one step (or all) are in one state (or any)."""
        while self.number_of(step=step, state=state) < number:
            await self._changed.wait()

    def _notify(self) -> None:
        """Wake everybody who waits now; who waits later waits for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()
