"""A real Collector whose file says what it has: it gets the rest, and its folder is completed beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tracing.cli import run
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.tracefile import read_trace, write_trace

if TYPE_CHECKING:
    from tests.e2e.conftest import CollectorFactory, Eventually

pytestmark = pytest.mark.e2e

HISTORY = Path(__file__).parents[1] / "data" / "live" / "first-run.json"


def test_a_collector_gets_what_its_own_file_lacks_and_its_folder_can_be_completed_too(
    collector: CollectorFactory,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    [history] = read(HISTORY)
    assert isinstance(history, History)
    spans = to_spans(history, TracingConfig())
    started = collector()
    file = started.traces_file

    def there() -> Counter[int]:
        return (
            Counter(span.span_id for span in read_trace(file)) if file.exists() and file.stat().st_size else Counter()
        )

    live = write_trace(tmp_path / "live", "live", spans[::3])
    assert run(["send", str(live), "--to", started.otlp_http]) == 0
    eventually(there, Counter(span.span_id for span in spans[::3]))

    # The folder, by a file of its own.
    assert run(["export", str(HISTORY), "--have", str(file.parent), "-o", "beside"]) == 0
    assert sorted(span.span_id for span in read_trace(tmp_path / "beside")) == sorted(
        span.span_id for n, span in enumerate(spans) if n % 3
    )

    # The Collector itself: each span once.
    assert run(["export", str(HISTORY), "--to", started.otlp_http, "--have", str(file.parent), "-o", "whole"]) == 0
    eventually(there, Counter(span.span_id for span in spans))
    capsys.readouterr()
    assert run(["send", "whole", "--to", started.otlp_http, "--have", str(file.parent)]) == 0
    assert capsys.readouterr().out == f"0 spans sent to OTLP; it had {len(spans)} already\n"
