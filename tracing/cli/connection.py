"""How does a command reach a Temporal server?"""

from __future__ import annotations

import asyncio
import re
from typing import Final

import click
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig

DEFAULT_ADDRESS: Final = "localhost:7233"
CONNECT_SECONDS: Final = 10.0
_INNERMOST: Final = re.compile(r'message: \\?"([^"\\]+)')


class TemporalUnreachableError(click.ClickException):
    """Temporal's settings cannot be read, or no server answers; the message says how to mend it."""


def temporal_address() -> str:
    """The address that Temporal's environment configuration names.

    Raises:
        TemporalUnreachableError: The configuration cannot be read.
    """
    return _settings().get("target_host") or DEFAULT_ADDRESS


async def connect() -> Client:
    """Connect as Temporal's environment configuration says: `TEMPORAL_*` variables, profile files, TLS, API keys.

    Raises:
        TemporalUnreachableError: The configuration cannot be read, or no server answers within 10 s.
    """
    settings = _settings()
    address = settings.setdefault("target_host", DEFAULT_ADDRESS)
    try:
        return await asyncio.wait_for(Client.connect(**settings), CONNECT_SECONDS)
    except (TimeoutError, RuntimeError) as error:
        raise TemporalUnreachableError(
            f"No Temporal server answers at {address} ({_reason(error)}). Start one with `temporal server start-dev`, "
            "or set TEMPORAL_ADDRESS (and TEMPORAL_TLS, TEMPORAL_API_KEY where it needs them)."
        ) from error


def _settings() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError) as error:
        raise TemporalUnreachableError(
            f"Temporal's settings cannot be read: {error}. Mend the TEMPORAL_* variables or the profile file."
        ) from error


def _reason(error: Exception) -> str:
    # The SDK's native part wraps the operating system's own words in several layers of Rust's.
    inner = _INNERMOST.findall(str(error))
    if inner:
        return str(inner[-1]).lower()
    return str(error).partition("\n")[0] or f"no answer within {CONNECT_SECONDS:g} s"
