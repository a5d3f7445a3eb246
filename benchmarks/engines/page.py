"""What is on the page that compares the engines?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from textwrap import fill
from typing import Final

from benchmarks.engines.code_size import CodeSize
from benchmarks.engines.holdings import holdings
from benchmarks.engines.per_step import ROUNDS, STEPS
from benchmarks.engines.recovery import KILLED_AT, REFUSED_AT, Recovery

TEMPORAL, DBOS = "Temporal", "DBOS"
WIDTH: Final = 120

HEAD: Final = """\
# Temporal and DBOS on the same agent

Written by `make engines`, which measures everything on this page; do not edit it. The agent is the research agent:
`agent/research/` on Temporal, `agent/dbos_agent/` on DBOS. Both make a plan, three searches, three syntheses, a summary
and a report, of the same prompts. [choosing.md](choosing.md) says which one suits whom.
"""

CODE: Final = """
## Lines of code

Lines that hold code, without comments and docstrings: of the modules that the agent's entry points import.
"""

SHARED: Final = """\
On both engines alike: {modules} ({lines} lines).
`agent.running` is what every agent on Temporal here shares: connecting, options, probes, a graceful stop.
"""

RECOVERY: Final = f"""
## A process killed in the middle

Seconds, by the clock. One model call is refused once (“{REFUSED_AT}”, 429), so that an attempt fails. While the model
answers “{KILLED_AT}” the process is killed (SIGKILL), and a new one is started at once. On Temporal, the server
notices a lost attempt by its missing heartbeats, here after 3 seconds, and any worker takes it up; on DBOS, a process
takes up what it finds in the database when it starts.
"""

PER_STEP: Final = f"""
## What a step takes

Milliseconds a step that does nothing, by the clock: medians of {ROUNDS * 2} workflows of {STEPS} steps, with the
middle half in brackets. Temporal is the dev server with its SQLite file, as `agent/servers/temporal.py` starts it; a
cluster was not measured. A step of it is an activity task and a workflow task; what these wait between being scheduled
and being begun is told apart, by the server's clock. It is set to hand out tasks at once, as
[running.md](running.md) tells: by default the dev server reads its queue of tasks 20 times a second for all its runs
together, and a step takes two reads. Its file is not synced at each commit. Traced is durable-trace with content off.
"""

TRACE: Final = """
## What the traces hold

Of the killed run above: spans that arrived live, those of the second process alone, as the first one was killed before
it exported any; and spans that the export makes of what the engine has kept, those of both.
"""


def page(
    sizes: tuple[CodeSize, CodeSize],
    recoveries: Mapping[str, Recovery],
    per_step: Mapping[str, Sequence[float]],
) -> str:
    """The page, in Markdown.

    Args:
        sizes: Code sizes on Temporal and on DBOS.
        recoveries: What was seen of the killed run, by engine.
        per_step: Milliseconds a step, by the way to run it.
    """
    return "".join(
        [
            *(HEAD, CODE, code_table(sizes), shared(sizes[0])),
            *(RECOVERY, recovery_table(recoveries), PER_STEP, per_step_table(per_step)),
            *(TRACE, trace_table(recoveries)),
        ]
    )


def code_table(sizes: tuple[CodeSize, CodeSize]) -> str:
    """Lines of code by module."""
    rows = [
        row
        for engine, size in zip((TEMPORAL, DBOS), sizes, strict=True)
        for row in (
            *((engine, f"`{module}`", str(count)) for module, count in size.own.items()),
            (engine, "**in all**", f"**{sum(size.own.values())}**"),
        )
    ]
    return _table(("engine", "module", "lines"), rows)


def shared(size: CodeSize) -> str:
    """What both have."""
    modules = ", ".join(f"`{module}`" for module in size.shared)
    return f"\n{fill(SHARED.format(modules=modules, lines=sum(size.shared.values())), WIDTH)}\n"


def recovery_table(recoveries: Mapping[str, Recovery]) -> str:
    """How long the agent was away."""
    rows = [
        (engine, f"{each.away:.1f}", f"{each.finished:.1f}", str(each.requests)) for engine, each in recoveries.items()
    ]
    return _table(("engine", "until the lost call is made again", "until the run has ended", "model requests"), rows)


def per_step_table(per_step: Mapping[str, Sequence[float]]) -> str:
    """How long a step takes."""
    return _table(("engine", "ms a step"), [(name, _spread(values)) for name, values in per_step.items()])


def trace_table(recoveries: Mapping[str, Recovery]) -> str:
    """What the traces hold: only counts, so that every run of the script says the same."""
    columns = [holdings(spans) for each in recoveries.values() for spans in (each.live, each.exported)]
    heads = [f"{engine}, {reader}" for engine in recoveries for reader in ("live", "exported")]
    rows = [(name, *(str(column[name]) for column in columns)) for name in columns[0]]
    return _table(("held", *heads), rows)


def _spread(values: Sequence[float]) -> str:
    low, _, high = quantiles(values, n=4)
    return f"{median(values):.1f} [{low:.1f} to {high:.1f}]"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
