"""By what is a history read whose payloads a codec encoded, or which stand in external storage?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, Self, TypeVar

from temporalio.converter import PayloadCodec

from tracing.decoding.endpoint import Endpoint
from tracing.decoding.given import given_codec, given_drivers
from tracing.decoding.one_history import OneHistory
from tracing.decoding.remote import RemoteCodec
from tracing.decoding.storage import Storage
from tracing.history import History

T = TypeVar("T")


class Decoder:
    """Decodes histories. Give each of them to `decode`, and close it at the end.

    Codec and drivers are called in an event loop of the decoder's own, on a thread of its own, so it can be used from
    anywhere.
    """

    def __init__(
        self,
        codec: object = None,
        external_storage: object = None,
        *,
        endpoint: Endpoint | None = None,
        buckets: Collection[str] = (),
    ) -> None:
        """See class.

        Args:
            codec: A `PayloadCodec` or a `DataConverter` (whose codec and external storage are taken), or a class or
                function without arguments that gives one, also as a coroutine or async context manager.
            external_storage: Likewise a `StorageDriver`, an `ExternalStorage` or a `DataConverter`.
            endpoint: A codec server; in the place of a codec.
            buckets: Buckets that claims may name, besides those that drivers were made for.

        Raises:
            ValueError: What was given is none of these, or cannot be made.
        """
        self._endpoint = endpoint
        self._stack = AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._threads = ThreadPoolExecutor(thread_name_prefix="durable-trace-decoder")
        self._loop.set_default_executor(self._threads)
        self._thread = threading.Thread(target=self._loop.run_forever, name="durable-trace-decoder", daemon=True)
        self._thread.start()
        try:
            self._codec, self._storage = self._run(self._means(codec, external_storage, buckets))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of what codec and drivers hold, of connections and of the thread; what is under way is given up."""
        if self._loop.is_closed():
            return
        try:
            self._run(_cancel_others())
            self._run(self._stack.aclose())
        finally:
            # A request under way may take minutes: nobody waits for its answer any more.
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            if self._endpoint is not None:
                self._endpoint.close()

    def decode(self, history: History, *, whole: bool = False) -> History:
        """A history with its payloads decoded; what cannot be is named in its defects.

        Args:
            history: The history.
            whole: Whether to raise where what decodes them is away, for one who can come back later.

        Raises:
            DecodingError: Only with ``whole``: a codec server does not answer, or a codec or driver raises
                ``ConnectionError``.
        """
        return self._run(OneHistory(history, self._codec, self._storage, whole=whole).run())

    async def _means(
        self, codec: object, external_storage: object, buckets: Collection[str]
    ) -> tuple[PayloadCodec | None, Storage | None]:
        found, drivers = await given_codec(codec, self._stack) if codec is not None else (None, ())
        if external_storage is not None:
            drivers = await given_drivers(external_storage, self._stack)
        if self._endpoint is not None:
            found = RemoteCodec(self._endpoint)
        return found, Storage(drivers, buckets) if drivers else None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
