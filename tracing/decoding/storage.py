"""How is a payload fetched that a worker put into external storage?

By the drivers that the user hands over, and by nothing else. What names the payload (the claim) comes from the
history, which anybody may have written: a bucket that the user did not name is not asked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from tracing.decoding.problems import DecodingError, raised, words
from tracing.payloads import PayloadMessage, stored_bytes

MAX_STORED_BYTES: Final = 64 << 20
"""What a reference says to be larger is not fetched; the SDK's drivers store up to 50 MiB."""

_MAX_REFERENCE_BYTES: Final = 64 << 10
_BUCKET: Final = "bucket"
"""What S3's and Google's drivers call the bucket, in a claim."""


class _Reference(msgspec.Struct, rename="camel"):
    driver_name: str
    claim_data: dict[str, str] = {}


class _OldReference(msgspec.Struct):
    """As SDKs wrote it before there was a message for it."""

    driver_name: str
    driver_claim: dict[str, dict[str, str]]


class GuardedDriver(StorageDriver):
    """A driver of the user's that fetches from buckets of the user's, and stores nothing."""

    def __init__(self, driver: StorageDriver, buckets: Collection[str] = ()) -> None:
        """See class.

        Args:
            driver: The driver.
            buckets: Buckets that may be asked, besides the one that the driver was made for.
        """
        self._driver = driver
        # The SDK's drivers ask whichever bucket a claim names, with the user's credentials. Which one they were made
        # for is told by no method of theirs.
        self._allowed = frozenset({*buckets, getattr(driver, "_bucket", None)})

    def name(self) -> str:
        """The driver's name."""
        return self._driver.name()

    def type(self) -> str:
        """The driver's type."""
        return self._driver.type()

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Nothing is stored.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("histories are read, nothing is stored")

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Fetch what claims stand for.

        Raises:
            DecodingError: A claim names a bucket of others, or the driver fails.
        """
        for claim in claims:
            bucket = claim.claim_data.get(_BUCKET)
            if bucket is not None and bucket not in self._allowed:
                raise DecodingError(
                    "it names a bucket for which its driver was not made; if it is yours, allow it with "
                    "--external-storage-bucket",
                    f"bucket {words(bucket)!r}, driver {self.name()!r}",
                )
        try:
            found: Any = await self._driver.retrieve(context, claims)
        except Exception as error:
            raise raised("its driver for external storage", error) from error
        if (
            not isinstance(found, Sequence)
            or len(found) != len(claims)
            or not all(isinstance(it, Payload) for it in found)
        ):
            raise DecodingError("its driver for external storage gave something else than a payload for each claim")
        return list(found)


class Storage:
    """The drivers of external storage that the user handed over."""

    def __init__(self, drivers: Sequence[StorageDriver], buckets: Collection[str] = ()) -> None:
        """See class.

        Args:
            drivers: The drivers; references name them by their ``name()``.
            buckets: Buckets that may be asked, besides those that the drivers were made for.
        """
        self._drivers = {driver.name(): GuardedDriver(driver, buckets) for driver in drivers}

    async def fetch(self, reference: PayloadMessage) -> Payload:
        """Fetch what a reference stands for.

        Raises:
            DecodingError: No driver has its name, or the one that has does not fetch it.
        """
        if stored_bytes(reference) > MAX_STORED_BYTES:
            raise DecodingError(f"external storage holds more than {MAX_STORED_BYTES >> 20} MiB for it")
        name, claim = _read(reference)
        driver = self._drivers.get(name)
        if driver is None:
            known = ", ".join(sorted(self._drivers))
            raise DecodingError(
                "its driver for external storage is none of those given", f"it names {words(name)!r}; given: {known}"
            )
        [found] = await driver.retrieve(StorageDriverRetrieveContext(), [StorageDriverClaim(claim_data=claim)])
        return found


def _read(reference: PayloadMessage) -> tuple[str, dict[str, str]]:
    if len(reference.data) > _MAX_REFERENCE_BYTES:
        raise DecodingError("it is a broken reference to external storage")
    try:
        if reference.metadata.get("encoding") == b"json/protobuf":
            read = msgspec.json.decode(reference.data, type=_Reference)
            return read.driver_name, read.claim_data
        old = msgspec.json.decode(reference.data, type=_OldReference)
        return old.driver_name, old.driver_claim.get("claim_data", {})
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise DecodingError("it is a broken reference to external storage") from None
