"""What does Langfuse need, and which spans does it have of a trace?"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from typing import Final

import msgspec

from tracing.backends.client import Client, StatusError
from tracing.backends.ids import parsed_ids
from tracing.backends.langfuse_scores import LangfuseScores
from tracing.backends.target import Settings, Target, TargetError

ADDRESSES: Final = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
"""Variables that name the server; the first one set counts."""
PUBLIC_KEY: Final = "LANGFUSE_PUBLIC_KEY"
SECRET_KEY: Final = "LANGFUSE_SECRET_KEY"  # noqa: S105 - the name of a variable
ENVIRONMENT: Final = "LANGFUSE_TRACING_ENVIRONMENT"

DEFAULT_ADDRESS: Final = "https://cloud.langfuse.com"

_TRACES_PATH: Final = "/api/public/otel/v1/traces"
_OBSERVATIONS: Final = "/api/public/v2/observations"
_OBSERVATIONS_V3: Final = "/api/public/observations"
_PROJECTS: Final = "/api/public/projects"
_PAGE: Final = 1000
_PAGE_V3: Final = 100


def langfuse_target(environ: Mapping[str, str]) -> Target:
    """Langfuse, as its own clients find it in the environment.

    Args:
        environ: Environment variables.

    Raises:
        TargetError: When a key is missing.
    """
    public, secret = environ.get(PUBLIC_KEY), environ.get(SECRET_KEY)
    if not public or not secret:
        raise TargetError(f"Langfuse needs keys: set {PUBLIC_KEY} and {SECRET_KEY} to those of your project.")
    base = base_address(environ)
    settings = Settings(
        headers={"authorization": f"Basic {b64encode(f'{public}:{secret}'.encode()).decode()}"},
        credentials=f"{PUBLIC_KEY} and {SECRET_KEY}",
        address=ADDRESSES[0],
    )
    langfuse = Langfuse(base, settings)
    return Target(
        name="Langfuse",
        endpoint=base + _TRACES_PATH,
        # Version 4 stores spans at once, and in the form that its API for observations reads.
        settings=replace(settings, headers={**settings.headers, "x-langfuse-ingestion-version": "4"}),
        compression="gzip",
        index=langfuse,
        trace_url=langfuse.trace_url,
        scores=LangfuseScores(base, settings, environ.get(ENVIRONMENT)),
    )


def base_address(environ: Mapping[str, str]) -> str:
    """Langfuse's address."""
    return next((environ[name] for name in ADDRESSES if environ.get(name)), DEFAULT_ADDRESS).rstrip("/")


def trace_address(base: str, trace_id: int) -> str:
    """Address that leads to a trace in whichever project it is, once Langfuse has it: nothing must be asked for it."""
    return f"{base}/trace/{trace_id:032x}"


class Langfuse:
    """Asks Langfuse's public API.

    Args:
        base: Langfuse's address.
        settings: How requests are made.
    """

    def __init__(self, base: str, settings: Settings) -> None:
        self._base = base
        self._client = Client(settings)

    def span_ids(self, trace_id: int) -> set[int]:
        """IDs of the spans that Langfuse has of a trace: each is an observation.

        Raises:
            TargetError: When Langfuse cannot be asked.
        """
        try:
            return self._span_ids(trace_id)
        except StatusError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        return self._span_ids_v3(trace_id)

    def trace_url(self, trace_id: int) -> str:
        """Address at which a trace can be looked at, in the project of the keys."""
        if self._project is None:
            return trace_address(self._base, trace_id)
        return f"{self._base}/project/{self._project}/traces/{trace_id:032x}"

    def _span_ids(self, trace_id: int) -> set[int]:
        found: set[int] = set()
        parameters: dict[str, str | int] = {"traceId": f"{trace_id:032x}", "fields": "core", "limit": _PAGE}
        while True:
            page = self._client.get_json(self._base + _OBSERVATIONS, parameters, _Page)
            found |= parsed_ids(observation.id for observation in page.data)
            if not page.meta.cursor or not page.data:
                return found
            parameters["cursor"] = page.meta.cursor

    def _span_ids_v3(self, trace_id: int) -> set[int]:
        """By the API of servers before version 4, which has pages by number."""
        found: set[int] = set()
        number = 1
        while True:
            parameters: dict[str, str | int] = {"traceId": f"{trace_id:032x}", "limit": _PAGE_V3, "page": number}
            page = self._client.get_json(self._base + _OBSERVATIONS_V3, parameters, _Page)
            found |= parsed_ids(observation.id for observation in page.data)
            if number >= page.meta.total_pages or not page.data:
                return found
            number += 1

    @cached_property
    def _project(self) -> str | None:
        try:
            projects = self._client.get_json(self._base + _PROJECTS, {}, _Projects).data
        except TargetError:
            return None
        return projects[0].id if projects else None


class _Item(msgspec.Struct):
    id: str


class _Meta(msgspec.Struct, rename="camel"):
    cursor: str | None = None
    total_pages: int = 0


class _Page(msgspec.Struct):
    data: list[_Item]
    meta: _Meta


class _Projects(msgspec.Struct):
    data: list[_Item]
