"""What is sent, when, and how often: each run once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.export.folders import export, history, put, run_id, settings
from tracing.export.commit import Commits
from tracing.export.engine import Export
from tracing.export.items import file_items
from tracing.export.journal import Journal
from tracing.export.records import Sent
from tracing.export.sending import Sends
from tracing.export.tasks import Send

if TYPE_CHECKING:
    from tests.tracefile.conftest import Receiver

RUN = ["RunWorkflow:Research", "StartActivity:call_llm", "RunActivity:call_llm"]


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    put(tmp_path / "in" / "1.json", history(1))
    put(tmp_path / "in" / "2.json", history(2))
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_run_is_sent_once_whoever_gives_it_twice(
    histories: Path, out: Path, receiver: Receiver, jobs: int
) -> None:
    put(histories / "3.json", history(1))
    put(histories / "4.json", history(2), history(1))
    records = export(out, histories, to=receiver.url, jobs=jobs)
    assert receiver.batches == [RUN, RUN]
    assert [(record.state, record.sent and record.sent.sent) for record in records] == [
        ("exported", 3),
        ("exported", 3),
        ("duplicate", None),
        ("duplicate", None),
        ("duplicate", None),
    ]
    assert records[0].sent == Sent(target=f"{receiver.url}/v1/traces", repair=False, sent=3)


def test_a_second_call_sends_nothing_again(histories: Path, out: Path, receiver: Receiver) -> None:
    export(out, histories, to=receiver.url)
    records = export(out, histories, to=receiver.url)
    assert receiver.batches == [RUN, RUN]
    assert [record.sent and (record.sent.sent, record.sent.known) for record in records] == [(0, 3), (0, 3)]


def test_what_is_already_there_as_a_file_is_sent_when_that_is_asked_for(
    histories: Path, out: Path, receiver: Receiver
) -> None:
    export(out, histories)
    export(out, histories, to=receiver.url)
    export(out, histories, to=f"{receiver.url}/elsewhere/v1/traces")
    assert [path for path, _ in receiver.requests] == ["/v1/traces"] * 2 + ["/elsewhere/v1/traces"] * 2


def test_an_interrupted_call_sends_only_the_rest(histories: Path, out: Path, receiver: Receiver) -> None:
    with Export(file_items([histories]), settings(out, to=receiver.url)) as call:
        run = call.run()
        next(run)
        next(run)  # the first is sent by now
        run.close()
    assert receiver.batches == [RUN]
    export(out, histories, to=receiver.url)
    assert receiver.batches == [RUN, RUN]


def test_what_was_refused_is_sent_again(histories: Path, out: Path, receiver: Receiver) -> None:
    receiver.answer(400, b"no")
    first, second = export(out, histories, to=receiver.url)
    assert first.sent is not None
    assert (first.sent.sent, first.sent.lost, len(first.sent.problems)) == (0, 3, 1)
    assert second.sent == Sent(target=f"{receiver.url}/v1/traces", repair=False, sent=3)
    export(out, histories, to=receiver.url)
    assert receiver.batches == [RUN, RUN]


def test_a_changed_run_is_sent_again(histories: Path, out: Path, receiver: Receiver) -> None:
    export(out, histories, to=receiver.url)
    put(histories / "1.json", history(1, 2))
    export(out, histories, to=receiver.url)
    assert [len(batch) for batch in receiver.batches] == [3, 3, 5]


def test_a_trace_waits_for_the_sources_before_its_own(histories: Path, tmp_path: Path, out: Path) -> None:
    """These may give the same run, and then it is theirs."""
    first, second = export(out, histories)
    journal = Journal(tmp_path / "journal.jsonl")
    sends = Sends(Commits(out, journal, journal), "here", repair=False)
    journal.append([second])
    sends.add(1, second.source)
    assert sends.next() is None
    journal.append([first])
    sends.add(0, first.source)
    assert [sends.next(), sends.next(), sends.next()] == [
        Send(first.source, 1, f"wf-1_{run_id(1)}.otlp.jsonl"),
        Send(second.source, 1, f"wf-2_{run_id(2)}.otlp.jsonl"),
        None,
    ]
    journal.close()
