"""What does Phoenix need, and which spans does it have of a trace?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec
from opentelemetry.util.re import parse_env_headers

from tracing.backends.client import Client, shortened, shown
from tracing.backends.ids import parsed_ids
from tracing.backends.phoenix_annotations import PhoenixAnnotations
from tracing.backends.target import Settings, Target, TargetError

ENDPOINT: Final = "PHOENIX_COLLECTOR_ENDPOINT"
API_KEY: Final = "PHOENIX_API_KEY"
HEADERS: Final = "PHOENIX_CLIENT_HEADERS"
PROJECTS: Final = ("PHOENIX_PROJECT", "PHOENIX_PROJECT_NAME")
"""Variables that name the project, the first one set counts; "default" is Phoenix's own default."""

DEFAULT_ENDPOINT: Final = "http://localhost:6006"

_TRACES_PATH: Final = "/v1/traces"
_PROJECT_HEADER: Final = "x-project-name"
"""Phoenix puts the spans of a request with it into that project, else into the one that the resource's
``openinference.project.name`` says."""

# Not REST, which finds spans by project only: a trace stays in the project that its first span came with.
_SPAN_IDS: Final = """
query SpanIds($trace: String!, $page: Int!, $after: String) {
  getTraceByOtelId(traceId: $trace) {
    spans(first: $page, after: $after) { edges { node { spanId } } pageInfo { hasNextPage endCursor } }
  }
}
"""
_PAGE: Final = 1000


def phoenix_target(environ: Mapping[str, str]) -> Target:
    """Phoenix, as its own clients find it in the environment.

    Args:
        environ: Environment variables.
    """
    base = base_address(environ)
    headers = dict(parse_env_headers(environ.get(HEADERS, ""), liberal=True))
    if key := environ.get(API_KEY):
        headers["authorization"] = f"Bearer {key}"
    settings = Settings(headers=headers, credentials=API_KEY, address=ENDPOINT)
    project = next((environ[name] for name in PROJECTS if environ.get(name)), None)
    return Target(
        name="Phoenix",
        endpoint=base + _TRACES_PATH,
        # Only spans go to a project; the questions are asked across all.
        settings=settings if project is None else replace(settings, headers={**headers, _PROJECT_HEADER: project}),
        compression="gzip",
        index=PhoenixIndex(base, settings),
        trace_url=lambda trace_id: trace_address(base, trace_id),
        scores=PhoenixAnnotations(base, settings),
    )


def trace_address(base: str, trace_id: int) -> str:
    """Address that leads to a trace in whichever project it is."""
    return f"{base}/redirects/traces/{trace_id:032x}"


def base_address(environ: Mapping[str, str]) -> str:
    """Phoenix's address, without the path of its OTLP endpoint."""
    return (environ.get(ENDPOINT) or DEFAULT_ENDPOINT).rstrip("/").removesuffix(_TRACES_PATH)


class PhoenixIndex:
    """Asks Phoenix, by GraphQL, for the spans of a trace.

    Args:
        base: Phoenix's address.
        settings: How requests are made.
    """

    def __init__(self, base: str, settings: Settings) -> None:
        self._url = f"{base}/graphql"
        self._client = Client(settings)

    def span_ids(self, trace_id: int) -> set[int]:
        """IDs of the spans that Phoenix has stored of a trace, in whichever project it is.

        Phoenix stores spans some seconds after it took them; what waits there is not among them.

        Raises:
            TargetError: When Phoenix cannot be asked.
        """
        found: set[int] = set()
        after: str | None = None
        while True:
            spans = self._page(trace_id, after)
            if spans is None:
                return found
            found |= parsed_ids(edge.node.span_id for edge in spans.edges)
            after = spans.page_info.end_cursor
            if not spans.page_info.has_next_page or not spans.edges:
                return found

    def _page(self, trace_id: int, after: str | None) -> _Spans | None:
        variables = {"trace": f"{trace_id:032x}", "page": _PAGE, "after": after}
        answer = self._client.post_json(self._url, {"query": _SPAN_IDS, "variables": variables}, _Answer)
        if answer.errors:
            reason = shortened(answer.errors[0].message).rstrip(".")
            raise TargetError(f"{shown(self._url)} cannot list a trace's spans: {reason}. Phoenix 20 can; update it.")
        trace = answer.data.get_trace_by_otel_id if answer.data else None
        return trace.spans if trace else None


class _Node(msgspec.Struct, rename="camel"):
    span_id: str


class _Edge(msgspec.Struct):
    node: _Node


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Spans(msgspec.Struct, rename="camel"):
    edges: list[_Edge]
    page_info: _PageInfo


class _Trace(msgspec.Struct):
    spans: _Spans


class _Data(msgspec.Struct, rename="camel"):
    get_trace_by_otel_id: _Trace | None = None


class _Error(msgspec.Struct):
    message: str


class _Answer(msgspec.Struct):
    data: _Data | None = None
    errors: list[_Error] | None = None
