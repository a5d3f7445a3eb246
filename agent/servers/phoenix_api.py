"""What does Phoenix have of a trace?

Two of Phoenix's interfaces are needed. GraphQL finds a trace by its ID in whichever project it is, and is the only one
that knows costs. REST gives a span's attributes under the keys that they were sent with; it wants the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

_PAGE: Final = 1000
_TIMEOUT_SECONDS: Final = 30.0
_TRACE_QUERY: Final = """
query ($trace: String!, $after: String) {
  getTraceByOtelId(traceId: $trace) {
    projectId
    spans(first: 1000, after: $after) {
      edges { node { spanId tokenCountPrompt tokenCountCompletion costSummary { total { cost } } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


@dataclass(frozen=True)
class PhoenixSpan:
    """One span as Phoenix shows it.

    Attributes:
        span_id: 16 hexadecimal digits.
        parent_id: Its parent's, or ``None``.
        name: Its name.
        kind: Phoenix's span kind: ``LLM``, ``CHAIN``, ``TOOL``, ``AGENT`` … or ``UNKNOWN``.
        start_time: ISO 8601 with µs, UTC.
        end_time: ISO 8601 with µs, UTC.
        status: ``OK``, ``ERROR`` or ``UNSET``.
        attributes: By key, as sent, with those that Phoenix derived from them.
        prompt_tokens: Input tokens that Phoenix counts for it, or ``None``.
        completion_tokens: Output tokens that Phoenix counts for it, or ``None``.
        cost_usd: Its cost in US dollars as Phoenix computed it, or ``None``.
    """

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start_time: str
    end_time: str
    status: str
    attributes: Mapping[str, Any]
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None


class PhoenixError(RuntimeError):
    """Phoenix answered, but not with what was asked for."""


class PhoenixReader:
    """Reads traces back from a Phoenix.

    Every method raises ``httpx2.HTTPError`` where Phoenix does not answer or answers with an error status, and
    :class:`PhoenixError` where it refuses the query. What Phoenix acknowledged it stores a moment later, and a span's
    cost later still: ask until it is there.

    Args:
        base_url: Phoenix's base address.
        api_key: Its API key, where authentication is on.
    """

    def __init__(self, base_url: str, api_key: str | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx2.Client(base_url=self._base_url, headers=headers, timeout=_TIMEOUT_SECONDS)

    def trace_url(self, trace_id: str) -> str:
        """Where a browser shows a trace (32 hexadecimal digits), in whichever project it is."""
        return f"{self._base_url}/redirects/traces/{trace_id}"

    def span_ids(self, trace_id: str) -> set[str]:
        """The IDs of a trace's spans (16 hexadecimal digits each); none where Phoenix does not have the trace."""
        return {node["spanId"] for page in self._pages(trace_id) for node in _nodes(page)}

    def spans(self, trace_id: str) -> list[PhoenixSpan]:
        """A trace's spans in the order of their start, those that start together in the order of their IDs."""
        project, counted = "", {}
        for page in self._pages(trace_id):
            project = page["projectId"]
            counted.update({node["spanId"]: node for node in _nodes(page)})
        if not counted:
            return []
        # A span stored between the two requests is in the second answer only: it has no counts yet.
        spans = [_span(span, counted.get(span["context"]["span_id"], {})) for span in self._rest(project, trace_id)]
        return sorted(spans, key=lambda span: (span.start_time, span.span_id))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pages(self, trace_id: str) -> Iterator[Mapping[str, Any]]:
        after = None
        while True:
            variables = {"trace": trace_id, "after": after}
            answer = self._client.post("/graphql", json={"query": _TRACE_QUERY, "variables": variables})
            body = answer.raise_for_status().json()
            if body.get("errors"):
                raise PhoenixError(f"{self._base_url}/graphql refused the query: {body['errors'][0].get('message')}")
            trace = body["data"]["getTraceByOtelId"]
            if trace is None:
                return
            yield trace
            if not trace["spans"]["pageInfo"]["hasNextPage"]:
                return
            after = trace["spans"]["pageInfo"]["endCursor"]

    def _rest(self, project: str, trace_id: str) -> Iterator[Mapping[str, Any]]:
        cursor = None
        while True:
            parameters: dict[str, str | int] = {"trace_id": trace_id, "limit": _PAGE}
            if cursor is not None:
                parameters["cursor"] = cursor
            answer = self._client.get(f"/v1/projects/{project}/spans", params=parameters).raise_for_status().json()
            yield from answer["data"]
            cursor = answer["next_cursor"]
            if cursor is None:
                return


def _nodes(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [edge["node"] for edge in page["spans"]["edges"]]


def _span(span: Mapping[str, Any], counts: Mapping[str, Any]) -> PhoenixSpan:
    cost = counts.get("costSummary") or {}
    return PhoenixSpan(
        span_id=span["context"]["span_id"],
        parent_id=span["parent_id"],
        name=span["name"],
        kind=span["span_kind"],
        start_time=span["start_time"],
        end_time=span["end_time"],
        status=span["status_code"],
        attributes=span["attributes"],
        prompt_tokens=counts.get("tokenCountPrompt"),
        completion_tokens=counts.get("tokenCountCompletion"),
        cost_usd=(cost.get("total") or {}).get("cost"),
    )
