"""Which requests shall fail, wait or go slowly, as a test has said?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

FaultKind = Literal["status", "timeout", "slow", "hold", "hold_end"]
Positive = Annotated[int, msgspec.Meta(ge=1)]
ErrorStatus = Annotated[int, msgspec.Meta(ge=400, le=599)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall happen to which requests.

    Attributes:
        kind: `status` answers with an error status; `timeout` never answers; `slow` answers after `delay`;
            `hold` counts the request and answers when released; `hold_end` sends the answer at once, without its
            last byte or event, which follows when released: the model has done and billed its work, but the caller
            does not have it yet.
        contains: Text that the request must contain; empty matches all.
        occurrence: Which of the matching requests is the first to meet the fault, counted from 1 since the fault was
            armed.
        times: How many matching requests in a row meet it.
        status: The HTTP status of a `status` fault.
        retry_after: Seconds for a `status` fault's `Retry-After` header; none by default.
        delay: Seconds that a `slow` fault waits.
    """

    kind: FaultKind
    contains: str = ""
    occurrence: Positive = 1
    times: Positive = 1
    status: ErrorStatus = 500
    retry_after: Seconds | None = None
    delay: Seconds = 0.0


@dataclass
class _Armed:
    fault: Fault
    matched: int = 0

    def meets_next(self) -> bool:
        """Count one more matching request; tell whether it meets the fault."""
        self.matched += 1
        return 0 <= self.matched - self.fault.occurrence < self.fault.times


@dataclass
class Met:
    """A fault that one request met, and the gate at which that request waits."""

    fault: Fault
    prompt: str
    gate: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    """The armed faults and the requests that wait because of one."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._waiting: list[Met] = []
        self.closed = False

    def arm(self, fault: Fault) -> None:
        """Arm a fault for requests that arrive from now on."""
        self._armed.append(_Armed(fault))

    def meet(self, prompt: str) -> Met | None:
        """Tell which fault a new request meets: of several, the one armed first.

        Every armed fault whose text the request contains counts it.
        """
        met = [armed.fault for armed in self._armed if armed.fault.contains in prompt and armed.meets_next()]
        return Met(met[0], prompt) if met else None

    async def wait(self, met: Met) -> None:
        """Wait as long as the fault says; any wait ends when the server stops."""
        if self.closed or met.fault.kind == "status":
            return
        self._waiting.append(met)
        try:
            await asyncio.wait_for(met.gate.wait(), met.fault.delay if met.fault.kind == "slow" else None)
        except TimeoutError:
            return
        finally:
            self._waiting.remove(met)

    def release(self, contains: str = "") -> int:
        """Let the held requests that contain a text (or all) go on; returns how many there were."""
        held = [
            met
            for met in self._waiting
            if met.fault.kind in ("hold", "hold_end") and contains in met.prompt and not met.gate.is_set()
        ]
        for met in held:
            met.gate.set()
        return len(held)

    def disarm(self) -> None:
        """Forget the armed faults; requests that wait go on waiting."""
        self._armed.clear()

    def close(self) -> None:
        """End every wait, now and later, because the server stops."""
        self.closed = True
        for met in self._waiting:
            met.gate.set()
