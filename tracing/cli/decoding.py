"""The options of commands that read histories whose payloads are encoded, or stored elsewhere."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click

from tracing.cli.console import messages
from tracing.cli.sections import section
from tracing.config import TracingConfig
from tracing.decoding import Decoder, Decoding
from tracing.decoding.endpoint import ENDPOINT_VARIABLE

R = TypeVar("R")

HIDDEN: Final = (
    "Content is on and a codec is given: model calls and usage are read, and what the codec encodes is shown as "
    "<encoded>, as live. DURABLE_TRACE_DECODE_PAYLOADS=on shows it, decrypted."
)


def decoding_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--codec`, `--codec-endpoint`, `--external-storage`; the command gets them as `decoding`."""
    option = section("Encoded and stored payloads")

    @option("--codec", metavar="MODULE:OBJECT", help="Decode payloads by this PayloadCodec or DataConverter.")
    @option(
        "--codec-endpoint",
        metavar="URL",
        help=f"Decode payloads by this codec server; else {ENDPOINT_VARIABLE}.",
    )
    @option(
        "--external-storage",
        metavar="MODULE:OBJECT",
        help="Fetch payloads by this StorageDriver, ExternalStorage or DataConverter.",
    )
    @option(
        "--external-storage-bucket",
        "buckets",
        multiple=True,
        metavar="NAME",
        help="A bucket of yours that it may ask, besides its own. Repeatable.",
    )
    @functools.wraps(function)
    def with_options(
        *,
        codec: str | None,
        codec_endpoint: str | None,
        external_storage: str | None,
        buckets: tuple[str, ...],
        **rest: Any,
    ) -> R:
        if codec and codec_endpoint:
            raise click.UsageError("--codec decodes here, --codec-endpoint elsewhere: give one of the two.")
        if buckets and not (codec or external_storage):
            raise click.UsageError("--external-storage-bucket says what --external-storage may ask: give that, too.")
        endpoint = codec_endpoint or ("" if codec else os.environ.get(ENDPOINT_VARIABLE, "").strip())
        return function(decoding=Decoding(codec or "", endpoint, external_storage or "", buckets), **rest)

    return with_options


@contextmanager
def decoder_of(decoding: Decoding) -> Iterator[Decoder | None]:
    """The decoder that the options mean, while the block lasts; None where none is asked for."""
    if not decoding:
        yield None
        return
    try:
        decoder = decoding.open()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with decoder:
        yield decoder


def hint(decoding: Decoding, config: TracingConfig) -> None:
    """Say once on the terminal that a codec alone does not show what it decodes."""
    if (decoding.codec or decoding.endpoint) and config.capture_content and not config.decode_payloads:
        messages().print(HIDDEN, style="dim", markup=False)


def check(decoding: Decoding, config: TracingConfig) -> None:
    """Find out at once whether the options mean anything, for worker processes that will use them; give the hint."""
    with decoder_of(decoding):
        hint(decoding, config)
