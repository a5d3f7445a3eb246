"""How does a user say by what histories are decoded, so that other processes can be told, too?"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    PayloadCodec,
    StorageDriver,
    StorageDriverSelectContext,
)

from tracing.decoding.decoder import Decoder
from tracing.decoding.endpoint import Endpoint
from tracing.decoding.given import given_codec, given_drivers, made
from tracing.decoding.remote import RemoteCodec
from tracing.decoding.storage import GuardedDriver
from tracing.importing import load_object


@dataclass(frozen=True, slots=True)
class Decoding:
    """By what histories are decoded. It can be pickled; nothing is imported or connected before `open`.

    Attributes:
        codec: ``module:object`` of a codec, or of a data converter, or of what makes one; see `Decoder`.
        endpoint: Address of a codec server.
        external_storage: ``module:object`` of a driver, an external storage or a data converter.
        buckets: Buckets that claims may name, besides those that the drivers were made for.
    """

    codec: str = ""
    endpoint: str = ""
    external_storage: str = ""
    buckets: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return bool(self.codec or self.endpoint or self.external_storage)

    def open(self, environ: Mapping[str, str] | None = None) -> Decoder:
        """Make the decoder; whoever asks for it closes it.

        Args:
            environ: Environment variables; the process's own where None.

        Raises:
            ValueError: An object cannot be loaded or is no codec or storage, or the address is none.
        """
        codec, storage = self._codec(), self._external_storage()
        endpoint = self._endpoint(environ)
        try:
            return Decoder(codec, storage, endpoint=endpoint, buckets=self.buckets)
        except ValueError as error:
            given = " and ".join(name for name in (self.codec, self.external_storage) if name)
            raise ValueError(f"{given}: {error}.") from error

    @asynccontextmanager
    async def data_converter(self, environ: Mapping[str, str] | None = None) -> AsyncIterator[DataConverter]:
        """A data converter that decodes by the same means, for the SDK's own replayer, while the block lasts.

        Raises:
            ValueError: As with ``open``.
        """
        codec, storage, endpoint = self._codec(), self._external_storage(), self._endpoint(environ)
        async with AsyncExitStack() as stack:
            whole = await made(codec, (PayloadCodec, DataConverter), stack)
            converter = whole if isinstance(whole, DataConverter) else DataConverter.default
            found, drivers = await given_codec(whole, stack) if whole is not None else (None, ())
            if endpoint is not None:
                stack.callback(endpoint.close)
                found = RemoteCodec(endpoint)
            if storage is not None:
                drivers = await given_drivers(storage, stack)
            guarded = [GuardedDriver(driver, self.buckets) for driver in drivers]
            yield replace(
                converter,
                payload_codec=found,
                external_storage=ExternalStorage(guarded, driver_selector=_nothing) if guarded else None,
            )

    def _codec(self) -> object:
        return (
            load_object(self.codec, what="codec", example="module:object, such as shop.codecs:codec")
            if self.codec
            else None
        )

    def _external_storage(self) -> object:
        if not self.external_storage:
            return None
        return load_object(
            self.external_storage, what="external storage", example="module:object, such as shop.storage:driver"
        )

    def _endpoint(self, environ: Mapping[str, str] | None) -> Endpoint | None:
        return Endpoint(self.endpoint, os.environ if environ is None else environ) if self.endpoint else None


def _nothing(_context: StorageDriverSelectContext, _payload: Payload) -> StorageDriver | None:
    """What is stored by a replay: nothing."""
    return None
