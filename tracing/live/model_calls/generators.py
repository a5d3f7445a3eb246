"""How does a span last as long as a generator, and is the current one only while the generator's own code runs?

A generator's code runs in the context of whoever reads it. A span that stayed current over a ``yield`` would become the
parent of what the reader does, and could be detached in another context than it was attached in.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Call(Protocol):
    """A call of a generator function."""

    def lasting(self) -> AbstractContextManager[None]:
        """Goes around the whole."""

    def current(self) -> AbstractContextManager[None]:
        """Goes around each part of the generator's code."""

    def item(self, item: Any) -> None:
        """Is told each item."""


def drive_sync(generator: Generator[Any, Any, Any], call: Call) -> Generator[Any, Any, Any]:
    """Pass on a generator's items, what is sent to it, and what it returns."""
    action: Callable[[], Any] = functools.partial(next, generator)
    with call.lasting():
        while True:
            try:
                with call.current():
                    item = action()
            except StopIteration as stop:
                return stop.value
            call.item(item)
            try:
                sent = yield item
            except GeneratorExit:
                with call.current():
                    generator.close()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the reader throws in
                action = functools.partial(generator.throw, error)
            else:
                action = functools.partial(generator.send, sent)


async def drive_async(generator: AsyncGenerator[Any, Any], call: Call) -> AsyncGenerator[Any, Any]:
    """As `drive_sync`, of an async generator."""
    action: Callable[[], Any] = functools.partial(anext, generator)
    with call.lasting():
        while True:
            try:
                with call.current():
                    item = await action()
            except StopAsyncIteration:
                return
            call.item(item)
            try:
                sent = yield item
            except GeneratorExit:
                with call.current():
                    await generator.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the reader throws in
                action = functools.partial(generator.athrow, error)
            else:
                action = functools.partial(generator.asend, sent)
