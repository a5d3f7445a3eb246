"""Which backend does a name, or an address, mean?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from tracing.backends.langfuse import PUBLIC_KEY as LANGFUSE_KEY
from tracing.backends.langfuse import base_address as langfuse_address
from tracing.backends.langfuse import langfuse_target
from tracing.backends.otlp import otlp_target
from tracing.backends.phoenix import ENDPOINT as PHOENIX_ENDPOINT
from tracing.backends.phoenix import base_address as phoenix_address
from tracing.backends.phoenix import phoenix_target
from tracing.backends.target import Target, TargetError

BACKENDS: Final[Mapping[str, Callable[[Mapping[str, str]], Target]]] = {
    "otlp": otlp_target,
    "phoenix": phoenix_target,
    "langfuse": langfuse_target,
}
"""Backends by the names that users give them. Each reads its own environment variables."""


def target_for(name_or_endpoint: str, environ: Mapping[str, str]) -> Target:
    """The target that a user means.

    Args:
        name_or_endpoint: A name of ``BACKENDS``, or the address of an OTLP/HTTP endpoint. At the address that the
            environment gives for Phoenix or Langfuse, it is that one.
        environ: Environment variables.

    Raises:
        TargetError: When it is neither, or its settings cannot be used.
    """
    if (backend := BACKENDS.get(name_or_endpoint.lower())) is not None:
        return backend(environ)
    if "://" not in name_or_endpoint:
        named = name_or_endpoint.rpartition("@")[2]  # no password
        raise TargetError(f"{named!a} is no backend: name {', '.join(BACKENDS)} or an address, http://…")
    origin = _origin(name_or_endpoint)
    if environ.get(PHOENIX_ENDPOINT) and origin == _origin(phoenix_address(environ)):
        return phoenix_target(environ)
    if environ.get(LANGFUSE_KEY) and origin == _origin(langfuse_address(environ)):
        return langfuse_target(environ)
    return otlp_target(environ, name_or_endpoint)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise TargetError(f"{url!a} is no address: it must be like http://localhost:4318.") from None
    return parts.scheme.lower(), parts.netloc.lower()
