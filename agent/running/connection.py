"""How do an agent's worker and client reach Temporal?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_ADDRESS = "localhost:7233"


class TemporalUnavailableError(Exception):
    """Temporal cannot be reached, or its settings cannot be read; the message says how to mend it."""


async def connect(plugins: Sequence[Plugin] = ()) -> Client:
    """Connect to Temporal.

    Address, namespace, TLS and keys come from Temporal's environment configuration: `TEMPORAL_ADDRESS`,
    `TEMPORAL_NAMESPACE` and the other `TEMPORAL_*` variables, or a profile file.

    Args:
        plugins: The client's plugins; workers of the client inherit them.

    Raises:
        TemporalUnavailableError: The configuration cannot be read, or no server answers at the address.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip()
        message = f"Temporal's settings cannot be read: {reason}. Mend the TEMPORAL_* variables or the profile file."
        raise TemporalUnavailableError(message) from error
    address = config.setdefault("target_host", DEFAULT_ADDRESS)
    try:
        return await Client.connect(**config, plugins=plugins)
    except (RuntimeError, ValueError) as error:
        raise TemporalUnavailableError(_how_to_mend(address, error)) from error


def _how_to_mend(address: str, error: Exception) -> str:
    # The SDK has no error types for this; its text tells a failed connection from a call that failed after it.
    if "call error after connection" in str(error):
        return (
            f"What listens at {address} is no Temporal server for this client: "
            "check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the TEMPORAL_TLS settings."
        )
    return (
        f"No Temporal server can be reached at {address}: start one with `temporal server start-dev`, "
        "or set TEMPORAL_ADDRESS to one that runs."
    )
