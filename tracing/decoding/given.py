"""What did the user hand over: a codec, a data converter, a driver, or something that makes one?"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack

from temporalio.converter import DataConverter, ExternalStorage, PayloadCodec, StorageDriver

from tracing.decoding.problems import words

_STEPS = 4
"""A function that gives a context manager of a class's instance takes three."""


async def given_codec(given: object, stack: AsyncExitStack) -> tuple[PayloadCodec | None, Sequence[StorageDriver]]:
    """The codec, and the drivers where a data converter brings these along.

    Args:
        given: A codec or data converter, or what makes one.
        stack: Holds what has to be closed.

    Raises:
        ValueError: It is none of these, or cannot be made.
    """
    found = await made(given, (PayloadCodec, DataConverter), stack)
    if isinstance(found, PayloadCodec):
        return found, ()
    if isinstance(found, DataConverter):
        drivers = found.external_storage.drivers if found.external_storage is not None else ()
        if found.payload_codec is None and not drivers:
            raise ValueError("the data converter has neither a codec nor external storage: it needs no decoding")
        return found.payload_codec, drivers
    raise ValueError(_no("codec", found, "a PayloadCodec or a DataConverter"))


async def given_drivers(given: object, stack: AsyncExitStack) -> Sequence[StorageDriver]:
    """The drivers of external storage. See ``given_codec``."""
    found = await made(given, (StorageDriver, ExternalStorage, DataConverter), stack)
    if isinstance(found, StorageDriver):
        return [found]
    if isinstance(found, ExternalStorage):
        return found.drivers
    if isinstance(found, DataConverter):
        if found.external_storage is None:
            raise ValueError("the data converter has no external storage")
        return found.external_storage.drivers
    raise ValueError(_no("storage", found, "a StorageDriver, an ExternalStorage or a DataConverter"))


async def made(given: object, wanted: tuple[type, ...], stack: AsyncExitStack) -> object:
    """What was given, or what it makes: until it is of a wanted type, or makes nothing.

    Raises:
        ValueError: It cannot be made.
    """
    found = given
    for _ in range(_STEPS):
        if isinstance(found, wanted):
            return found
        try:
            if inspect.isawaitable(found):
                found = await found
            elif isinstance(found, AbstractAsyncContextManager):
                found = await stack.enter_async_context(found)
            elif isinstance(found, AbstractContextManager):
                found = stack.enter_context(found)
            elif callable(found):
                found = found()
            else:
                return found
        except Exception as error:
            raise ValueError(f"it cannot be made ({words(error)})") from error
    return found


def _no(what: str, found: object, wanted: str) -> str:
    return f"it is no {what} but {type(found).__name__}: name {wanted}, or a function without arguments that gives one"
