"""`durable-trace send`: trace files → an OTLP endpoint."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import click

from tracing.backends.registry import target_for
from tracing.backends.target import TargetError
from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, output, print_json, safe
from tracing.cli.sections import SectionedCommand
from tracing.cli.sending import SendOptions, report_sent, sending_options
from tracing.tracefile.read import read_traces
from tracing.tracefile.repair import repair
from tracing.tracefile.send import send


@click.command(cls=SectionedCommand)
@click.argument("traces", nargs=-1, required=True, type=click.Path(path_type=Path))
@sending_options
@click.option("--json", "as_json", is_flag=True, help="Print what was sent as JSON.")
def command(*, traces: tuple[Path, ...], sending: SendOptions, as_json: bool) -> int:
    """Trace files → an OTLP endpoint.

    TRACE is a trace file (NAME.otlp.jsonl, also compressed, also as a Collector wrote it) or a folder, of which all
    trace files are sent that are below it. Without --to, spans go where OTEL_EXPORTER_OTLP_ENDPOINT says. With --repair
    only what is missing there is sent; with --have, what is not in those trace files.
    """
    for path in filter(sending.counts_as_there, traces):
        raise click.UsageError(
            f"{safe(path)} is among what --have names, so that nothing of it would be sent: give trace files that are "
            "elsewhere."
        )
    try:
        target = target_for(sending.to or "otlp", os.environ)
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    reading = read_traces(traces)
    spans = list(reading)
    with sending.index() or nullcontext() as have:
        result = repair(spans, target, have=have) if sending.repair else send(spans, target)
        defects = [*reading.defects, *(have.defects if have else ())]
    failures = [*(str(defect) for defect in defects), *result.problems]
    if as_json:
        print_json({"target": target.name, **asdict(result), "defects": [str(d) for d in defects]})
    else:
        report_sent(target, result.sent, [{"known": result.known, "sampled_out": result.sampled_out}])
        for trace_id in dict.fromkeys(span.trace_id for span in spans if result.sent or result.known):
            url = target.trace_url(trace_id) if target.trace_url else None
            if url:
                output().print(f"  {safe(url)}")
    failed = complain(failures) or bool(result.rejected or result.unsent)
    return SOME_FAILED if failed else OK
