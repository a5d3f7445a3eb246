"""How are the outcomes written: on a terminal, in the README, as JSON?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from agent.failures.checks import checks
from agent.failures.moment import QUESTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from agent.failures.outcome import Outcome
    from agent.failures.spent import Spent

BEGIN: Final = "<!-- This table is made by `make failures`. -->"
END: Final = "<!-- The end of the table. -->"
_WORDS: Final = ("what happens", "without durable execution", "with it")
_NUMBERS: Final = ("requests", "paid twice", "tokens", "cost")


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The table in Markdown; the numbers without durable execution stand before those with it."""
    lines = [(*_WORDS, *_NUMBERS), ("---",) * len(_WORDS) + ("--:",) * len(_NUMBERS), *map(_row, outcomes)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def with_table(document: str, table: str) -> str:
    """Put a table between the marks of a document.

    Raises:
        ValueError: The document lacks a mark.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The document has no place for the table: it needs the lines\n{BEGIN}\n{END}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def as_json(outcomes: Sequence[Outcome]) -> str:
    """All numbers as JSON."""
    document = {"question": QUESTION, "failures": [outcome.as_json() for outcome in outcomes]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print the table, and below it what is claimed of all failures, with those of which it did not hold."""
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, caption="Without durable execution → with it.", caption_justify="left"
    )
    table.add_column(_WORDS[0])
    for name in _NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    for outcome in outcomes:
        title, _, _, *numbers = _row(outcome)
        table.add_row(Text(title.replace("`", "")), *numbers)
    console.print(table)
    failed: dict[str, list[str]] = {}
    for outcome in outcomes:
        for claim, held in checks(outcome).items():
            failed.setdefault(claim, []).extend([] if held else [outcome.failure.name])
    for claim, names in failed.items():
        mark = Text("✗", style="bold red") if names else Text("✓", style="green")
        console.print(Text.assemble(mark, " ", claim, f" (not so: {', '.join(names)})" if names else ""))


def _row(outcome: Outcome) -> tuple[str, ...]:
    failure, without, with_it = outcome.failure, outcome.plain.spent, outcome.durable.spent
    numbers = (f"{left} → {right}" for left, right in zip(_numbers(without), _numbers(with_it), strict=True))
    return (failure.title, failure.without, failure.with_it, *numbers)


def _numbers(spent: Spent) -> tuple[str, ...]:
    return (f"{spent.requests}", f"{spent.repeated}", f"{spent.tokens:,}", f"${spent.usd:.4f}")
