"""How does the reference become a page?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracing import conventions as c
from tracing.conventions import Attribute, ScoreName
from tracing.reference.events import EVENTS, EventName
from tracing.reference.readers import ONE_READER, REASONS, OneReader
from tracing.reference.spans import SPANS, SpanName, carriers
from tracing.reference.standard import OF_EVENTS, OF_METRICS, STANDARD, origin

_READERS = {"both": "both", "live": "live only", "history": "history only"}

_HEAD = """\
# Reference: spans, attributes, metrics, scores

Written by `make docs` from `tracing/conventions/` and `tracing/reference/`; a test compares. Do not edit it.

Two readers make the spans of a run: *live*, in its clients and workers, and *history*, from what the server kept. What
is of *both* is the same in both: IDs, parents, names, attributes, start times. Where only one can know something, the
reason stands beside it.
Units are UCUM's. "(content)": only where content capture is on, redacted and cut
(`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`).
"""

_IN_TEMPORAL = f"""\
- Header field `{c.HEADER}`, of starts, children, activities, signals and updates: trace, span, session, service and
  sampling decision.
- Metadata key `{c.HEADER}`, of an activity result's payload, and a field in a failure's encoded attributes: the ledger.
- Header field `{c.FOREIGN_HEADER}`, of Temporal's own integrations: read, never written."""


_ONE_READER = """\
Everything else is the same live and exported. The tests that compare the readers allow these differences, and no other.
Of *ledger*, one reader has it from the attempt's ledger only.
"""


_SCORES = """\
Written by `durable-trace compare --scores-to` onto the trace of a run: [cost.md](cost.md#scores-in-the-backend).
"""


def page() -> str:
    """The reference page, in Markdown."""
    everywhere = [a for a in _attributes() if a.on == "every span"]
    others = [a for a in _attributes() if a.on != "every span"]
    sections = [
        _HEAD,
        "## Spans\n",
        _table(("name", "kind", "what it is", "when", "reader"), (_span_row(span) for span in SPANS)),
        "\n## Events of a run's span\n",
        _table(("name", "what happened", "reader"), (_event_row(event) for event in EVENTS)),
        "\n## Which span carries what\n",
        "Every span: " + ", ".join(f"`{a.key}`" for a in everywhere) + ".\n",
        _table(("span", "attributes besides"), (_carried(span, others) for span in SPANS)),
        "\n## Attributes on every span of a run\n",
        _attribute_table(everywhere),
        "\n## Attributes\n",
        _attribute_table([a for a in c.REFERENCE.values() if a.on != "every span"]),
        "\n## Attributes of OpenTelemetry's conventions\n",
        "Set by model clients' instrumentations and by our wrappers; instrumentations may set more.\n",
        _attribute_table(STANDARD.values()),
        "\n## What only one reader can know\n",
        _ONE_READER,
        _table(("", "name", "reader", "why the other cannot"), (_one_reader_row(it) for it in ONE_READER)),
        "\n## Resource\n",
        _resource(),
        "\n## Metrics\n",
        _metrics(),
        "\n## Scores\n",
        _SCORES,
        _table(("name", "unit", "meaning"), (_score_row(score) for score in c.SCORES.values())),
        "\n## In Temporal\n",
        _IN_TEMPORAL,
    ]
    return "\n".join(sections) + "\n"


def _attributes() -> list[Attribute]:
    return [*c.REFERENCE.values(), *STANDARD.values()]


def _span_row(span: SpanName) -> Sequence[str]:
    reader = _READERS[span.reader]
    return (
        f"`{span.name}`",
        span.kind,
        span.meaning,
        span.when,
        f"{reader}: {_continued(span.reason)}" if span.reason else reader,
    )


def _event_row(event: EventName) -> Sequence[str]:
    reader = _READERS[event.reader]
    return f"`{event.name}`", event.meaning, f"{reader}: {_continued(event.reason)}" if event.reason else reader


def _one_reader_row(it: OneReader) -> Sequence[str]:
    return it.kind, f"`{it.name}`, {it.where}" if it.where else f"`{it.name}`", it.reader, it.reason


def _carried(span: SpanName, attributes: Iterable[Attribute]) -> Sequence[str]:
    keys = [
        f"`{a.key}`"
        for a in attributes
        if span.short in _carriers(a) and not a.on.startswith("events of ") and a.key not in OF_EVENTS
    ]
    return f"`{span.name}`", ", ".join(sorted(keys))


def _carriers(attribute: Attribute) -> set[str]:
    try:
        return carriers(attribute.on)
    except LookupError:
        return set()  # a test names it


def _attribute_table(attributes: Iterable[Attribute]) -> str:
    head = ("key", "type", "unit", "meaning", "on", "reader", "origin")
    return _table(head, (_attribute_row(attribute) for attribute in attributes))


def _attribute_row(attribute: Attribute) -> Sequence[str]:
    reader, reason = _READERS[attribute.reader], REASONS.get(attribute.key, "")
    on = f"event `exception` of {attribute.on}" if attribute.key in OF_EVENTS else attribute.on
    return (
        f"`{attribute.key}`",
        attribute.type,
        f"`{attribute.unit}`" if attribute.unit else "",
        attribute.meaning,
        on,
        f"{reader}: {_continued(reason)}" if reason else reader,
        origin(attribute.key),
    )


def _resource() -> str:
    keys = ", ".join(f"`{key}`" for key in c.SERVICE_KEYS)
    return (
        f"Live spans have the resource of their process. Of it, {keys} travel in headers and ledgers, so that exported "
        f"spans name the same service. Scope: `{c.SCOPE_NAME}` for the spans that this toolkit makes.\n"
    )


def _metrics() -> str:
    fields = ("name", "instrument", "unit", "meaning", "attributes")
    rows = (
        (f"`{m.name}`", m.instrument, f"`{m.unit}`", m.meaning, ", ".join(f"`{key}`" for key in m.attributes))
        for m in c.METRICS.values()
    )
    only = ((f"`{key}`", meaning) for key, meaning in OF_METRICS.items())
    return _table(fields, rows) + "\nAttributes that only metrics have:\n\n" + _table(("key", "meaning"), only)


def _score_row(score: ScoreName) -> Sequence[str]:
    return f"`{score.name}`", f"`{score.unit}`" if score.unit else "", score.meaning


def _continued(sentence: str) -> str:
    """A sentence as it goes on behind a colon."""
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines) + "\n"
