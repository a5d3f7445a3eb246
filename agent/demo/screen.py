"""What does somebody see who runs the demo?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from agent.demo.pairs import Pair
    from agent.demo.results import Results
    from tracing.cost import Amount, RunAccount, StepAccount


def show(results: Results, console: Console) -> None:
    """Print what happened, the spans of both readers, the costs, the checks, and where the files are."""
    console.print()
    console.print(_steps(results))
    console.print(_spans(results))
    console.print(_costs(results))
    console.print(_checks(results))
    for place in _places(results):
        # A path that is broken in two cannot be copied.
        console.print(place, soft_wrap=True)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


def _steps(results: Results) -> Table:
    table = _table("What the run did, and what its replay did")
    table.add_column("step", no_wrap=True)
    for name in ("tries", "requests", "tokens in", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("replay", no_wrap=True)
    before = results.story.completed_before_kill
    asked = results.story.steps_asked()
    killed = False
    for pair in results.comparison.steps:
        step = pair.first
        if step is None:
            continue
        activity_id = step.key.partition(":")[2]
        if activity_id not in before and not killed:
            killed = True
            table.add_section()
        table.add_row(
            f"{activity_id} {asked.get(activity_id, step.type)}",
            str(len(step.attempts) + step.missing_attempts),
            str(results.requests[activity_id]) if activity_id in results.requests else "",
            *_spent(step),
            Text(pair.state, style="green" if pair.state == "reused" else "yellow"),
        )
    table.caption = "The gap is where the worker was killed. Requests are those that the model server counted."
    table.caption_justify = "left"
    return table


def _spent(account: StepAccount | RunAccount) -> tuple[str, str, str]:
    if not account.usage.calls and not account.amount.at_least:
        return ("", "", "")
    return (f"{account.usage.input_tokens:,}", f"{account.usage.output_tokens:,}", _usd(account.amount))


def _usd(amount: Amount) -> str:
    if amount.usd is None:
        return "unknown"
    return f"{'≥ ' if amount.at_least else ''}${amount.usd:.6f}"


def _spans(results: Results) -> Table:
    table = _table("Live spans and exported spans, side by side")
    table.add_column("span", no_wrap=True)
    table.add_column("ID", no_wrap=True)
    table.add_column("live")
    table.add_column("exported")
    table.caption = "Lost: the killed worker took it with it; the export has it from the history."
    table.caption_justify = "left"
    for depth, pair in _tree(results.pairs):
        span = pair.exported or pair.live
        assert span is not None  # a pair has at least one side
        ident = Text(f"{span.span_id:016x}", style="dim")
        table.add_row(f"{'  ' * depth}{span.name}", ident, _live(pair), _exported(pair))
    return table


def _tree(pairs: Sequence[Pair]) -> Iterator[tuple[int, Pair]]:
    """Pairs in tree order with their depths; each parent's children in the order they began."""
    children: dict[int | None, list[tuple[int, Pair]]] = {}
    known = {span.span_id for pair in pairs if (span := pair.exported or pair.live)}
    for pair in pairs:
        span = pair.exported or pair.live
        assert span is not None  # a pair has at least one side
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append((span.span_id, pair))
    waiting = [(0, *child) for child in reversed(children.get(None, []))]
    while waiting:
        depth, span_id, pair = waiting.pop()
        yield depth, pair
        waiting += [(depth + 1, *child) for child in reversed(children.get(span_id, []))]


def _live(pair: Pair) -> Text:
    return Text("✓", style="green") if pair.live else Text("lost", style="yellow")


def _exported(pair: Pair) -> Text:
    if pair.exported is None:
        return Text("✗ missing", style="red")
    if pair.differences:
        return Text(f"✗ differs: {', '.join(pair.differences)}", style="red")
    return Text("✓ identical" if pair.live else "✓ from history", style="green")


def _costs(results: Results) -> Table:
    comparison = results.comparison
    table = _table("What it cost")
    table.add_column("")
    for name in ("model calls", "tokens in", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, run in (("first run", comparison.first), ("replay", comparison.second)):
        usage = run.usage
        table.add_row(name, str(usage.calls), f"{usage.input_tokens:,}", f"{usage.output_tokens:,}", _usd(run.amount))
    table.add_row("begun again from nothing instead (estimate)", "", "", "", _usd(comparison.counterfactual))
    table.add_row("saved by replay", "", "", "", _usd(comparison.saved))
    table.add_row("wasted on lost attempts", "", "", "", _usd(comparison.retry_waste))
    sources = ", ".join(comparison.first.price_sources)
    table.caption = f"Prices: {sources}, of the calls' own time." if sources else None
    table.caption_justify = "left"
    return table


def _checks(results: Results) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for claim, held in results.checks().items():
        table.add_row(Text("✓", style="green") if held else Text("✗", style="bold red"), claim)
    return table


def _places(results: Results) -> Iterator[Text]:
    yield Text()
    for kind, file in results.files.items():
        yield Text.assemble((f"{kind:<11}", "bold"), str(file))
    if results.trace_url:
        yield Text.assemble(("Phoenix    ", "bold"), results.trace_url)
