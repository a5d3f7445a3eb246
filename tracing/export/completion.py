"""What do trace files lack of some runs, and how does it get beside them?

As files of their own: those that are there are others', and may be being written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from tracing.backends.target import SpanIndex
from tracing.export.found import FoundRun
from tracing.export.items import Item
from tracing.export.reading import Reader
from tracing.export.settings import ExportSettings
from tracing.history.documents import Unreadable
from tracing.spans.model import Span
from tracing.tracefile.names import run_name
from tracing.tracefile.repair import lacking
from tracing.tracefile.write import write_trace

_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Completed:
    """What became of a run.

    Attributes:
        workflow_id: Workflow ID.
        run_id: Run ID.
        file: The file with what was missing; None where nothing was.
        spans: How many spans are in it.
        known: How many closed spans were there.
        skipped_open: How many are still open, and so belong nowhere yet.
        sampled_out: How many are of a run that was sampled out.
        defects: What is wrong with what was read.
    """

    workflow_id: str
    run_id: str
    file: Path | None
    spans: int
    known: int
    skipped_open: int
    sampled_out: int
    defects: tuple[str, ...]


def complete(
    items: Iterable[Item | Unreadable], settings: ExportSettings, reader: Reader, index: SpanIndex
) -> Iterator[Completed | Unreadable]:
    """Write what is missing of runs, one run at a time.

    Args:
        items: The runs.
        settings: How they are converted and compressed, and the folder for the files, which may be the one that is
            completed.
        reader: Reads them.
        index: What is there.

    Yields:
        What became of each run, or why it could not be read.

    Raises:
        TargetError: What is there cannot be read.
        OSError: A file cannot be written.
    """
    for item in items:
        if isinstance(item, Unreadable):
            yield item
            continue
        for found in reader.read(item):
            yield found if isinstance(found, Unreadable) else _completed(found, settings, index)


def _completed(run: FoundRun, settings: ExportSettings, index: SpanIndex) -> Completed:
    lack = lacking(run.spans(settings.config), index, to_send=False)
    file = None
    if lack.spans:
        name = missing_name(run.workflow_id, run.run_id, lack.spans)
        file = write_trace(settings.folder, name, lack.spans, compression=settings.compression)
    return Completed(
        run.workflow_id,
        run.run_id,
        file,
        len(lack.spans),
        lack.known,
        lack.skipped_open,
        lack.sampled_out,
        run.defects,
    )


def missing_name(workflow_id: str, run_id: str, spans: Iterable[Span]) -> str:
    """Name of the file with a run's missing spans: another one for other spans, so that none takes another's place."""
    name = run_name(workflow_id, run_id)
    digest = blake2b(name.encode(), digest_size=4)
    for span in spans:
        digest.update(span.trace_id.to_bytes(16, "big") + span.span_id.to_bytes(8, "big"))
    return f"{name[:_MAX_NAME]}.repair-{digest.hexdigest()}"
