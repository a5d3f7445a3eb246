"""``python -m benchmarks``: runs the benchmarks and writes RESULTS.md beside this file; with a name, prints one."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from agent.servers.temporal import TemporalServer, start_temporal
from benchmarks import conversion, live, memory, replay, report_pages, server
from tracing.exit import exit_process
from tracing.version import VERSION

RESULTS = Path(__file__).with_name("RESULTS.md")

HEAD = f"""\
# Benchmark results

Written by `make bench`, each section by a process of its own. The variants take turns. Each value is CPU time, where
nothing else is said: a median, with the middle half of the rounds in brackets. Ratios are medians of the ratios of
single rounds, so that what slows the machine for a while does not matter; absolute numbers are of the machine it ran
on.

durable-trace {VERSION}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs.
"""

CONVERSION = """
## A history of 48,001 events becomes a trace file

CPU seconds; content off. The target is 0.3 of what `WorkflowHistory.from_json` alone takes on the same file.
"""

REQUESTS = """
## The same history, binary, becomes the OTLP requests that are sent to a backend

CPU seconds; content off. The floor is what protobuf alone takes: to parse the history, and to write requests that are
there already. The target is 20 of it.
"""

MEMORY = f"""
## Memory of a bulk export

Peak memory of the exporting process and its {memory.JOBS} workers, above what they have after import; histories of
{memory.BYTES // 1000} KB, and one of 25 MB among them. The target is {memory.TARGET:g} for {memory.MANY:,} histories
beside {memory.FEW:,}.
"""

LIVE = f"""
## Live: CPU of a worker

CPU µs; content off, a span processor that does nothing. The SDK's own worker runs, with all that the plugins add; Core
and server are left out, for both only add noise. {live.ROUNDS} rounds of {live.ACTIVITIES} activities, one after the
other. The target is 1.3 of Temporal's own plugin with `add_temporal_spans=True`, per workflow task and per activity.
"""

REPLAY = f"""
## Replay of a history of {replay.ACTIVITIES} activities

CPU seconds of `Replayer.replay_workflow`, Core included. The target is 1.05 of a replay without the plugin.
"""

SERVER = f"""
## Export from a server on the same machine

Milliseconds a run, by the clock: {server.SMALL} runs of {server.SMALL_ACTIVITIES} activities and {server.MEDIUM} of
{server.MEDIUM_ACTIVITIES}. The plain loop only fetches; the export fetches, converts, and writes trace files and
manifest. Processes are started before the clock is. Fetching several at a time is the floor: client and server then
have all processors. The target is 1 / 1.8 of the plain loop, for one process: so many runs are exported by one where
`--jobs` is not given.
"""

REPORT = f"""
## Reports of many spans in Chromium

Headless Chromium without a GPU; {report_pages.ROUNDS} openings each: medians, frames the longest of all. Scrolled are
200 pixels a frame (12,000 a second), then the whole page in 120 frames. A search is the first one, through all texts;
for 80 ms of it more keys are waited for. The target is that {report_pages.SIZES[0]:,} spans are open in
{report_pages.TARGET_MS:,} ms.
"""


def table(measured: Mapping[str, Sequence[float]], unit: str, base: str, target: float | None = None) -> str:
    """Median, spread and ratio to a base of each variant.

    Args:
        measured: Values of the rounds, by variant.
        unit: Their unit.
        base: The variant that others are compared with.
        target: What the last variant's ratio should be at most.
    """
    lines = [f"\n| variant | {unit} | ratio to {base} |", "|---|---|---|"]
    for name, values in measured.items():
        ratios = [value / other for value, other in zip(values, measured[base], strict=True)]
        ratio = "1" if name == base else _spread(ratios, ".2f")
        lines.append(f"| {name} | {_spread(values, '.3g' if max(values) < 100 else '.0f')} | {ratio} |")  # noqa: PLR2004 - digits that matter
        last = median(ratios)
    if target is not None:
        lines.append(f"\nTarget {target:.3g}: {'met' if last <= target else 'missed'}.")
    return "\n".join(lines) + "\n"


def memory_table(measured: Mapping[int, int]) -> str:
    """Peak memory and ratio to the fewest histories, by how many there are."""
    lines = ["\n| histories | MB | ratio |", "|---|---|---|"]
    base = measured[min(measured)]
    lines += [f"| {count:,} | {peak / 1e6:.0f} | {peak / base:.2f} |" for count, peak in measured.items()]
    ratio = measured[max(measured)] / base
    lines.append(f"\nTarget {memory.TARGET:g}: {'met' if ratio <= memory.TARGET else 'missed'}.")
    return "\n".join(lines) + "\n"


def report_table(measured: Sequence[report_pages.Opened]) -> str:
    """What reports take, a line a report."""
    lines = ["\n| spans | written, ms | MB | open, ms | elements | longest frame, ms | jumping, ms | search, ms |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    lines += [
        f"| {each.spans:,} | {each.written:.0f} | {each.megabytes:.1f} | {each.ready:.0f} | {each.elements:,} "
        f"| {each.scrolling:.0f} | {each.jumping:.0f} | {each.searching:.0f} |"
        for each in measured
    ]
    ready = measured[0].ready
    lines.append(f"\nTarget {report_pages.TARGET_MS:,} ms: {'met' if ready <= report_pages.TARGET_MS else 'missed'}.")
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float], form: str) -> str:
    low, _, high = quantiles(values, n=4)
    return f"{median(values):{form}} [{low:{form}} to {high:{form}}]"


def _conversion() -> list[str]:
    return [CONVERSION, table(conversion.trace_files(), "s", conversion.FROM_JSON, 0.3)]


def _requests() -> list[str]:
    return [REQUESTS, table(conversion.requests(), "s", conversion.FLOOR, 20)]


def _memory() -> list[str]:
    return [MEMORY, memory_table(memory.measure())]


def _report() -> list[str]:
    return [REPORT, report_table([report_pages.measure(size) for size in report_pages.SIZES])]


def _live() -> list[str]:
    section = [LIVE]
    with _temporal() as temporal:
        for on, measured in asyncio.run(live.measure(temporal.address)).items():
            target = 1.3 if on in live.TARGETS else None
            section += [f"\n### {on[0].upper()}{on[1:]}\n", table(measured, "µs", live.THEIRS, target)]
    return section


def _replay() -> list[str]:
    with _temporal() as temporal:
        return [REPLAY, table(asyncio.run(replay.measure(temporal.address)), "s", replay.WITHOUT, 1.05)]


def _server() -> list[str]:
    with _temporal() as temporal:
        return [SERVER, table(server.measure(temporal.address), "ms", server.PLAIN, server.TARGET)]


SECTIONS: Mapping[str, Callable[[], list[str]]] = {
    "conversion": _conversion,
    "requests": _requests,
    "memory": _memory,
    "report": _report,
    "live": _live,
    "replay": _replay,
    "server": _server,
}


@contextmanager
def _temporal() -> Iterator[TemporalServer]:
    with tempfile.TemporaryDirectory() as folder, start_temporal(Path(folder)) as temporal:
        yield temporal


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and print its section; without a name, all of them, and write their sections."""
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("section", nargs="?", choices=SECTIONS, help="print this one (default: write all)")
    section = parser.parse_args(argv).section
    if section:
        sys.stdout.write("".join(SECTIONS[section]()))
        return 0
    # Each in a process of its own: what one leaves in memory makes each garbage collection of the next dearer.
    written = [HEAD, *(_of_its_own_process(name) for name in SECTIONS)]
    RESULTS.write_text("".join(written), encoding="utf-8")
    sys.stdout.write(RESULTS.read_text(encoding="utf-8"))
    return 0


def _of_its_own_process(section: str) -> str:
    sys.stderr.write(f"{section} …\n")
    command = [sys.executable, "-m", "benchmarks", section]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603 - our own module


if __name__ == "__main__":
    exit_process(main())
