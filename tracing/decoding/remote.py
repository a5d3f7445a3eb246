"""How do many payloads become few requests to a codec endpoint?

A codec for the SDK whose ``decode`` waits for others: what is asked for at the same time shares a request. An endpoint
that refuses a request may mean one payload in it: then it is asked for the halves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from tracing.decoding.endpoint import Endpoint
from tracing.decoding.problems import DecodingError, EndpointError
from tracing.payloads import is_encoded

REQUESTS: Final = 4
"""Most requests at a time."""
BATCH_PAYLOADS: Final = 100
"""Most payloads of a request, unless one field holds more."""
BATCH_BYTES: Final = 3 << 20
"""Most bytes of the payloads of a request, unless one field holds more: codec servers limit what they take."""
MAX_REFUSED_AT_FIRST: Final = 20
"""So many refused requests, and none that was answered: the endpoint is taken to refuse all."""
MAX_REFUSED: Final = 1000
"""Most refused requests of a history."""


@dataclass(frozen=True)
class _Waiting:
    """The payloads of one field, and who waits for them."""

    payloads: Sequence[Payload]
    decoded: asyncio.Future[list[Payload]]

    @property
    def size(self) -> int:
        return sum(payload.ByteSize() for payload in self.payloads)


class RemoteCodec(PayloadCodec, WithSerializationContext):
    """A codec that asks an endpoint. It belongs to one event loop and one namespace."""

    def __init__(self, endpoint: Endpoint, namespace: str = "default") -> None:
        self._endpoint = endpoint
        self._namespace = namespace
        self._waiting: list[_Waiting] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._pumping: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(REQUESTS)
        self._refused = 0
        self._answered = False
        self._given_up: EndpointError | None = None

    def within(self, namespace: str) -> RemoteCodec:
        """A codec for another namespace, or for another history."""
        return RemoteCodec(self._endpoint, namespace)

    def with_context(self, context: SerializationContext) -> RemoteCodec:
        """A codec for the namespace of a context: a codec server is told no more."""
        if not isinstance(context, (WorkflowSerializationContext, ActivitySerializationContext)):
            return self
        return self if context.namespace == self._namespace else self.within(context.namespace)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are: what a replay encodes goes nowhere, and no server is asked for it."""
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decode payloads, in a request together with others. What no codec encoded is not sent.

        Raises:
            DecodingError: The endpoint does not decode them.
        """
        if not any(is_encoded(payload) for payload in payloads):
            return list(payloads)
        waiting = _Waiting(payloads, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._pumping is None:
            self._pumping = asyncio.create_task(self._pump())
        return await waiting.decoded

    async def _pump(self) -> None:
        await asyncio.sleep(0)  # let those who ask in this round of the loop come first
        while self._waiting:
            await self._slots.acquire()
            sending = asyncio.create_task(self._send(self._next_batch()))
            self._sending.add(sending)
            sending.add_done_callback(self._sent)
        self._pumping = None

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = size = 0
        while self._waiting:
            count += len(self._waiting[0].payloads)
            size += self._waiting[0].size
            if batch and (count > BATCH_PAYLOADS or size > BATCH_BYTES):
                break
            batch.append(self._waiting.pop(0))
        return batch

    def _sent(self, sending: asyncio.Task[None]) -> None:
        self._sending.discard(sending)
        self._slots.release()

    async def _send(self, batch: list[_Waiting]) -> None:
        """Ask for a batch; a failure is told to those who wait, never raised."""
        try:
            answers = await self._asked(batch)
        except EndpointError as error:
            _fail(batch, error)
        except DecodingError as error:
            self._refused += 1
            if self._refused >= (MAX_REFUSED if self._answered else MAX_REFUSED_AT_FIRST):
                self._given_up = EndpointError(error.reason, error.detail)
            if len(batch) == 1:
                _fail(batch, error)
            else:
                await self._send(batch[: len(batch) // 2])
                await self._send(batch[len(batch) // 2 :])
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            _fail(batch, error)
        else:
            self._answered = True
            for waiting, decoded in zip(batch, answers, strict=True):
                if not waiting.decoded.done():
                    waiting.decoded.set_result(decoded)

    async def _asked(self, batch: list[_Waiting]) -> list[list[Payload]]:
        if self._given_up is not None:
            raise self._given_up
        flat = [payload for waiting in batch for payload in waiting.payloads]
        decoded = await asyncio.to_thread(self._endpoint.decode, self._namespace, flat)
        if len(batch) == 1:
            return [decoded]
        if len(decoded) != len(flat):
            raise DecodingError(f"the codec gave {len(decoded)} payloads for {len(flat)}")
        rest = iter(decoded)
        return [[next(rest) for _ in waiting.payloads] for waiting in batch]


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.decoded.done():
            waiting.decoded.set_exception(error)
