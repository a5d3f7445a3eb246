"""Sending only what a backend, or a folder, lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tracing import conventions as c
from tracing.backends.target import Target, TargetError
from tracing.identity import run_span_id
from tracing.runs import Attributes
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.repair import Lacking, lacking, missing, repair
from tracing.tracefile.send import SendResult
from tracing.tracefile.write import write_trace

if TYPE_CHECKING:
    from tests.tracefile.conftest import Receiver


@dataclass
class Index:
    """A backend's span IDs by trace; asked for another trace, it fails."""

    known: dict[int, set[int]]
    asked: list[int] = field(default_factory=list)

    def span_ids(self, trace_id: int) -> set[int]:
        self.asked.append(trace_id)
        if trace_id not in self.known:
            raise TargetError("http://backend answered 401. Check API_KEY.")
        return self.known[trace_id]


def span(number: int, *, trace: int = 0xA1, end: int | None = 2) -> Span:
    return Span(trace, number, None, f"span {number}", SpanKind.INTERNAL, 1, end, {})


def target(receiver: Receiver, known: dict[int, set[int]]) -> Target:
    return Target("test", f"{receiver.url}/v1/traces", index=Index(known))


def test_missing_are_the_closed_spans_that_are_not_known_each_once() -> None:
    first, again = span(1), replace(span(1), name="again")
    trace = [span(1, end=None), first, again, span(2), span(3, end=None), span(4)]
    assert missing(trace, {2}) == [first, span(4)]


def test_only_what_is_missing_is_sent(receiver: Receiver) -> None:
    spans = [span(1), span(2), span(3, end=None), span(4), span(1, trace=0xA2), span(2, trace=0xA2)]
    result = repair(spans, target(receiver, {0xA1: {1, 3}, 0xA2: {1}}))
    assert result == SendResult(sent=3, skipped_open=1, known=2, batches=1)
    assert receiver.batches == [["span 2", "span 4", "span 2"]]


def test_a_repaired_trace_is_not_sent_again(receiver: Receiver) -> None:
    result = repair([span(1), span(2)], target(receiver, {0xA1: {1, 2}}))
    assert (result, receiver.requests) == (SendResult(known=2), [])


RUN = Span(
    trace_id=0xA1,
    span_id=run_span_id("run-1"),
    parent_id=0xC1,
    name="RunWorkflow:Research",
    kind=SpanKind.SERVER,
    start=5_000_000,
    end=9_000_000,
    attributes={c.RUN_ID: "run-1", c.WORKFLOW_TYPE: "Research", c.CLIENT_START_TIME: 4_900},
)


def test_a_parent_that_the_target_has_stays() -> None:
    attributes: Attributes = {c.RUN_ID: "run-1", c.WORKFLOW_TYPE: "Research"}
    assert missing([replace(RUN, attributes=attributes)], {0xC1}) == [replace(RUN, attributes=attributes)]


def test_the_clients_span_is_sent_where_only_that_is_missing(receiver: Receiver) -> None:
    result = repair([RUN], target(receiver, {0xA1: {RUN.span_id}}))
    assert result == SendResult(sent=1, known=1, batches=1)
    assert receiver.batches == [["StartWorkflow:Research"]]


def test_the_run_is_sent_under_the_clients_span_where_that_is_known(receiver: Receiver) -> None:
    result = repair([RUN], target(receiver, {0xA1: {0xC1}}))
    assert result == SendResult(sent=1, batches=1)
    assert receiver.parents == {"RunWorkflow:Research": 0xC1}


def test_a_target_that_cannot_be_asked_gets_nothing(receiver: Receiver) -> None:
    plain = Target("OTLP", f"{receiver.url}/v1/traces")
    problem = (
        "OTLP cannot be asked which spans it has: name its backend, give a folder of the trace files that it has, or "
        "send without repairing."
    )
    assert repair([span(1), span(2, end=None)], plain) == SendResult(unsent=1, problems=(problem,))
    assert receiver.requests == []


def test_when_the_index_fails_what_is_left_is_counted(receiver: Receiver) -> None:
    spans = [span(1), span(2), span(3, trace=0xA2), span(4, trace=0xA2, end=None), span(5, trace=0xA3)]
    result = repair(spans, target(receiver, {0xA1: {1}}))
    assert result == SendResult(known=1, unsent=3, problems=("http://backend answered 401. Check API_KEY.",))


def test_what_such_a_target_has_is_said_by_the_trace_files_that_it_got(receiver: Receiver, tmp_path: Path) -> None:
    write_trace(tmp_path, "live", [span(1), span(2, end=None)])
    with FolderIndex(tmp_path) as have:
        result = repair([span(1), span(2), span(3)], Target("OTLP", f"{receiver.url}/v1/traces"), have=have)
    assert result == SendResult(sent=2, known=1, batches=1)
    assert receiver.batches == [["span 2", "span 3"]]


def test_a_folder_is_repaired_by_writing_what_it_lacks(tmp_path: Path) -> None:
    exported = [span(1), span(2), span(3), span(4, end=None)]
    write_trace(tmp_path, "live", [span(1), span(2, end=None)])
    with FolderIndex(tmp_path) as index:
        found = lacking(exported, index, to_send=False)
    assert found == Lacking([span(2), span(3)], known=1, skipped_open=1)
    write_trace(tmp_path, "repair", found.spans)
    with FolderIndex(tmp_path) as index:
        assert lacking(exported, index, to_send=False) == Lacking([], known=3, skipped_open=1)


def test_files_keep_true_parents_and_backends_get_a_root() -> None:
    index = Index({0xA1: set()})
    assert lacking([RUN], index, to_send=False).spans == [RUN]
    assert [span.name for span in lacking([RUN], index, to_send=True).spans] == [
        "StartWorkflow:Research",
        "RunWorkflow:Research",
    ]


def test_a_run_whose_parent_is_coming_keeps_it() -> None:
    assert lacking([RUN], Index({0xA1: set()}), to_send=True, coming={0xC1}).spans == [RUN]


def test_what_was_sampled_out_is_not_lacking() -> None:
    out = replace(RUN, attributes={**RUN.attributes, c.SAMPLED: False})
    assert lacking([out], Index({0xA1: set()}), to_send=False) == Lacking([], sampled_out=1)
