"""What does somebody see who runs the demo?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from tracing.cost import Amount, difference, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from agent.demo.pairs import Pair
    from agent.demo.results import Results
    from agent.demo.side import Side
    from agent.demo.story import Step
    from tracing.cost import Comparison, Difference, RunAccount, StepAccount, StepPair


def show(results: Results, console: Console) -> None:
    """Print what happened, the spans of both readers, the costs, the checks, and where the files are."""
    for part in (_steps(results), _spans(results), _costs(results), _checks(results)):
        console.print()
        console.print(part)
    for place in _places(results):
        # A path that is broken in two cannot be copied.
        console.print(place, soft_wrap=True)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


def _steps(results: Results) -> Table:
    table = _table("What the run did, and what its replay did")
    table.add_column("step")  # where the screen is too narrow, names are wrapped, and numbers stay whole
    for name in ("tries", "requests", "tokens in", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("replay", no_wrap=True)
    named = sum(len(side.runs) for side in results.sides) > 1
    asked = results.story.steps_asked()
    of_several = len(results.sides) > 1
    for side in results.sides:
        pairs = {pair.first.span_id: pair for pair in side.comparison.steps if pair.first is not None}
        for run in side.runs:
            if named:
                table.add_section()
                table.add_row(Text(_title(side, run, of_several=of_several), style="bold"))
            _steps_of(table, results, [pairs[step.span_id] for step in run.steps], side, asked)
    table.caption = f"{results.story.caption} Requests are those that the model server counted."
    table.caption_justify = "left"
    return table


def _title(side: Side, run: RunAccount, *, of_several: bool) -> str:
    """A run by its side, where there are several, and its type.

    Of a chain it says the run's number, of a child how its workflow ID goes on after the parent's. Short, so that the
    column is no wider than it must be.
    """
    if of_several and len(side.runs) == 1:
        return side.label
    of_chain = [each.run_id for each in side.runs if each.workflow_id == run.workflow_id]
    number = f", run {of_chain.index(run.run_id) + 1}" if len(of_chain) > 1 else ""
    parent = side.runs[0].workflow_id
    child = "" if run.workflow_id == parent else f" {run.workflow_id.removeprefix(parent)}"
    return f"{f'{side.label}: ' if of_several else ''}{run.workflow_type}{child}{number}"


def _steps_of(table: Table, results: Results, pairs: Sequence[StepPair], side: Side, asked: Mapping[Step, str]) -> None:
    """A row for each step of a run, with a gap before the first that was not completed when the failure came."""
    completed = [pair.first is not None and side.step_of(pair.first) in results.story.completed for pair in pairs]
    for position, pair in enumerate(pairs):
        if pair.first is None:
            continue
        if position and not completed[position] and all(completed[:position]):
            table.add_section()
        step, counted = side.step_of(pair.first), side.comparison.requests
        table.add_row(
            f"{step.activity_id} {pair.first.summary or asked.get(step, pair.first.type)}",
            str(pair.first.tries),
            str(counted.get(pair.first.key, "")),
            *_spent(pair.first),
            Text(pair.state, style="green" if pair.state == "reused" else "yellow"),
        )


def _spent(account: StepAccount) -> tuple[str, str, str]:
    if not account.usage.calls and not account.amount.at_least:
        return ("", "", "")
    return (f"{account.usage.input_tokens:,}", f"{account.usage.output_tokens:,}", _usd(account.amount))


def _usd(amount: Amount) -> str:
    if amount.usd is None:
        return "unknown"
    return f"{'≥ ' if amount.at_least else ''}${rounded(amount.usd):,f}"


def _spans(results: Results) -> Table:
    table = _table("Live spans and exported spans, side by side")
    table.add_column("span", overflow="ellipsis")
    table.add_column("ID", no_wrap=True)
    table.add_column("live", no_wrap=True)
    table.add_column("exported")
    told = []
    if any(pair.live is None for pair in results.pairs):
        told.append("Lost: the killed worker took it with it; the export has it from the history.")
    if any(pair.live_only for pair in results.pairs):
        told.append("Live only: queries, and what workflow code does between its steps, leave no event.")
    if any(pair.left_out for pair in results.pairs):
        told.append("Cut: of a failed attempt's record the server keeps 4 KiB: its usage, not its content.")
    table.caption, table.caption_justify = "\n".join(told) or None, "left"
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
    if pair.live_only:
        return Text("live only", style="dim")
    if pair.exported is None:
        return Text("✗ missing", style="red")
    if pair.differences:
        return Text(f"✗ differs: {', '.join(pair.differences)}", style="red")
    if pair.left_out:
        return Text("✓ cut", style="green")
    return Text("✓ identical" if pair.live else "✓ from history", style="green")


def _costs(results: Results) -> Table:
    table = _table("What it cost")
    table.add_column("")
    for name in ("model calls", "tokens in", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    several = len(results.sides) > 1
    for side in results.sides:
        table.add_row(side.label, *_sums([side.account]))
        if several:
            _saved(table, side.comparison, indent="  ")
    if results.between is not None:
        first, second = results.sides
        table.add_row(f"{second.label} less {first.label}", *_less(difference(first.account, second.account)))
    table.add_row("replay", *_sums([side.comparison.second for side in results.sides]))
    if not several:
        _saved(table, results.sides[0].comparison)
    sources = ", ".join(sorted({source for side in results.sides for source in side.account.price_sources}))
    table.caption = f"Prices: {sources}, of the calls' own time." if sources else None
    table.caption_justify = "left"
    return table


def _saved(table: Table, comparison: Comparison, indent: str = "") -> None:
    """What durable execution saved in a run, and what it could not."""
    for name, amount in (
        ("begun again from nothing instead (estimate)", comparison.counterfactual),
        ("saved by replay", comparison.saved),
        ("wasted on failed and lost attempts", comparison.retry_waste),
    ):
        table.add_row(f"{indent}{name}", "", "", "", _usd(amount))


def _sums(accounts: Sequence[RunAccount]) -> tuple[str, str, str, str]:
    usages = [account.usage for account in accounts]
    return (
        str(sum(usage.calls for usage in usages)),
        f"{sum(usage.input_tokens for usage in usages):,}",
        f"{sum(usage.output_tokens for usage in usages):,}",
        _usd(sum((account.amount for account in accounts), Amount())),
    )


def _less(less: Difference) -> tuple[str, str, str, str]:
    usage = less.usage
    cost = "unknown" if less.usd is None else f"{'-' if less.usd < 0 else '+'}${rounded(abs(less.usd)):,f}"
    return f"{usage.calls:+}", f"{usage.input_tokens:+,}", f"{usage.output_tokens:+,}", cost


def _checks(results: Results) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for claim, held in results.checks().items():
        table.add_row(Text("✓", style="green") if held else Text("✗", style="bold red"), claim)
    return table


def _places(results: Results) -> Iterator[Text]:
    yield Text()
    several = sum(len(side.runs) for side in results.sides) > 1
    for kind, file in results.files.items():
        # A file of each run: the folder has them all.
        more = " and those beside it" if several and kind in {"trace", "history", "replay"} else ""
        yield Text.assemble((f"{kind:<11}", "bold"), f"{file}{more}")
    if results.trace_url:
        yield Text.assemble(("Phoenix    ", "bold"), results.trace_url)
