"""``python -m benchmarks``: runs the benchmarks and writes RESULTS.md beside this file."""

from __future__ import annotations

import asyncio
import platform
import sys
import tempfile
from pathlib import Path
from statistics import median

from agent.servers.temporal import start_temporal
from benchmarks import conversion, live
from tracing.exit import exit_process
from tracing.version import VERSION

RESULTS = Path(__file__).with_name("RESULTS.md")


def table(measured: dict[str, list[float]], unit: str, base: str) -> list[str]:
    """Median, spread and ratio to a base of each variant."""
    lines = [f"| variant | median, {unit} | min to max | ratio to {base} |", "|---|---|---|---|"]
    reference = median(measured[base])
    for name, values in measured.items():
        spread = f"{min(values):,.3g} to {max(values):,.3g}"
        lines.append(f"| {name} | {median(values):,.3g} | {spread} | {median(values) / reference:.2f} |")
    return lines


def main() -> int:
    """Run all benchmarks; a section each."""
    sections = [
        "# Benchmark results",
        "",
        "Written by `make bench`. Ratios are measured within one run; absolute numbers are of the machine it ran on.",
        "",
        f"durable-trace {VERSION}, Python {platform.python_version()}, {platform.machine()}.",
        "",
        "## A history of 48,001 events becomes a trace file",
        "",
        "Seconds; content off. The target is 0.3 of what `WorkflowHistory.from_json` alone takes on the same file.",
        "",
        *table(conversion.measure(), "s", "WorkflowHistory.from_json"),
        "",
        "## Live: CPU of client and worker per activity with its workflow task",
        "",
        f"{live.WORKFLOWS} workflows of {live.ACTIVITIES} activities, content off, a span processor that does nothing.",
        "The target is 1.3 of Temporal's own plugin with `add_temporal_spans=True`.",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder, start_temporal(Path(folder)) as server:
        measured = asyncio.run(live.measure(server.address))
    sections += table(measured, "µs", "Temporal's OpenTelemetryPlugin")
    RESULTS.write_text("\n".join(sections) + "\n")
    sys.stdout.write(RESULTS.read_text())
    return 0


if __name__ == "__main__":
    exit_process(main())
