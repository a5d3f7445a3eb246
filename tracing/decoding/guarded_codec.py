"""How is a codec of the user's called, whatever it does: raise, hang, give something else, change what it gets?"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from temporalio.api.common.v1 import Payload as PayloadProto
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from tracing.decoding.problems import DecodingError, raised
from tracing.decoding.remote import RemoteCodec

T = TypeVar("T")

SECONDS: Final = 60.0
"""Longest time for a call of a codec or driver of the user's."""


class GuardedCodec:
    """A codec for the payloads of one history.

    Args:
        codec: The codec.
        namespace: The history's namespace.
    """

    def __init__(self, codec: PayloadCodec, namespace: str) -> None:
        self._codec = codec.within(namespace) if isinstance(codec, RemoteCodec) else codec
        self._within: dict[SerializationContext, PayloadCodec] = {}

    async def decode(
        self, context: SerializationContext, payloads: Sequence[PayloadProto], *, one: bool
    ) -> list[PayloadProto]:
        """Decode the payloads of a field.

        Args:
            context: Whose they are.
            payloads: The payloads; they stay as they are.
            one: Whether the field holds exactly one.

        Raises:
            DecodingError: It raises, takes too long, or gives something else.
        """
        codec = self._for(context)
        try:
            # Requests of a codec server have limits of their own, and wait for each other.
            decoding = codec.decode([_copy(payload) for payload in payloads])
            decoded: Any = await (decoding if isinstance(codec, RemoteCodec) else in_time(decoding, "the codec"))
        except DecodingError:
            raise
        except Exception as error:
            raise raised("the codec", error) from error
        if not isinstance(decoded, Sequence) or not all(isinstance(each, PayloadProto) for each in decoded):
            raise DecodingError("the codec gave something else than payloads")
        if not decoded or (one and len(decoded) != 1):
            # It may have made one payload of several, or several of one, but only where there is room for them.
            raise DecodingError(f"the codec gave {len(decoded)} payloads for {len(payloads)}")
        return list(decoded)

    def _for(self, context: SerializationContext) -> PayloadCodec:
        if not isinstance(self._codec, WithSerializationContext):
            return self._codec
        if context not in self._within:
            try:
                self._within[context] = self._codec.with_context(context)
            except Exception as error:
                raise raised("the codec", error) from error
        return self._within[context]


async def in_time(work: Coroutine[Any, Any, T], who: str) -> T:
    """What code of the user's gives.

    Raises:
        DecodingError: It takes longer than ``SECONDS``.
    """
    limit = asyncio.timeout(SECONDS)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise DecodingError(f"{who} took more than {SECONDS:g} s") from None


def _copy(payload: PayloadProto) -> PayloadProto:
    """A payload for a codec. What it does to it must neither reach a raw history nor hide that it was encoded."""
    copied = PayloadProto()
    copied.CopyFrom(payload)
    return copied
