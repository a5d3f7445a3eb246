"""Are the spans that came live and those from the histories the same?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.agreement import differences
from tests.rendering import render
from tracing import TracingConfig
from tracing.history import Fetched, Server, to_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from temporalio.client import Client

    from tracing.spans.model import Span


def assert_same(
    live: Iterable[Span],
    exported: Sequence[Span],
    *,
    only_live: Mapping[str, int] | None = None,
    only_exported: Mapping[str, int] | None = None,
    linked: Mapping[str, int] | None = None,
) -> None:
    """Spans that came live and those of histories are the same, none is there twice, but for these.

    Args:
        live: Spans as they came.
        exported: Spans of histories.
        only_live: How many of a name leave no trace in a history.
        only_exported: How many of a name are known to the server alone.
        linked: How many of a name have links to what workers are not told of.
    """
    live = list(live)
    sent, from_history = ({(span.trace_id, span.span_id): span for span in spans} for spans in (live, exported))
    assert (len(sent), len(from_history)) == (len(live), len(exported)), "a span came twice"
    lost = Counter(span.name for key, span in sent.items() if key not in from_history)
    more = Counter(span.name for key, span in from_history.items() if key not in sent)
    assert lost == Counter(only_live or {}), f"came live only: {lost}"
    assert more == Counter(only_exported or {}), f"in histories only: {more}"
    linked_more: Counter[str] = Counter()
    for key in sent.keys() & from_history.keys():
        came, read = sent[key], from_history[key]
        differences(came, read)
        linked_more[read.name] += read.links != came.links
    assert +linked_more == Counter(linked or {}), f"linked in histories only: {+linked_more}"


async def exported_chain(
    client: Client, config: TracingConfig, workflow_id: str, run_id: str | None = None, *, children: bool = False
) -> list[Span]:
    """The spans of all runs of a chain, by their histories."""
    spans: list[Span] = []
    async for found in Server(client).chain(workflow_id, run_id, children=children):
        assert isinstance(found, Fetched), found
        spans += to_spans(found.history(), config)
    return spans


def traces(spans: Iterable[Span], *only: str) -> str:
    """Each trace as a tree, by their first and last starts, without model calls.

    Args:
        spans: Spans of all traces. Links say in which of them is what they point to.
        only: Keys of the attributes to show.
    """
    by_trace: dict[int, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start):
        by_trace.setdefault(span.trace_id, []).append(span)
    # A reset run has the start of its base run.
    ordered = sorted(by_trace.values(), key=lambda trace: (trace[0].start, trace[-1].start))
    names = {}
    for number, trace in enumerate(ordered, 1):
        names[f"trace {trace[0].trace_id:032x}"] = f"trace {number}"
        names |= {f"{span.span_id:016x}": span.name for span in trace}
    lines = []
    for number, trace in enumerate(ordered, 1):
        shown = [span for span in trace if not span.name.startswith("chat ")]
        lines += [f"trace {number}", render(shown, only=only, hide=(), times=False, names=names)]
    return "\n{}\n".format("\n".join(lines))
