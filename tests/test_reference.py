"""docs/reference.md is what the code says, the registry is complete, and nothing in it is dead."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracing import TracingConfig
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.reference.page import page
from tracing.reference.readers import REASONS
from tracing.reference.spans import SPANS, carriers
from tracing.reference.standard import OF_METRICS, STANDARD
from tracing.spans.model import Span

ROOT = Path(__file__).parents[1]
REGISTERED = c.REFERENCE | STANDARD
KEY = re.compile(r"[a-z][a-z_0-9]*(\.[a-z_0-9]+)+|temporal[A-Z]\w+")


def test_the_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == page(), "docs/reference.md is out of date: run `make docs`"


class TestTheRegistry:
    def test_names_every_key_of_the_conventions(self) -> None:
        keys = {
            value
            for name, value in vars(c).items()
            if name.isupper()
            and isinstance(value, str)
            and KEY.fullmatch(value)
            and name not in {"SERVICE_NAME", "SERVICE_VERSION"}
        }
        assert keys - REGISTERED.keys() - OF_METRICS.keys() - c.METRICS.keys() - c.SCORES.keys() == set()

    def test_names_every_span_of_the_conventions(self) -> None:
        made = {
            function(*(f"{{{parameter}}}" for parameter in inspect.signature(function).parameters))
            for _, function in inspect.getmembers(c, inspect.isfunction)
            if not function.__name__.startswith("_")
            and function.__module__ == c.__name__
            and function.__annotations__["return"] == "str"
        }
        constants = {
            value
            for name, value in vars(c).items()
            if name.isupper() and isinstance(value, str) and re.fullmatch(r"([A-Z][a-z]+)+", value)
        } - {c.WORKFLOW_TASK_TIMED_OUT}
        known = {span.short for span in SPANS}
        assert {name.partition(":")[0] for name in made | constants} - known == set()

    @pytest.mark.parametrize("key", REGISTERED)
    def test_says_on_which_spans_an_attribute_is(self, key: str) -> None:
        assert carriers(REGISTERED[key].on)

    def test_says_why_only_one_reader_knows(self) -> None:
        assert REASONS.keys() == c.READER_ONLY
        assert [span.name for span in SPANS if (span.reader == "both") != (span.reason == "")] == []

    def test_speaks_in_whole_sentences(self) -> None:
        sentences = [a.meaning for a in REGISTERED.values()] + [s.meaning for s in SPANS] + [s.when for s in SPANS]
        sentences += [score.meaning for score in c.SCORES.values()]
        assert [sentence for sentence in sentences if not sentence.endswith((".", "…"))] == []

    def test_has_no_key_that_nothing_uses(self) -> None:
        used = set().union(*(_constants_used(path) for path in sorted((ROOT / "tracing").rglob("*.py"))))
        names = {name for name, value in vars(c).items() if isinstance(value, str) and value in c.REFERENCE}
        assert {value for name, value in vars(c).items() if name in names - used} == set()


def _constants_used(path: Path) -> set[str]:
    """Names of `conventions.X` and `c.X` in a module; not in the module itself, nor in the reference."""
    if path.parent.name in {"conventions", "reference"}:
        return set()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


WRITTEN = re.compile(r"^ +((?:[a-z_]+\.)+[a-z_]+|temporal[A-Z]\w+): ", re.MULTILINE)
"""An attribute in a trace that is written down as text."""


def test_every_attribute_of_the_traces_in_tests_is_registered() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    ours = {key.partition(".")[0] for key in REGISTERED} | {"temporal"}
    keys = {key for text in texts for key in WRITTEN.findall(text) if key.partition(".")[0] in ours}
    assert keys - REGISTERED.keys() == set()


RECORDED = sorted(path for path in (ROOT / "tests" / "data").rglob("*") if path.suffix in {".json", ".bin"})


def _spans(path: Path) -> Iterator[Span]:
    for found in read(path):
        if isinstance(found, History):
            yield from to_spans(found, TracingConfig(capture_content=True))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
@pytest.mark.slow
class TestSpansOfRecordedHistories:
    def test_carry_what_the_reference_says(self, path: Path) -> None:
        unsaid = {
            f"{key} on {span.name}"
            for span in _spans(path)
            for key in span.attributes
            if key not in REGISTERED or _short(span) not in carriers(REGISTERED[key].on)
        }
        assert unsaid == set()

    def test_have_events_with_registered_attributes(self, path: Path) -> None:
        keys = {key for span in _spans(path) for event in span.events for key in event.attributes}
        assert keys - REGISTERED.keys() == set()

    def test_look_like_model_calls_only_where_they_are(self, path: Path) -> None:
        """Langfuse takes any span with a model's name for a model call, and backends add up `gen_ai.usage.*`."""
        engine = [span for span in _spans(path) if span.scope == c.SCOPE_NAME and c.OPERATION not in span.attributes]
        assert {key for span in engine for key in span.attributes if key.startswith("gen_ai.")} <= {c.CONVERSATION_ID}


def _short(span: Span) -> str:
    name = span.name.partition(":")[0] if ":" in span.name else span.name.partition(" ")[0]
    if name in c.MODEL_OPERATIONS - {"embeddings"}:
        return "chat"  # the reference names the others beside it
    return name if name in {known.short for known in SPANS} else "{any other name}"
