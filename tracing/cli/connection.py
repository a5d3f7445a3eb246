"""How does a command reach a Temporal server?"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from tracing.cli.sections import section
from tracing.history.source import DEFAULT_NAMESPACE

R = TypeVar("R")

DEFAULT_ADDRESS: Final = "localhost:7233"
CONNECT_SECONDS: Final = 10.0
_INNERMOST: Final = re.compile(r'(?:message|error): \\?"([^"\\]+)')
_CERTIFICATE: Final = re.compile(r"InvalidCertificate\((\w+)")
_REFUSED: Final = re.compile(r'code: (?:Unauthenticated|PermissionDenied), message: "((?:[^"\\]|\\.)*)"')
_NO_TLS: Final = "InvalidContentType"


class TemporalUnreachableError(click.ClickException):
    """Temporal's settings cannot be read, no server answers, or it refuses; the message says how to mend it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What the command line says of the server; all else is as Temporal's environment configuration says.

    Keys and certificates come from there alone: command lines can be read by other users of the machine. It can be
    pickled, for worker processes that connect as well.

    Attributes:
        address: HOST:PORT; "" for that of the configuration.
        namespace: Namespace; "" likewise.
        profile: Profile of the configuration file; "" for the one of `TEMPORAL_PROFILE`.
    """

    address: str = ""
    namespace: str = ""
    profile: str = ""

    async def connect(self) -> Client:
        """Connect.

        Raises:
            TemporalUnreachableError: The configuration cannot be read, no server answers within 10 s, or it refuses.
        """
        settings = self._settings()
        address = settings.setdefault("target_host", DEFAULT_ADDRESS)
        try:
            return await asyncio.wait_for(Client.connect(**settings), CONNECT_SECONDS)
        except (TimeoutError, RuntimeError, ValueError) as error:  # ValueError: an address that is none
            refused = _REFUSED.search(str(error))
            if refused:
                raise TemporalUnreachableError(
                    f"The Temporal server at {address} refuses ({_unquoted(refused[1])}). Check TEMPORAL_API_KEY or "
                    "the client certificate, and whether they are for this namespace and address."
                ) from error
            raise TemporalUnreachableError(
                f"No Temporal server answers at {address} ({_reason(error)}). Start one with `temporal server "
                "start-dev`, or name another by --address or TEMPORAL_ADDRESS (and set TEMPORAL_TLS, TEMPORAL_API_KEY "
                "where it needs them)."
            ) from error

    def server(self) -> tuple[str, str]:
        """Address and namespace of the server.

        Raises:
            TemporalUnreachableError: The configuration cannot be read.
        """
        settings = self._settings()
        return settings.get("target_host") or DEFAULT_ADDRESS, settings.get("namespace") or DEFAULT_NAMESPACE

    def _settings(self) -> ClientConnectConfig:
        try:
            settings = ClientConfig.load_client_connect_config(self.profile or None)
        except (OSError, RuntimeError, ValueError) as error:  # OSError: a certificate or key that cannot be read
            raise TemporalUnreachableError(
                f"Temporal's settings cannot be read: {error}. Mend the TEMPORAL_* variables, the profile file, or "
                "what --profile names."
            ) from error
        if self.address:
            settings["target_host"] = self.address
        if self.namespace:
            settings["namespace"] = self.namespace
        return settings


def connection_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--address`, `--namespace` and `--profile`; the command gets them as `connection`."""
    option = section("Server")

    @option("--address", metavar="HOST:PORT", help=f"Temporal server; else TEMPORAL_ADDRESS, or {DEFAULT_ADDRESS}.")
    @option(
        "--namespace",
        metavar="NAME",
        help="Its namespace, else TEMPORAL_NAMESPACE; of histories in files, instead of what they say.",
    )
    @option("--profile", metavar="NAME", help="Profile of Temporal's configuration file: address, TLS, keys.")
    @functools.wraps(function)
    def with_options(*, address: str | None, namespace: str | None, profile: str | None, **rest: Any) -> R:
        return function(connection=Connection(address or "", namespace or "", profile or ""), **rest)

    return with_options


def _unquoted(said: str) -> str:
    return said.replace('\\"', '"').rstrip(". ")


def _reason(error: Exception) -> str:
    # The SDK's native part wraps the operating system's own words in several layers of Rust's.
    certificate = _CERTIFICATE.search(str(error))
    if certificate:
        return f"its certificate is not accepted: {certificate[1]}"
    if _NO_TLS in str(error):
        return "it does not speak TLS"
    inner = _INNERMOST.findall(str(error))
    if inner:
        return str(inner[-1]).lower()
    return str(error).partition("\n")[0] or f"no answer within {CONNECT_SECONDS:g} s"
