"""What somebody sees who runs a demo: one run, a run with those that belong to it, two runs side by side."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.console import Console

from agent.demo.exported import ReplayedRun
from agent.demo.pairs import paired
from agent.demo.results import Results
from agent.demo.screen import show
from agent.demo.side import Side
from tests.agent.demo.killed import SPANS, STORY, Exported
from tests.cost.runs import Attempt, RecordedRun
from tracing.cost import compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.cost import Comparison
    from tracing.tracefile import Span


def reused(run: RecordedRun, *types: str) -> ReplayedRun:
    """A replay that took every step from history."""
    for activity_type in types:
        run.step(activity_type, 0, 0, reused=True)
    return ReplayedRun(reproduced=True, spans=run.spans())


REPLAY = reused(RecordedRun(), "call_llm", "search_web", "call_llm", "call_llm", "generate_report")


def shown(*sides: Side, live: Sequence[Span] = SPANS, between: Comparison | None = None) -> str:
    screen = io.StringIO()
    show(
        Results(STORY, sides, paired(live, SPANS), replay_requests=0, between=between), Console(file=screen, width=100)
    )
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines())


def test_one_run_has_its_steps_its_spans_its_costs_and_its_claims() -> None:
    assert (
        shown(Side.of("first run", [Exported(SPANS)], [REPLAY], STORY), live=SPANS[3:])
        == """
What the run did, and what its replay did

 step                tries   requests   tokens in   out          cost   replay
 ─────────────────────────────────────────────────────────────────────────────
 1 Step                  1          1       1,009   211     $0.004633   reused
 2 search_web            1                                              reused

 3 Step                  2          2       2,003   307   ≥ $0.008078   reused
 4 Step                  2          2       3,504   502     $0.013780   reused
 5 generate_report       1                                              reused

The gap is where the worker was killed. Requests are those that the model
server counted.

Live spans and exported spans, side by side

 span                                ID                 live   exported
 ────────────────────────────────────────────────────────────────────────────
 RunWorkflow:ResearchAgentWorkflow   77482d2a244d14fa   lost   ✓ from history
   StartActivity:call_llm            1d201c8e628cefc0   lost   ✓ from history
     RunActivity:call_llm            45cc9a7ffeaa5db5   lost   ✓ from history
       chat gpt-4o                   77c6a223eaf11599   ✓      ✓ identical
   StartActivity:search_web          38c681b0dbe29277   ✓      ✓ identical
     RunActivity:search_web          97d92fa1a596c452   ✓      ✓ identical
   StartActivity:call_llm            a60dc95513464763   ✓      ✓ identical
     RunActivity:call_llm            54828421a6c226a4   ✓      ✓ identical
       chat gpt-4o                   176b23e660549a91   ✓      ✓ identical
   StartActivity:call_llm            a5e88d2356504274   ✓      ✓ identical
     RunActivity:call_llm            b2c1cd28d28de182   ✓      ✓ identical
       chat gpt-4o                   b4bea42d84833fc0   ✓      ✓ identical
     RunActivity:call_llm            d03936c267faa391   ✓      ✓ identical
       chat gpt-4o                   335dec2f62280e54   ✓      ✓ identical
   StartActivity:generate_report     edc10a96d0f585c9   ✓      ✓ identical
     RunActivity:generate_report     1d192b3799a0f091   ✓      ✓ identical

Lost: the killed worker took it with it; the export has it from the history.

What it cost

                                               model calls   tokens in     out          cost
 ───────────────────────────────────────────────────────────────────────────────────────────
 first run                                               4       6,516   1,020   ≥ $0.026490
 replay                                                  0           0       0     $0.000000
 begun again from nothing instead (estimate)                                     ≥ $0.031123
 saved by replay                                                                   $0.024223
 wasted on failed and lost attempts                                              ≥ $0.002268

Prices: genai-prices 0.2.3, of the calls' own time.

✓  each model call whose completion was in the history was made exactly once
✓  the model server counted one request for each attempt, none besides
✓  every live span is in the export, with the same IDs, parent, name, start and attributes
✓  tokens and calls of the account are those that the model server gave
✓  the replay took every result from history
✓  the replay made no model call
"""
    )


def test_each_run_of_a_chain_and_each_child_has_its_own_part_of_the_steps() -> None:
    child = RecordedRun("run-2", workflow_id="research-1/2", workflow_type="Child")
    child.step("search_web", 3, 4, Attempt(3, 4))
    continued = RecordedRun("run-3").step("generate_report", 70, 74, Attempt(70, 74))
    in_trace = [replace(span, trace_id=SPANS[0].trace_id) for span in child.spans()]
    # One replay stands for all three here: how the steps of several replays are found is tested with `join`.
    side = Side.of("research", [Exported(SPANS), Exported(in_trace), Exported(continued.spans(90))], [REPLAY], STORY)

    text = shown(side)

    steps = text[: text.index("The gap is")].partition("───\n")[2]
    assert [line[:30].rstrip() for line in steps.splitlines()] == [
        " ResearchAgentWorkflow, run 1",
        " 1 Step",
        " 2 search_web",
        "",
        " 3 Step",
        " 4 Step",
        " 5 generate_report",
        "",
        " Child /2",
        " 1 search_web",
        "",
        " ResearchAgentWorkflow, run 2",
        " 1 generate_report",
        "",
    ]


def test_two_runs_stand_one_after_the_other_each_with_what_it_saved() -> None:
    sides = [Side.of(label, [Exported(SPANS)], [REPLAY], STORY) for label in ("whole graph", "node by node")]

    text = shown(*sides, between=compare(sides[0].account, sides[1].account))

    assert (
        text[text.index("What it cost") : text.index("\n\nPrices")]
        == """\
What it cost

                                                 model calls   tokens in     out          cost
 ─────────────────────────────────────────────────────────────────────────────────────────────
 whole graph                                               4       6,516   1,020   ≥ $0.026490
   begun again from nothing instead (estimate)                                     ≥ $0.031123
   saved by replay                                                                   $0.024223
   wasted on failed and lost attempts                                              ≥ $0.002268
 node by node                                              4       6,516   1,020   ≥ $0.026490
   begun again from nothing instead (estimate)                                     ≥ $0.031123
   saved by replay                                                                   $0.024223
   wasted on failed and lost attempts                                              ≥ $0.002268
 node by node less whole graph                            +0          +0      +0       unknown
 replay                                                    0           0       0     $0.000000"""
    )
